"""Mergeable statistics: the same result for any split of the rows into batches.

Each statistic is a frozen record with `empty_x`, `x_of(batch)` and `merge_x`; updating is
merging with the statistic of one more batch. Everything is float64 and centred before it is
squared, so a large mean with a small spread loses nothing.

Sources: Chan, Golub & LeVeque (1979) for variances and co-moments; Pebay (2008),
Sandia report 2008-6212, for the third and fourth moments.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# The mean of equal numbers, summed pairwise, is off by a few units in the last place.
_ROUNDING = 16 * np.finfo(np.float64).eps


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Count, mean and the sums of the 2nd to 4th powers of the deviations, per feature."""

    count: int
    mean: Floats
    second: Floats
    third: Floats
    fourth: Floats


def empty_moments(features: int) -> Moments:
    """Return the moments of no rows."""
    zeros = np.zeros(features)
    return Moments(0, zeros, zeros, zeros, zeros)


def moments_of(batch: NDArray[np.generic]) -> Moments:
    """Return the moments of one batch of shape (rows, features)."""
    if len(batch) == 0:
        return empty_moments(batch.shape[1])
    rows = np.asarray(batch, np.float64)
    # Less its first row a constant is 0, and no sum of it is rounded.
    first = rows[0]
    shifted = rows - first
    mean = shifted.mean(axis=0)
    deviation = shifted - mean
    square = deviation * deviation
    return Moments(
        len(batch),
        first + mean,
        square.sum(axis=0),
        np.einsum("nf,nf->f", square, deviation),
        np.einsum("nf,nf->f", square, square),
    )


def merge_moments(a: Moments, b: Moments) -> Moments:
    """Return the moments of the rows of `a` and `b` together."""
    if a.count == 0:
        return b
    if b.count == 0:
        return a
    n = a.count + b.count
    d = b.mean - a.mean
    share_a, share_b = a.count / n, b.count / n
    # Pebay (2008), equations 2.1 and following, written with the shares of the two parts.
    second = a.second + b.second + d**2 * (a.count * share_b)
    third = (
        a.third
        + b.third
        + d**3 * (a.count * share_b * (share_a - share_b))
        + 3 * d * (share_a * b.second - share_b * a.second)
    )
    fourth = (
        a.fourth
        + b.fourth
        + d**4 * (a.count * share_b * (share_a**2 - share_a * share_b + share_b**2))
        + 6 * d**2 * (share_a**2 * b.second + share_b**2 * a.second)
        + 4 * d * (share_a * b.third - share_b * a.third)
    )
    return Moments(n, a.mean + d * share_b, second, third, fourth)


def variance(moments: Moments) -> Floats:
    """Return the population variance of each feature (divided by the count).

    What the rounding of the mean alone can cause counts as 0: a constant 0.1 is constant.
    """
    spread: Floats = moments.second / max(moments.count, 1)
    rounding = (_ROUNDING * np.abs(moments.mean)) ** 2
    return np.where(spread > rounding, spread, 0.0)


def skewness(moments: Moments) -> Floats:
    """Return the skewness of each feature (exponential: 2); NaN where it never changes."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Floats = np.sqrt(moments.count) * moments.third / moments.second**1.5
    return ratio


def kurtosis(moments: Moments) -> Floats:
    """Return the kurtosis of each feature (normal: 3); NaN where it never changes."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Floats = moments.count * moments.fourth / moments.second**2
    return ratio


@dataclass(frozen=True, slots=True, eq=False)
class Comoments:
    """Count, mean, and the sums of the products of deviations, per pair of features."""

    count: int
    mean: Floats
    products: Floats


def empty_comoments(features: int) -> Comoments:
    """Return the co-moments of no rows."""
    return Comoments(0, np.zeros(features), np.zeros((features, features)))


def comoments_of(batch: NDArray[np.generic]) -> Comoments:
    """Return the co-moments of one batch of shape (rows, features)."""
    if len(batch) == 0:
        return empty_comoments(batch.shape[1])
    rows = np.asarray(batch, np.float64)
    mean = rows.mean(axis=0)
    deviation = rows - mean
    return Comoments(len(rows), mean, deviation.T @ deviation)


def merge_comoments(a: Comoments, b: Comoments) -> Comoments:
    """Return the co-moments of the rows of `a` and `b` together."""
    if a.count == 0:
        return b
    if b.count == 0:
        return a
    n = a.count + b.count
    d = b.mean - a.mean
    products = a.products + b.products + np.outer(d, d) * (a.count * b.count / n)
    return Comoments(n, a.mean + d * (b.count / n), products)


@dataclass(frozen=True, slots=True)
class Extremes:
    """The smallest and largest value, and how many values are equal to the largest."""

    minimum: float = np.inf
    maximum: float = -np.inf
    at_maximum: int = 0


def extremes_of(values: NDArray[np.generic]) -> Extremes:
    """Return the extremes of one batch of any shape."""
    if values.size == 0:
        return Extremes()
    largest = values.max()
    return Extremes(float(values.min()), float(largest), int((values == largest).sum()))


def merge_extremes(a: Extremes, b: Extremes) -> Extremes:
    """Return the extremes of the values of `a` and `b` together."""
    if a.maximum == b.maximum:
        at_maximum = a.at_maximum + b.at_maximum
    else:
        at_maximum = max((a.maximum, a.at_maximum), (b.maximum, b.at_maximum))[1]
    return Extremes(min(a.minimum, b.minimum), max(a.maximum, b.maximum), at_maximum)
