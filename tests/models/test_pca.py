import numpy as np
import pytest
from sklearn.decomposition import PCA

from truecopy.models.pca import fit_pca

GENERATOR = np.random.default_rng(0)


def low_rank(rows, features, rank, noise):
    base = GENERATOR.normal(size=(rows, rank)) @ GENERATOR.normal(size=(rank, features))
    return base + noise * GENERATOR.normal(size=(rows, features)) + 5


def batches_of(rows, cuts):
    return lambda: (part for part in np.split(rows, cuts) if len(part))


@pytest.mark.parametrize("cuts", [[], [1], [100, 101, 250]])
def test_reconstructions_are_those_of_scikit_learn(cuts):
    rows = low_rank(300, 20, 5, 0.5)
    exact = PCA(4).fit(rows)

    pca = fit_pca(batches_of(rows, cuts), features=20, latent=4)

    expected = exact.inverse_transform(exact.transform(rows))
    np.testing.assert_allclose(pca.reconstruct(rows), expected, rtol=1e-8)


def test_more_features_than_a_covariance_holds_are_fitted_as_well():
    rows = low_rank(200, 2100, 6, 0.05)
    exact = PCA(4, svd_solver="full").fit(rows)
    error = ((rows - exact.inverse_transform(exact.transform(rows))) ** 2).mean()

    pca = fit_pca(batches_of(rows, [150, 151]), features=2100, latent=4)

    assert ((rows - pca.reconstruct(rows)) ** 2).mean() == pytest.approx(error, rel=1e-4)


def test_no_latent_is_the_mean_alone():
    rows = low_rank(50, 4, 2, 0.1)

    pca = fit_pca(batches_of(rows, [20]), features=4, latent=0)

    np.testing.assert_allclose(pca.reconstruct(rows), np.tile(rows.mean(axis=0), (50, 1)))


def test_rows_keep_their_shape():
    rows = low_rank(60, 12, 3, 0.1).reshape(60, 3, 4, 1)

    pca = fit_pca(batches_of(rows, [20]), features=12, latent=2)

    assert pca.reconstruct(rows).shape == rows.shape
    assert pca.encode(rows).shape == (60, 2)
