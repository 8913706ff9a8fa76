"""A table's network starts as PCA; the oracle is PCA itself."""

import keras
import numpy as np
import pytest
from sklearn.decomposition import PCA

import truecopy
from truecopy.data.profile import profile
from truecopy.models.build import build_networks
from truecopy.models.dense import build_dense
from truecopy.models.linear_start import start_linear, starts_linear
from truecopy.models.pca import fit_pca

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(size=(200, 2)) @ GENERATOR.normal(size=(2, 6))
ROWS += 0.3 * GENERATOR.normal(size=ROWS.shape)


def start(rows, latent=2):
    plan = truecopy.plan(profile(rows))
    scaled = plan.scaling.apply(rows)
    networks = build_dense(rows.shape[1:], latent=latent, plan=plan.facts, direct=True)
    start_linear(
        networks, fit_pca(lambda: [scaled], features=rows.shape[1], latent=latent), plan.facts
    )
    return scaled, keras.ops.convert_to_numpy(networks.model(scaled))


def test_before_any_training_the_copy_is_that_of_scikit_learns_pca():
    scaled, copy = start(ROWS)

    pca = PCA(2).fit(scaled)
    np.testing.assert_allclose(copy, pca.inverse_transform(pca.transform(scaled)), atol=1e-5)


@pytest.mark.parametrize(
    ("output", "rows"),
    [
        ("sigmoid", 0.4 + 0.02 * ROWS),
        ("tanh", np.concatenate([0.02 * ROWS - 0.3, [[-1.0] * 6, [1.0] * 6]])),
        ("softmax", np.eye(3)[GENERATOR.integers(0, 3, 200)]),
        ("softplus", GENERATOR.poisson(np.exp(3 + 0.02 * ROWS))),
    ],
)
def test_other_outputs_start_at_pca_to_first_order(output, rows):
    scaled, copy = start(rows)

    assert truecopy.plan(profile(rows)).facts.output.value == output
    pca = PCA(2).fit(scaled)
    linear = pca.inverse_transform(pca.transform(scaled))
    by_pca, by_mean, ours = (np.square(scaled - other).sum() for other in (linear, pca.mean_, copy))
    assert ours - by_pca < 0.3 * (by_mean - by_pca)


def test_only_our_network_of_a_table_starts_so():
    plan = truecopy.plan(profile(ROWS)).facts
    table = build_networks("auto", (6,), latent=2, plan=plan, seed=0)
    pictures = build_networks("dense", (6, 6, 1), latent=2, plan=plan, seed=0)

    assert starts_linear(table)
    assert not starts_linear(pictures)


def test_a_small_table_is_copied_at_least_as_well_as_by_pca():
    rows = ROWS[:150]
    held_out = ROWS[150:]

    model = truecopy.Autoencoder(latent=2, epochs=5, quiet=True).fit(rows)

    units = model.baselines_.units.scaling.apply(held_out)
    copies = model.baselines_.pca.reconstruct(units), np.broadcast_to(units.mean(0), units.shape)
    by_pca, by_mean = (np.square(units - copy).sum() for copy in copies)
    assert model.score(held_out) > 1 - by_pca / by_mean - 0.01
