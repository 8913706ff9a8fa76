"""What is expected in a table's missing cells, given the known cells of the same row.

Factor analysis fitted by expectation maximisation to the known cells alone (Rubin & Thayer 1982,
Psychometrika 47:69; missing cells as in Ilin & Raiko 2010, Journal of Machine Learning Research
11:1957). A network that sees column means in place of missing cells must first learn to ignore
them; one that sees this starts where linear imputation ends.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# What is fitted to; more rows change what is expected by little.
MOST_ROWS: Final = 10_000
_ROUNDS: Final = 100
# Rounds end when the noise, in parts of a standardised column's variance, moves by less.
_SETTLED: Final = 1e-5
# A column that the factors explain to the last digit is still to be divided by its noise.
_LEAST_NOISE: Final = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """A fitted factor analysis of scaled rows.

    Attributes:
        mean: Of each feature, (features,).
        weights: What each factor adds to each feature, (features, factors).
        noise: The variance of each feature that no factor explains, (features,).
    """

    mean: Floats
    weights: Floats
    noise: Floats

    def fill(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return flat `rows` (rows, features) with what is expected in place of each NaN.

        It is the mean where no cell of the row is known.
        """
        known = ~np.isnan(rows)
        if known.all():
            return np.asarray(rows, np.float32)
        found, _ = self.expect(rows, known)
        expected = found @ self.weights.T + self.mean
        return np.where(known, rows, expected).astype(np.float32)

    def expect(self, rows: NDArray[Any], known: NDArray[np.bool]) -> tuple[Floats, Floats]:
        """Return mean (rows, factors) and covariance (rows, factors, factors) of the factors."""
        factors = self.weights.shape[1]
        scaled = self.weights / self.noise[:, None]
        products = (scaled[:, :, None] * self.weights[:, None, :]).reshape(len(scaled), -1)
        precision = (known.astype(np.float64) @ products).reshape(-1, factors, factors)
        covariance = np.linalg.inv(precision + np.eye(factors)).astype(np.float64)
        sides = np.where(known, rows - self.mean, 0) @ scaled
        return np.einsum("nkl,nl->nk", covariance, sides), covariance


def fit_factors(rows: NDArray[Any], *, factors: int) -> Factors:
    """Fit a factor analysis to the known cells of scaled rows.

    Args:
        rows: Shape (rows, features), at most about `MOST_ROWS`, NaN where a cell is missing; no
            column misses all.
        factors: How many.
    """
    rows = np.asarray(rows, np.float64)
    known = ~np.isnan(rows)
    fitted = _start(rows, known, factors)
    for _ in range(_ROUNDS):
        before = fitted.noise
        fitted = _improve(fitted, rows, known)
        if np.abs(fitted.noise - before).max() < _SETTLED:
            break
    return fitted


def _start(rows: Floats, known: NDArray[np.bool], factors: int) -> Factors:
    """Return the principal components of the rows with their missing cells at the means."""
    counts = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, rows, 0).sum(axis=0) / counts
    deviations = np.where(known, rows - mean, 0)
    values, vectors = np.linalg.eigh(deviations.T @ deviations / len(rows))
    weights = vectors[:, -factors:] * np.sqrt(np.maximum(values[-factors:], _LEAST_NOISE))
    variance = np.square(deviations).sum(axis=0) / counts
    # Noise that starts near 0 would hold the weights where they are.
    return Factors(mean, weights, np.maximum(variance / 2, _LEAST_NOISE))


def _improve(fitted: Factors, rows: Floats, known: NDArray[np.bool]) -> Factors:
    """Return the factors after one round: expectation of the factors, then their weights."""
    found, covariance = fitted.expect(rows, known)
    factors = found.shape[1]
    # The mean is the weight of one more factor, which is always 1.
    all_found = np.concatenate([found, np.ones((len(rows), 1))], axis=1)
    second = all_found[:, :, None] * all_found[:, None, :]
    second[:, :factors, :factors] += covariance
    present = np.where(known, rows, 0)
    seen = known.T.astype(np.float64)
    products = (seen @ second.reshape(len(rows), -1)).reshape(-1, factors + 1, factors + 1)
    ridge = np.diag([*[1e-6] * factors, 0.0])
    sides = (present.T @ all_found)[:, :, None]
    solved = np.linalg.solve(products + ridge, sides)[:, :, 0]
    left = np.square(present).sum(axis=0) - np.einsum("fk,fk->f", solved, sides[:, :, 0])
    noise = np.maximum(left / np.maximum(seen.sum(axis=1), 1), _LEAST_NOISE)
    weights, mean = solved[:, :factors], solved[:, factors]
    # Factors of mean 0 and covariance 1 again: parameter-expanded EM (Liu, Rubin & Wu 1998,
    # Biometrika 85:755) needs a fraction of the rounds.
    centre = found.mean(axis=0)
    spread = second[:, :factors, :factors].mean(axis=0) - np.outer(centre, centre)
    root = np.linalg.cholesky(spread + ridge[:factors, :factors])
    return Factors(mean + weights @ centre, weights @ root, noise)
