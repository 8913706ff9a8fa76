"""The metrics there are, and which of them suit which data.

Each is a function of targets and predictions of shape (rows, ...), in scaled units, that
gives one number per row; the figure reported is the mean over rows. Its docstring is its
page in `truecopy explain`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from truecopy.facts import PlanFacts
from truecopy.metrics.accuracy import classic_accuracy, keras_accuracy
from truecopy.metrics.derived import DERIVED, DerivedMetric
from truecopy.metrics.errors import mae, max_error, mse
from truecopy.metrics.images import ms_ssim, psnr, ssim
from truecopy.metrics.likelihoods import (
    bce,
    bce_excess,
    cross_entropy,
    gaussian_nll,
    poisson_deviance,
)
from truecopy.metrics.pixels import (
    exact_match,
    exact_match_truncated,
    perfect_rows,
    within_area,
)

RowMetric = Callable[[NDArray[Any], NDArray[Any]], NDArray[np.float64]]
# What a metric is defined on: any data, values in [0, 1], counts, one-hot rows, or images
# within bounds.
Domain = Literal["any", "unit", "counts", "one-hot", "image", "large-image"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """A metric, its direction, and which constant is the best constant for it.

    `pool` says how the rows' figures become one: by their mean, or their maximum.
    """

    rows: RowMetric
    higher_is_better: bool
    best_constant: Literal["mean", "median", "mode", "middle", "end", "raw_mean"]
    domain: Domain = "any"
    pool: Literal["mean", "max"] = "mean"

    @property
    def name(self) -> str:
        """The name of the metric: that of its function."""
        return self.rows.__name__


_METRICS: Final = (
    Metric(rows=mse, higher_is_better=False, best_constant="mean"),
    Metric(rows=mae, higher_is_better=False, best_constant="median"),
    Metric(rows=max_error, higher_is_better=False, best_constant="middle", pool="max"),
    Metric(rows=bce, higher_is_better=False, best_constant="mean", domain="unit"),
    Metric(rows=bce_excess, higher_is_better=False, best_constant="mean", domain="unit"),
    Metric(
        rows=poisson_deviance, higher_is_better=False, best_constant="raw_mean", domain="counts"
    ),
    Metric(rows=cross_entropy, higher_is_better=False, best_constant="mean", domain="one-hot"),
    Metric(rows=psnr, higher_is_better=True, best_constant="mean", domain="image"),
    Metric(rows=ssim, higher_is_better=True, best_constant="mean", domain="image"),
    Metric(rows=ms_ssim, higher_is_better=True, best_constant="mean", domain="large-image"),
    Metric(rows=keras_accuracy, higher_is_better=True, best_constant="end"),
    Metric(rows=classic_accuracy, higher_is_better=True, best_constant="end", domain="unit"),
    Metric(rows=exact_match, higher_is_better=True, best_constant="mode", domain="unit"),
    Metric(rows=exact_match_truncated, higher_is_better=True, best_constant="mode", domain="unit"),
    Metric(rows=within_area, higher_is_better=True, best_constant="median", domain="unit"),
    Metric(rows=perfect_rows, higher_is_better=True, best_constant="mode", domain="unit"),
)

METRICS: Final = {metric.name: metric for metric in _METRICS}
# The function behind each metric's name: its docstring is its page.
PAGES: Final[dict[str, Callable[..., Any]]] = {
    **{metric.name: metric.rows for metric in _METRICS},
    **{metric.name: metric.of for metric in DERIVED},
    "gaussian_nll": gaussian_nll,  # for who knows the scale: no scorecard has it
}


# MS-SSIM halves an image four times, and its window of 11 must still fit.
_MS_SSIM_SIDE: Final = 176
# The smallest window of SSIM.
_SSIM_SIDE: Final = 3


def suited_metrics(plan: PlanFacts, shape: tuple[int, ...]) -> tuple[Metric, ...]:
    """Return the metrics over rows that are defined on rows of this plan and shape."""
    domains: set[Domain] = {"any"}
    pictures = len(shape) in {2, 3} and min(shape[:2]) >= _SSIM_SIDE and plan.kind != "one-hot"
    if plan.target_range is not None and pictures:
        domains.add("image")
        if min(shape[:2]) >= _MS_SSIM_SIDE:
            domains.add("large-image")
    if plan.target_range == (0.0, 1.0):
        domains.add("unit")
    if plan.kind in {"counts", "one-hot"}:
        domains.add("counts" if plan.kind == "counts" else "one-hot")
    return tuple(metric for metric in _METRICS if metric.domain in domains)


def suited_derived(plan: PlanFacts) -> tuple[DerivedMetric, ...]:
    """Return the metrics of the pooled MSE that are defined on data of this plan."""
    bounded = plan.target_range is not None
    return tuple(metric for metric in DERIVED if bounded or not metric.bounded_only)
