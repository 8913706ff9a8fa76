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
from truecopy.metrics.accuracy import keras_accuracy
from truecopy.metrics.errors import mae, mse
from truecopy.metrics.likelihoods import bce
from truecopy.metrics.pixels import exact_match

RowMetric = Callable[[NDArray[Any], NDArray[Any]], NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """A metric, its direction, and which constant is the best constant for it.

    `unit_only` metrics need values in [0, 1].
    """

    rows: RowMetric
    higher_is_better: bool
    best_constant: Literal["mean", "median", "mode"]
    unit_only: bool = False

    @property
    def name(self) -> str:
        """The name of the metric: that of its function."""
        return self.rows.__name__


_METRICS: Final = (
    Metric(rows=mse, higher_is_better=False, best_constant="mean"),
    Metric(rows=mae, higher_is_better=False, best_constant="median"),
    Metric(rows=bce, higher_is_better=False, best_constant="mean", unit_only=True),
    Metric(rows=keras_accuracy, higher_is_better=True, best_constant="mode"),
    Metric(rows=exact_match, higher_is_better=True, best_constant="mode", unit_only=True),
)

METRICS: Final = {metric.name: metric for metric in _METRICS}


def suited_metrics(plan: PlanFacts) -> tuple[Metric, ...]:
    """Return the metrics that are defined on data of this plan."""
    unit = plan.target_range == (0.0, 1.0)
    return tuple(metric for metric in _METRICS if unit or not metric.unit_only)
