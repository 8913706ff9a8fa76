"""Running sums of every metric for the model and for each baseline, in any order.

Memory does not grow with the rows: a `Tally` holds the sum over rows of one metric, for the
model's copy and for each baseline's, in float64; tallies merge. Intervals come from a Poisson
bootstrap, in which each row counts a Poisson(1) number of times in each replicate (Chamandy
et al. 2012, "Estimating uncertainty for massive data streams"). How often depends on the
row's number alone, so that any split of the rows into batches gives the same interval.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from truecopy.facts import ScoreFacts
from truecopy.metrics.catalogue import Metric

Copies = Mapping[str, NDArray[Any]]
Floats = NDArray[np.float64]

_REPLICATES: Final = 1_000
_INTERVAL: Final = (2.5, 97.5)
_BLOCK: Final = 1024
# How often a row counts, for each value of 16 random bits: the inverse of the cumulative
# distribution exp(-1) sum(1 / k!), cut where it is 1 to 16 bits.
_POISSON: Final = np.searchsorted(
    np.cumsum([math.exp(-1) / math.factorial(k) for k in range(9)]),
    (np.arange(1 << 16) + 0.5) / (1 << 16),
).astype(np.uint8)
# Copies that learned nothing; the best of them is the floor.
TRIVIAL: Final = ("blank", "constant", "mean", "copy_input")
BASELINES: Final = ("blank", "constant", "mean", "pca", "copy_input", "untrained", "nearest")


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """One metric over the rows seen so far.

    Attributes:
        metric: What is summed.
        rows: How many rows were seen.
        totals: The sum over rows (the maximum for `max_error`) for the model's copy
            ('value'), the perfect one, and each baseline's.
        replicates: The bootstrap's weighted sums of the model's figure, (replicates,).
        weights: The bootstrap's sums of weights, (replicates,).
    """

    metric: Metric
    rows: int
    totals: Mapping[str, float]
    replicates: Floats
    weights: Floats

    @classmethod
    def empty(cls, metric: Metric) -> Self:
        """Return the tally of no rows."""
        return cls(metric, 0, {}, np.zeros(_REPLICATES), np.zeros(_REPLICATES))

    def update(self, target: NDArray[Any], copies: Copies, *, first_row: int) -> Self:
        """Return the tally with one batch more.

        Args:
            target: Scaled rows, shape (rows, ...).
            copies: 'value' (the model's), 'perfect', and the baselines' copies.
            first_row: The number of the batch's first row in the data set.
        """
        pool = np.max if self.metric.pool == "max" else np.sum
        values = {name: self.metric.rows(target, copy) for name, copy in copies.items()}
        weights, drawn = draw_weights(first_row, len(target))
        own = values["value"]
        # An infinite figure, as the PSNR of an exact copy, makes every mean infinite.
        replicates = own @ weights if np.isfinite(own).all() else np.full(_REPLICATES, np.inf)
        batch = type(self)(
            self.metric,
            len(target),
            {name: float(pool(rows)) for name, rows in values.items()},
            replicates,
            drawn,
        )
        return self.merge(batch)

    def merge(self, other: Self) -> Self:
        """Return the tally of the rows of both."""
        if not self.rows or not other.rows:
            return self if self.rows else other
        join: Callable[[float, float], float] = max if self.metric.pool == "max" else _add
        return replace(
            self,
            rows=self.rows + other.rows,
            totals={name: join(self.totals[name], other.totals[name]) for name in self.totals},
            replicates=self.replicates + other.replicates,
            weights=self.weights + other.weights,
        )

    def compute(self) -> ScoreFacts:
        """Return the figure between its floor and its ceiling."""
        if self.metric.pool == "max":
            value = self.totals["value"]
            return score_between(dict(self.totals), (value, value), higher=False)
        means = {name: total / self.rows for name, total in self.totals.items()}
        interval = find_interval(self.replicate_means())
        return score_between(means, interval, higher=self.metric.higher_is_better)

    def replicate_means(self) -> Floats:
        """Return the model's figure in each replicate of the bootstrap, (replicates,).

        Two models tallied on the same rows have the same weights: their replicates are paired.
        """
        # With a few rows a replicate can be empty: it says as much as the rows themselves.
        mean = self.totals["value"] / self.rows
        empty = np.full_like(self.replicates, mean)
        return np.divide(self.replicates, self.weights, out=empty, where=self.weights > 0)


def find_interval(replicates: Floats) -> tuple[float, float]:
    """Return the 95 % percentile interval of bootstrap replicates."""
    if np.isinf(replicates).all():  # an infinite mean: `percentile` would subtract infinities
        return float(replicates[0]), float(replicates[-1])
    low, high = np.percentile(replicates, _INTERVAL)
    return float(low), float(high)


def score_between(
    figures: Mapping[str, float], ci95: tuple[float, float], *, higher: bool
) -> ScoreFacts:
    """Put a figure between its floor and its ceiling.

    Args:
        figures: The figure of the model ('value'), of the perfect copy and of baselines.
        ci95: The interval of the value.
        higher: Whether higher is better.
    """
    value, perfect = figures["value"], figures["perfect"]
    choose = max if higher else min
    floor_from = choose((n for n in TRIVIAL if n in figures), key=lambda name: figures[name])
    pca = figures.get("pca")
    return ScoreFacts(
        value=value,
        perfect=perfect,
        floor=figures[floor_from],
        floor_from=floor_from,
        skill=measure_skill(value, figures[floor_from], perfect),
        skill_pca=None if pca is None else measure_skill(value, pca, perfect),
        ci95=ci95,
        higher_is_better=higher,
        baselines={name: figures.get(name) for name in BASELINES},
    )


def measure_skill(value: float, floor: float, perfect: float) -> float | None:
    """Return (floor - value) / (floor - perfect); None where floor and ceiling coincide.

    Also None where the ceiling is infinite, as that of PSNR is: no copy is any part of the
    way there.
    """
    if floor == perfect or not math.isfinite(perfect) or not math.isfinite(value):
        return None
    return (floor - value) / (floor - perfect) + 0.0  # no -0


@lru_cache(maxsize=2)  # all metrics of a batch ask for the same rows
def draw_weights(first_row: int, rows: int) -> tuple[Floats, Floats]:
    """Return bootstrap weights (rows, replicates) of consecutive rows, and their sums."""
    blocks = range(first_row // _BLOCK, -(-(first_row + rows) // _BLOCK))
    drawn = np.concatenate([_draw_block(block) for block in blocks])
    start = first_row - blocks.start * _BLOCK
    weights = drawn[start : start + rows].astype(np.float64)
    return weights, weights.sum(axis=0)


@lru_cache(maxsize=1)  # rows of one block may come in pieces
def _draw_block(block: int) -> NDArray[np.uint8]:
    """Return Poisson(1) weights of the rows of one block.

    By looking 16 random bits up in the inverted distribution: its chances are then good to
    1 in 65,536, and the draw takes a tenth of the time of `Generator.poisson`.
    """
    generator = np.random.default_rng([0, block])
    bits = generator.integers(0, 1 << 16, (_BLOCK, _REPLICATES), dtype=np.uint16)
    weights: NDArray[np.uint8] = _POISSON[bits]
    return weights


def _add(a: float, b: float) -> float:
    return a + b
