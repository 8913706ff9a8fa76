"""A time series: convolved over time, and what is odd in it is found where it is."""

import keras
import numpy as np
import pytest

import truecopy
from truecopy.errors import InvalidArgument
from truecopy.models.build import build_networks

STEPS = np.arange(2_000)
WAVES = np.stack([np.sin(STEPS / 5), np.cos(STEPS / 5)], axis=1)


@pytest.fixture(scope="module")
def real_plan():
    return truecopy.plan(truecopy.profile(truecopy.windows(WAVES, 8, 8))).facts


@pytest.mark.parametrize("length", [8, 9, 13, 64, 101])
def test_the_copy_has_the_shape_of_the_window(real_plan, length):
    networks = build_networks("conv", (length, 3), latent=2, plan=real_plan, seed=0, sequence=True)

    assert networks.model.output_shape == (None, length, 3)
    kinds = {type(layer) for layer in networks.encoder.layers}
    assert keras.layers.Conv1D in kinds
    assert keras.layers.Conv2D not in kinds


def test_short_windows_are_dense_and_refuse_to_be_convolved(real_plan):
    told = {"latent": 2, "plan": real_plan, "seed": 0, "sequence": True}

    assert build_networks("auto", (7, 3), **told).model.name == "dense"
    with pytest.raises(InvalidArgument, match="'dense' for windows of fewer than 8 steps"):
        build_networks("conv", (7, 3), **told)


def test_a_disturbance_is_found_at_its_time():
    disturbed = WAVES.copy()
    disturbed[1_500:1_510] *= -1
    healthy, rows = truecopy.windows(WAVES, 16, 4), truecopy.windows(disturbed, 16, 4)
    ae = truecopy.Autoencoder(latent=2, model="conv", epochs=4, batch_size=16, quiet=True)

    errors = rows.scores_per_step(-ae.fit(healthy).score_samples(rows))

    assert ae.reconstruct(rows).shape == (rows.rows, 16, 2)
    assert 1_490 <= np.nanargmax(errors) < 1_520
