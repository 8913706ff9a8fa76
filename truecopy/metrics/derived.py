"""Figures that follow from the mean squared error of a whole data set: RMSE, PSNR, R2.

They are not means over rows, so they are computed from the pooled MSE, and their floors,
ceilings and intervals from those of the MSE.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Pool:
    """What the formulas need of the data: the width of their range, and their variance.

    `variance` is that of the evaluated rows around their own mean image, averaged over
    features.
    """

    width: float | None
    variance: float


def rmse(mse: float, pool: Pool) -> float:
    """Root of the mean squared error, in scaled units; 0 is a perfect copy.

    Formula: sqrt(mse), of all values together.

    Lower is better. Floor: the mean image has the standard deviation of the data. It hides
    what mse hides; it is only easier to read.

    Source: textbook; equals `sklearn.metrics.root_mean_squared_error` on all values.

    Example:
        >>> rmse(0.25, Pool(width=1, variance=1))
        0.5
    """
    del pool
    return math.sqrt(mse)


def psnr_pooled(mse: float, pool: Pool) -> float:
    """Peak signal-to-noise ratio in dB of all values together; infinite for a perfect copy.

    Formula: 10 log10(width^2 / mse), with width that of the data range (1 for [0, 1]).

    Higher is better. Floor: the mean image. It hides which rows are bad; `psnr`, the mean of
    the rows' own ratios, is higher, because a logarithm favours the good rows.

    Source: textbook; equals `skimage.metrics.peak_signal_noise_ratio` on all values.

    Example:
        >>> psnr_pooled(0.01, Pool(width=1, variance=1))
        20.0
    """
    if mse == 0 or pool.width is None:
        return math.inf
    return 10 * math.log10(pool.width**2 / mse)


def r2(mse: float, pool: Pool) -> float:
    """Coefficient of determination: the share of the variance that the copy explains.

    Formula: 1 - mse / variance, with the variance of the evaluated rows around their own mean
    image, pooled over features. Where nothing varies it is 1 for a perfect copy, else 0.

    Higher is better. Floor: the mean image of these very rows has 0, that of the training
    rows a little less. It hides which features are explained: see the R2 per feature.

    Source: equals `sklearn.metrics.r2_score` with multioutput="variance_weighted" where every
    feature varies; errors in constant features count here, and are left out there.

    Example:
        >>> r2(0.25, Pool(width=None, variance=1.0))
        0.75
    """
    if pool.variance == 0:
        return 1.0 if mse == 0 else 0.0
    return 1 - mse / pool.variance


@dataclass(frozen=True, kw_only=True, slots=True)
class DerivedMetric:
    """A figure computed from the pooled MSE, and its direction."""

    of: Callable[[float, Pool], float]
    higher_is_better: bool
    bounded_only: bool = False

    @property
    def name(self) -> str:
        """The name of the metric: that of its function."""
        return self.of.__name__


DERIVED: Final = (
    DerivedMetric(of=rmse, higher_is_better=False),
    DerivedMetric(of=psnr_pooled, higher_is_better=True, bounded_only=True),
    DerivedMetric(of=r2, higher_is_better=True),
)
