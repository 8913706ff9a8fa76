"""How good the copy is: every figure beside its floor and its ceiling, in one pass."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.data.noise import Noise, corrupt, parse_noise
from truecopy.data.plan import plan as make_plan
from truecopy.data.profile import profile as make_profile
from truecopy.data.sources import Source, open_source
from truecopy.errors import ModelError, NonFiniteData, ShapeMismatch
from truecopy.facts import EvaluationFacts, Example, Examples, ScoreFacts
from truecopy.metrics.accuracy import resolve_accuracy
from truecopy.metrics.baselines import Baselines, fit_baselines
from truecopy.metrics.catalogue import suited_metrics
from truecopy.metrics.copier import Copier, as_copier
from truecopy.metrics.errors import mse
from truecopy.metrics.tally import Tally, draw_weights
from truecopy.reports.result import Result
from truecopy.reports.terminal import render_evaluation

# A multiple of the noise's and the predictions' blocks, so nothing is drawn or padded twice.
_BATCH: Final = 1024
_EXAMPLES_EACH: Final = 3
NO_NOISE: Final = "none"


class Scorecard(Result):
    """Every figure about a copy, with its floor, its ceiling and its skill.

    `facts` has the figures; `examples` the best, median and worst rows as arrays.
    """

    def __init__(self, facts: EvaluationFacts, examples: Examples) -> None:
        self._facts = facts
        self.examples: Examples = examples

    @property
    def facts(self) -> EvaluationFacts:
        """The figures."""
        return self._facts

    def _render(self) -> Any:
        return render_evaluation(self._facts)


def evaluate(
    model: Any,
    x: Any,
    *,
    target: Any = None,
    train: Any = None,
    noise: str | None = None,
    seed: int = 0,
) -> Scorecard:
    """Score how well `model` copies the rows of `x`.

    Args:
        model: A fitted `Autoencoder`, a Keras model, or a function; the latter two take and
            give scaled rows (bytes as [0, 1]).
        x: The rows to copy, in their own units: an array, a path, a data set's name.
        target: The clean rows, where `x` are noisy ones; None: `x` itself.
        train: The rows on which mean image and PCA are fitted. None: those the
            `Autoencoder` was fitted to, or for other models the evaluated rows themselves,
            which makes the floor a little stricter.
        noise: Corrupts the rows before the model sees them. None: as the `Autoencoder` was
            trained; 'none': no noise.
        seed: Draws the noise; the same seed gives the same noisy rows.

    Returns:
        The scorecard; print it, or read `card.facts.scores["mse"].skill`.

    Raises:
        ShapeMismatch: The rows don't have the shape that the model takes.
        ModelError: The model's output has NaN or infinite values.
        DataError: The data can't be read, or have NaN or infinite values.
    """
    copier = as_copier(model)
    source = open_source(x, owner="evaluate")
    clean = source if target is None else open_source(target, owner="evaluate")
    if clean.shape != source.shape:
        message = f"The targets' rows have shape {clean.shape}, the inputs' {source.shape}."
        raise ShapeMismatch(message)
    baselines = _baselines(model, copier, clean, train)
    if baselines.pca.mean.size != int(np.prod(source.shape)):
        message = (
            f"The rows of {source.name!r} have shape {source.shape}, {int(np.prod(source.shape))} "
            f"values; those the baselines were fitted on have {baselines.pca.mean.size}."
        )
        raise ShapeMismatch(message)
    drawn = None if target is not None else _choose_noise(model, noise, baselines)
    task = _Task(copier, source, clean, baselines, drawn, seed)
    return _score(task)


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """What copies what, compared with what."""

    copier: Copier
    source: Source
    clean: Source
    baselines: Baselines
    noise: Noise | None
    seed: int

    @property
    def corrupted(self) -> bool:
        """Whether the model sees something else than the target."""
        return self.noise is not None or self.clean is not self.source

    def batches(self) -> Iterator[tuple[int, NDArray[np.float32], NDArray[np.float32]]]:
        """Give (first row, what the model sees, target) in scaled units, batch by batch."""
        scaling = self.baselines.units.scaling
        first = 0
        pairs: Iterable[tuple[NDArray[Any], NDArray[Any]]]
        if self.clean is self.source:
            pairs = ((rows, rows) for rows in self.source.batches(_BATCH))
        else:
            pairs = zip(self.source.batches(_BATCH), self.clean.batches(_BATCH), strict=True)
        for rows, clean in pairs:
            if len(rows) != len(clean):
                message = "The inputs and the targets have different numbers of rows."
                raise ShapeMismatch(message)
            _require_finite(rows, first, self.source.name)
            target = scaling.apply(clean)
            seen = target if clean is rows else scaling.apply(rows)
            yield first, self._corrupt(seen, first), target
            first += len(rows)

    def copy(self, seen: NDArray[np.float32], first: int) -> NDArray[Any]:
        """Return the model's copy; refuse one that is not finite."""
        copied = self.copier.copy(seen, self.baselines.units)
        bad = ~np.isfinite(copied).reshape(len(copied), -1).all(axis=1)
        if bad.any():
            message = (
                f"The output of {self.copier.name!r} is NaN or infinite in {int(bad.sum())} of "
                f"{len(bad)} rows, first in row {first + int(bad.argmax())}. Train it again "
                "with a lower learning rate."
            )
            raise ModelError(message)
        return copied

    def _corrupt(self, rows: NDArray[np.float32], first: int) -> NDArray[np.float32]:
        if self.noise is None:
            return rows
        return corrupt(rows, self.noise, seed=self.seed, first_row=first)


def _baselines(model: Any, copier: Copier, clean: Source, train: Any) -> Baselines:
    """Return the baselines: the model's own, or fitted on `train` or the evaluated rows."""
    fitted: Baselines | None = getattr(model, "baselines_", None)
    if train is None and fitted is not None:
        return fitted
    training = clean if train is None else open_source(train, owner="evaluate")
    units = fitted.units if fitted is not None else make_plan(make_profile(training))
    return fit_baselines(training, units, latent=copier.latent or 0)


def _choose_noise(model: Any, noise: str | None, baselines: Baselines) -> Noise | None:
    """Return the noise asked for; by default that which the model was trained with."""
    if noise is None:
        trained: Noise | None = getattr(model, "noise_", None)
        return trained
    if noise == NO_NOISE:
        return None
    return parse_noise(noise, bounds=baselines.units.facts.target_range)


def _score(task: _Task) -> Scorecard:
    tallies = [Tally(metric) for metric in suited_metrics(task.baselines.units.facts)]
    row_errors: list[NDArray[np.float64]] = []
    feature_errors = np.zeros(task.source.shape)
    low, high = np.inf, -np.inf
    shape = task.copier.accuracy_shape(task.source.shape)
    for first, seen, target in task.batches():
        copied = task.copy(seen, first)
        low, high = min(low, float(target.min())), max(high, float(target.max()))
        weights = draw_weights(len(target), block=first // _BATCH)
        own = {"value": copied, "perfect": target}
        if task.corrupted:
            own["copy_input"] = seen
        for tally in tallies:
            copies = own | task.baselines.predict(seen, tally.metric.best_constant)
            if tally.metric.name == "keras_accuracy":
                copies = {name: _reshape(copy, shape) for name, copy in copies.items()}
                tally.update(_reshape(target, shape), copies, weights)
            else:
                tally.update(target, copies, weights)
        row_errors.append(mse(target, copied))
        feature_errors += np.abs(copied - target).sum(axis=0, dtype=np.float64)
    errors = np.concatenate(row_errors)
    scores = {tally.metric.name: tally.compute() for tally in tallies}
    resolved = resolve_accuracy(shape)
    scores["keras_accuracy"] = replace(scores["keras_accuracy"], resolves_to=resolved)
    facts = _facts(task, scores, rows=len(errors), seen_range=(low, high))
    return Scorecard(facts, _examples(task, errors, feature_errors / len(errors)))


def _facts(
    task: _Task,
    scores: dict[str, ScoreFacts],
    *,
    rows: int,
    seen_range: tuple[float, float],
) -> EvaluationFacts:
    units = task.baselines.units.facts
    notes = [f"Figures are in scaled units (scaling: {units.scaling.value})."]
    if units.target_range is not None and not _within(seen_range, units.target_range):
        notes.append(
            f"The rows span [{seen_range[0]:g}, {seen_range[1]:g}] in scaled units, beyond the "
            f"training rows' [{units.target_range[0]:g}, {units.target_range[1]:g}]."
        )
    accuracy = scores["keras_accuracy"]
    return EvaluationFacts(
        model=task.copier.name,
        data=task.source.name,
        rows=rows,
        shape=task.source.shape,
        data_range=units.target_range or seen_range,
        latent=task.copier.latent,
        noise=None if task.noise is None else str(task.noise),
        baselines_from=task.baselines.fitted_on,
        scores=scores,
        explain={
            "keras_accuracy": {
                "resolves_to": accuracy.resolves_to,
                "blank": accuracy.baselines["blank"],
                "perfect": accuracy.perfect,
            }
        },
        notes=tuple(notes),
    )


def _examples(
    task: _Task, errors: NDArray[np.float64], mean_error: NDArray[np.float64]
) -> Examples:
    """Fetch the best, median and worst rows in a second pass that copies only them."""
    order = np.argsort(errors, kind="stable")
    count = min(_EXAMPLES_EACH, len(order))
    middle = max(0, len(order) // 2 - count // 2)
    wanted = {
        "best": order[:count],
        "median": order[middle : middle + count],
        "worst": order[-count:][::-1],
    }
    titles = {int(row): title for title, rows in wanted.items() for row in rows}
    found: dict[int, Example] = {}
    for first, seen, target in task.batches():
        chosen = [row for row in titles if first <= row < first + len(target)]
        if not chosen:
            continue
        inside = np.array(chosen) - first
        copied = task.copy(seen[inside], first)
        for row, position, copy in zip(chosen, inside, copied, strict=True):
            found[row] = Example(
                title=titles[row],
                row=row,
                error=float(errors[row]),
                original=target[position],
                noisy=seen[position] if task.corrupted else None,
                reconstruction=np.asarray(copy, np.float32),
            )
    rows = tuple(found[int(row)] for rows in wanted.values() for row in rows)
    return Examples(rows=rows, mean_error=mean_error)


def _reshape(rows: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    return rows.reshape(len(rows), *shape)


def _within(inner: tuple[float, float], outer: tuple[float, float]) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _require_finite(rows: NDArray[Any], first: int, name: str) -> None:
    if rows.dtype.kind != "f" or np.isfinite(rows).all():
        return
    row, feature = np.argwhere(~np.isfinite(rows.reshape(len(rows), -1)))[0]
    message = (
        f"The data {name!r} have NaN or infinite values, first in row {first + int(row)} "
        f"feature {int(feature)}. Remove these rows or fill the values in."
    )
    raise NonFiniteData(message)
