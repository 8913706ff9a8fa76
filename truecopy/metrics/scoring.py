"""One pass over the rows of a task: all scores, explanations and row errors."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from truecopy.facts import ColumnScoreFacts, PlanFacts, ScoreFacts
from truecopy.metrics.accuracy import resolve_accuracy
from truecopy.metrics.baselines import CONSTANTS
from truecopy.metrics.bounds import refuse_outside
from truecopy.metrics.bridge import Bridge
from truecopy.metrics.catalogue import Metric, suited_derived, suited_metrics
from truecopy.metrics.columns import ColumnScores
from truecopy.metrics.derived import Pool
from truecopy.metrics.errors import mse
from truecopy.metrics.keras_report import KerasAccuracy
from truecopy.metrics.structure import Structure
from truecopy.metrics.tally import Tally, score_between
from truecopy.metrics.task import Task

_UNIT: Final = (0.0, 1.0)
_OUTSIDE: Final = (
    "Both are in scaled units, as the model's training rows were: no cross-entropy, PSNR or SSIM "
    "is defined beyond. Clip the rows, or scale them as those were."
)
# What is looked at in one piece: 4 MB. Rows of 128x128 pixels a thousand at a time, 64 MB for each
# array on the way, took half as long again and 0.7 GB more.
_VALUES: Final = 1 << 20
Copies = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Details:
    """Figures of single rows and features, in scaled units.

    Attributes:
        row_errors: The mean squared error of each row.
        pca_row_errors: That of the PCA's copy of each row; empty without a PCA.
        feature_errors: The mean absolute error of each feature, in the shape of a row.
        feature_r2: The R2 of each feature, in the shape of a row; where the targets don't
            vary, 1 for an exact copy, else 0.
        replicates: Bootstrap replicates of each mean over rows, for paired comparisons.
    """

    row_errors: NDArray[np.float64]
    pca_row_errors: NDArray[np.float64]
    feature_errors: NDArray[np.float64]
    feature_r2: NDArray[np.float64]
    replicates: Mapping[str, NDArray[np.float64]]


class Scoring:
    """What one pass has gathered; `run` makes the pass, the rest reads it.

    Attributes:
        errors: The mean squared error of each row. With that of the PCA, 16 bytes a row are
            all that grows.
        seen_range: The smallest and the largest target.
        known: How many targets equal a row that the baselines were fitted on.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._plan: PlanFacts = task.baselines.units.facts
        self._shape = task.source.shape
        self._accuracy_shape = task.copier.accuracy_shape(self._shape)
        metrics = suited_metrics(self._plan, self._shape)
        self._tallies = [Tally.empty(metric) for metric in metrics]
        features = int(np.prod(self._shape))
        self._at_once = max(1, _VALUES // features)
        self._structure = Structure.empty(features=features, latent=task.copier.encodes)
        self._bridge = Bridge.empty() if self._plan.target_range == _UNIT else None
        self._errors: list[NDArray[np.float64]] = []
        self._pca_errors: list[NDArray[np.float64]] = []
        self._feature_errors = np.zeros(self._shape)
        self._keras_accuracy = KerasAccuracy()
        self._columns = ColumnScores.empty(self._plan.columns)
        self.seen_range = (np.inf, -np.inf)
        self.known = 0

    def run(self) -> "Scoring":
        """Pass over all rows; return itself."""
        # The products of one batch are small: a second thread would spend its time waiting
        # for the next one, which costs as much as working.
        with threadpool_limits(1, user_api="blas"):
            for first, seen, target in self._task.batches():
                self._add(first, seen, target)
        self.errors = np.concatenate(self._errors)
        return self

    def _add(self, first: int, seen: NDArray[Any], target: NDArray[Any]) -> None:
        task = self._task
        if self._plan.target_range is not None:
            refuse_outside(target, self._plan.target_range, hint=_OUTSIDE)
        made = task.copy(seen, first)
        copied = made.rows
        self._keras_accuracy.update(
            task.copier.to_output(target, task.baselines.units), made.output
        )
        copies = {"value": copied, **task.compare(seen, target)}
        self.known += task.baselines.count_known(target)
        for start in range(0, len(target), self._at_once):
            piece = slice(start, start + self._at_once)
            parts = {name: rows[piece] for name, rows in copies.items()}
            latents = None if made.latents is None else made.latents[piece]
            self._tally(first + start, target[piece], parts, latents)

    def _tally(
        self, first: int, target: NDArray[Any], copies: Copies, latents: NDArray[Any] | None
    ) -> None:
        """Add some rows to all figures."""
        baselines = self._task.baselines
        constants = {name: baselines.constant(name, target) for name in CONSTANTS}
        self._tallies = [
            tally.update(
                *self._prepare(
                    tally.metric,
                    target,
                    {**copies, "constant": constants[tally.metric.best_constant]},
                ),
                first_row=first,
            )
            for tally in self._tallies
        ]
        copied = copies["value"]
        self._structure = self._structure.update(target, copied, latents)
        if self._bridge is not None:
            self._bridge = self._bridge.update(target, copied)
        self._columns = self._columns.update(target, copies)
        self._errors.append(mse(target, copied))
        if "pca" in copies:
            self._pca_errors.append(mse(target, copies["pca"]))
        self._feature_errors += np.abs(copied - target).sum(axis=0, dtype=np.float64)
        low, high = self.seen_range
        self.seen_range = (min(low, float(target.min())), max(high, float(target.max())))

    def _prepare(
        self, metric: Metric, target: NDArray[Any], copies: Copies
    ) -> tuple[NDArray[Any], Copies]:
        """Bring rows into the shape or units that a metric is defined in."""
        if metric.name == "keras_accuracy":
            shape = self._accuracy_shape
            return _reshape(target, shape), {n: _reshape(c, shape) for n, c in copies.items()}
        if metric.domain == "counts":
            undo = self._task.baselines.units.scaling.undo
            return undo(target), {name: undo(copy) for name, copy in copies.items()}
        bounds = self._plan.target_range
        if metric.domain in {"image", "large-image"} and bounds not in {None, _UNIT}:
            low, high = bounds or _UNIT
            width = np.float32(high - low)
            return (target - low) / width, {n: (c - low) / width for n, c in copies.items()}
        return target, copies

    def scores(self) -> dict[str, ScoreFacts]:
        """Return every figure between its floor and its ceiling."""
        scores = {tally.metric.name: tally.compute() for tally in self._tallies}
        resolved = resolve_accuracy(self._accuracy_shape)
        scores["keras_accuracy"] = replace(scores["keras_accuracy"], resolves_to=resolved)
        return scores | self._derive(scores["mse"])

    def _derive(self, base: ScoreFacts) -> dict[str, ScoreFacts]:
        """Return the figures that follow from the pooled mean squared error."""
        bounds = self._plan.target_range
        width = None if bounds is None else bounds[1] - bounds[0]
        pool = Pool(width=width, variance=self._structure.variance)
        figures = {"value": base.value, "perfect": base.perfect, **base.baselines}
        derived = {}
        for metric in suited_derived(self._plan):
            own = {n: metric.of(mse, pool) for n, mse in figures.items() if mse is not None}
            low, high = sorted(metric.of(bound, pool) for bound in base.ci95)
            derived[metric.name] = score_between(own, (low, high), higher=metric.higher_is_better)
        return derived

    def details(self) -> Details:
        """Return the figures of single rows and features."""
        means = [tally for tally in self._tallies if tally.metric.pool == "mean"]
        return Details(
            row_errors=self.errors,
            pca_row_errors=np.concatenate(self._pca_errors or [np.zeros(0)]),
            feature_errors=self._feature_errors / len(self.errors),
            feature_r2=self._structure.r2_per_feature().reshape(self._shape),
            replicates={tally.metric.name: tally.replicate_means() for tally in means},
        )

    def structure(self) -> dict[str, float | int | None]:
        """Return ranks and variances of copies and latents."""
        return self._structure.compute()

    def tolerance(self) -> tuple[float, ...]:
        """Return the share of values within k grey levels; empty where there are none."""
        return () if self._bridge is None else self._bridge.compute_tolerance()

    def explain(self, scores: Mapping[str, ScoreFacts]) -> dict[str, dict[str, Any]]:
        """Return for the accuracy and the loss of all `scores` how they come about."""
        accuracy = scores["keras_accuracy"]
        told: dict[str, Any] = {
            "resolves_to": accuracy.resolves_to,
            "last_dimension": self._accuracy_shape[-1],
            "keras_float32": self._keras_accuracy.value,
            "blank": accuracy.baselines["blank"],
            "perfect": accuracy.perfect,
        }
        if self._bridge is None:
            return {"keras_accuracy": told}
        bce = scores["bce"]
        loss = {
            "floor": bce.perfect,
            "excess": bce.value - bce.perfect,
            "excess_by_target": self._bridge.compute_excess(),
        }
        return {"keras_accuracy": told | self._bridge.compute(), "bce": loss}

    def notes(self) -> list[str]:
        """Return what the reader should know before reading an R2 or an interval."""
        notes = []
        if len(self.errors) == 1:
            notes.append("There is one row only: no interval says how other rows would do.")
        if self._structure.variance == 0:
            notes.append(
                "The rows don't vary: r2 is 1 for an exact copy of them and 0 for any other, by "
                "definition."
            )
        return notes

    def columns(self) -> dict[str, ColumnScoreFacts]:
        """Return the figures of each column of a table; empty for other rows."""
        return self._columns.compute()

    def classes(self, labels: NDArray[Any]) -> dict[str, float]:
        """Return the mean squared error of the rows of each label."""
        return {
            str(label): float(self.errors[labels == label].mean()) for label in np.unique(labels)
        }


def _reshape(rows: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    return rows.reshape(len(rows), *shape)
