import numpy as np
import pandas as pd
from sklearn.decomposition import FactorAnalysis

import truecopy
from truecopy.models.incomplete import Factors, fit_factors

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(size=(1000, 2)) @ GENERATOR.normal(size=(2, 6))
ROWS = (ROWS + 0.3 * GENERATOR.normal(size=ROWS.shape)) / ROWS.std(axis=0)


def test_without_missing_cells_it_is_scikit_learns_factor_analysis():
    found = fit_factors(ROWS, factors=2)

    expected = FactorAnalysis(2, tol=1e-8, max_iter=5000, svd_method="lapack").fit(ROWS)
    np.testing.assert_allclose(found.mean, expected.mean_, atol=1e-6)
    ours = found.weights @ found.weights.T + np.diag(found.noise)
    np.testing.assert_allclose(ours, expected.get_covariance(), atol=0.01)


def test_a_missing_cell_is_the_conditional_mean_of_the_normal_distribution():
    found = Factors(np.arange(3.0), GENERATOR.normal(size=(3, 2)), np.array([0.1, 0.2, 0.3]))
    row = np.array([[0.5, np.nan, 1.0]])

    covariance = found.weights @ found.weights.T + np.diag(found.noise)
    known = [0, 2]
    solved = np.linalg.solve(covariance[np.ix_(known, known)], row[0, known] - found.mean[known])
    expected = found.mean[1] + covariance[1, known] @ solved
    np.testing.assert_allclose(found.fill(row), [[0.5, expected, 1.0]], rtol=1e-5)


def test_a_row_without_known_cells_is_the_mean():
    found = fit_factors(ROWS, factors=2)

    np.testing.assert_allclose(found.fill(np.full((1, 6), np.nan))[0], found.mean, rtol=1e-5)


def test_missing_cells_of_linear_rows_are_filled_in_as_well_as_their_noise_allows():
    missing = GENERATOR.uniform(size=ROWS.shape) < 0.2
    frame = pd.DataFrame(np.where(missing, np.nan, ROWS), columns=list("abcdef"))

    model = truecopy.Autoencoder(latent=2, epochs=5, quiet=True).fit(frame)
    filled = model.reconstruct(frame, only_missing=True).to_numpy()

    # With all other cells known, the least error that any linear imputation has.
    least = 1 / np.diag(np.linalg.inv(np.cov(ROWS.T)))
    assert np.square(filled - ROWS)[missing].mean() < 2 * least.mean()
