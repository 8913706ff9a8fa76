"""Running sums of every metric for the model and for each baseline, batch by batch.

Memory does not grow with the rows: means are summed in float64, and their intervals come
from a Poisson bootstrap, in which each row counts a Poisson(1) number of times in each
replicate (Chamandy et al. 2012, "Estimating uncertainty for massive data streams").
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.facts import ScoreFacts
from truecopy.metrics.catalogue import Metric

_REPLICATES: Final = 1_000
_INTERVAL: Final = (2.5, 97.5)
# Copies that learned nothing; the best of them is the floor.
TRIVIAL: Final = ("blank", "constant", "mean", "copy_input")
BASELINES: Final = ("blank", "constant", "mean", "pca", "copy_input", "untrained")


class Tally:
    """The sums of one metric over the rows seen so far."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self._rows = 0
        self._sums: dict[str, float] = {}
        self._replicates = np.zeros(_REPLICATES)
        self._weights = np.zeros(_REPLICATES)

    def update(
        self,
        target: NDArray[Any],
        copies: dict[str, NDArray[Any]],
        weights: NDArray[np.float64],
    ) -> None:
        """Add one batch.

        Args:
            target: Scaled rows, shape (rows, ...).
            copies: 'value' (the model's), 'perfect', and the baselines' copies.
            weights: Bootstrap weights, shape (replicates, rows).
        """
        self._rows += len(target)
        for name, copy in copies.items():
            values = self.metric.rows(target, copy)
            self._sums[name] = self._sums.get(name, 0.0) + float(values.sum())
            if name == "value":
                self._replicates += weights @ values
                self._weights += weights.sum(axis=1)

    def compute(self) -> ScoreFacts:
        """Return the figure between its floor and its ceiling."""
        means = {name: total / self._rows for name, total in self._sums.items()}
        value, perfect = means["value"], means["perfect"]
        choose = max if self.metric.higher_is_better else min
        floor_from = choose((n for n in TRIVIAL if n in means), key=lambda name: means[name])
        floor = means[floor_from]
        skill = (floor - value) / (floor - perfect) if floor != perfect else None
        drawn = self._weights > 0
        replicates = self._replicates[drawn] / self._weights[drawn]
        low, high = np.percentile(replicates, _INTERVAL)
        return ScoreFacts(
            value=value,
            perfect=perfect,
            floor=floor,
            floor_from=floor_from,
            skill=skill,
            ci95=(float(low), float(high)),
            higher_is_better=self.metric.higher_is_better,
            baselines={name: means.get(name) for name in BASELINES},
        )


def draw_weights(rows: int, *, block: int) -> NDArray[np.float64]:
    """Return bootstrap weights (replicates, rows) for the rows of block number `block`."""
    generator = np.random.default_rng([0, block])
    return generator.poisson(1.0, (_REPLICATES, rows)).astype(np.float64)
