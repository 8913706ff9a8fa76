import json

import numpy as np
import pytest

from truecopy.data.scaling import Scaling

GENERATOR = np.random.default_rng(0)
TABLE = GENERATOR.normal([0, 1e6, -5, 3], [1, 2, 1e-3, 0], (50, 4))
SCALINGS = {
    "none": (Scaling.none(), TABLE),
    "divide": (Scaling.divide(255), GENERATOR.integers(0, 256, (50, 2, 2)).astype(np.uint8)),
    "log1p": (Scaling.log1p(), GENERATOR.integers(0, 10_000, (50, 4))),
    "standardise": (Scaling.standardise(TABLE.mean(axis=0), TABLE.std(axis=0)), TABLE),
}


@pytest.mark.parametrize("name", SCALINGS)
def test_undo_gives_back_the_rows_in_their_shape(name):
    scaling, rows = SCALINGS[name]

    back = scaling.undo(scaling.apply(rows))

    assert back.shape == rows.shape
    # float32 in between holds 24 bits of the scaled value.
    np.testing.assert_allclose(back, rows, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("name", SCALINGS)
def test_scaled_rows_are_float32_and_finite(name):
    scaling, rows = SCALINGS[name]

    scaled = scaling.apply(rows)

    assert scaled.dtype == np.float32
    assert np.isfinite(scaled).all()


def test_standardised_features_have_mean_0_and_spread_1_and_constants_are_0():
    scaled = SCALINGS["standardise"][0].apply(TABLE).astype(np.float64)

    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(axis=0), [1, 1, 1, 0], atol=1e-6)
    assert (scaled[:, 3] == 0).all()


def test_bytes_divide_exactly_as_everyone_writes_it():
    levels = np.arange(256, dtype=np.uint8)[:, None]

    np.testing.assert_array_equal(Scaling.divide(255).apply(levels), levels.astype("float32") / 255)


@pytest.mark.parametrize("name", SCALINGS)
def test_a_scaling_survives_json(name):
    scaling, rows = SCALINGS[name]

    read = Scaling.from_dict(json.loads(json.dumps(scaling.to_dict())))

    np.testing.assert_array_equal(read.apply(rows), scaling.apply(rows))
