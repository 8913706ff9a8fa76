"""How good the copy is: every figure beside its floor and its ceiling, in one pass."""

from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.data.noise import Noise, check_seed, parse_noise
from truecopy.data.plan import plan as make_plan
from truecopy.data.profile import profile as make_profile
from truecopy.data.sources import Source, open_source
from truecopy.errors import InvalidArgument, ShapeMismatch
from truecopy.facts import EvaluationFacts, Examples, ScoreFacts
from truecopy.metrics.baselines import Baselines, fit_baselines
from truecopy.metrics.copier import Copier, as_copier
from truecopy.metrics.examples import pick_examples
from truecopy.metrics.scoring import Details, Scoring
from truecopy.metrics.task import Task
from truecopy.models.opening import open_model
from truecopy.reports.result import Result
from truecopy.reports.terminal import render_evaluation

NO_NOISE: Final = "none"
# Rows on which a bare model's units are found out.
_SAMPLE_ROWS: Final = 256


class Scorecard(Result):
    """Every figure about a copy, with its floor, its ceiling and its skill.

    Attributes:
        facts: The figures.
        examples: The best, median and worst rows as arrays.
        details: Errors of single rows and features, and bootstrap replicates, as arrays.
    """

    def __init__(self, facts: EvaluationFacts, examples: Examples, details: Details) -> None:
        self._facts = facts
        self.examples: Examples = examples
        self.details = details

    @property
    def facts(self) -> EvaluationFacts:
        """The figures."""
        return self._facts

    @property
    def row_errors(self) -> NDArray[np.float64]:
        """The mean squared error of each row, in scaled units."""
        return self.details.row_errors

    def _render(self) -> Any:
        return render_evaluation(self._facts)


def evaluate(
    model: Any,
    x: Any,
    *,
    target: Any = None,
    train: Any = None,
    labels: Any = None,
    noise: str | None = None,
    seed: int = 0,
) -> Scorecard:
    """Score how well `model` copies the rows of `x`.

    Args:
        model: A fitted `Autoencoder`, a Keras model, a list of Keras models (encoder,
            decoder), the path of a run folder or a .keras file, or a function. All but an
            `Autoencoder` and its folder take and give scaled rows (bytes as [0, 1]).
        x: The rows to copy, in their own units: an array, a path, a data set's name.
        target: The clean rows, where `x` are noisy ones; None: `x` itself.
        train: The rows on which mean image and PCA are fitted. None: the `Autoencoder`'s own
            training rows, or for other models the evaluated rows themselves, which makes the
            floor a little stricter.
        labels: The class of each row, shape (rows,), for the error of each class. None: those
            that come with the data, if any.
        noise: Corrupts the rows before the model sees them. None: as the `Autoencoder` was
            trained; 'none': no noise.
        seed: Draws the noise; the same seed gives the same noisy rows.

    Returns:
        The scorecard; print it, or read `card.facts.scores["mse"].skill`.

    Raises:
        ShapeMismatch: The rows don't have the shape that the model takes.
        InvalidArgument: There are more or fewer labels than rows, or noise as well as a target.
        ModelError: The model's output has NaN or infinite values, or it can't be loaded.
        DataError: The data can't be read, have NaN or infinite values, or reach beyond the
            bounds of the data that the model was made for.
    """
    check_seed(seed, "evaluate")
    if target is not None and noise not in {None, NO_NOISE}:
        must_be = "None where a target is given: the rows are the noisy ones then"
        raise InvalidArgument("noise", "evaluate", must_be, got=noise)
    if isinstance(model, str | PathLike):
        model = open_model(Path(model))
    source = _open(model, x)
    clean = source if target is None else _open(model, target)
    if clean.shape != source.shape:
        message = f"The targets' rows have shape {clean.shape}, the inputs' {source.shape}."
        raise ShapeMismatch(message)
    given = source.labels if labels is None else labels
    if source.rows is not None:  # else only the pass tells
        _check_labels(given, source.rows)
    task = _make_task(model, source, clean, train=train, noise=noise, seed=seed)
    scoring = Scoring(task).run()
    given = _check_labels(given, len(scoring.errors))
    details = scoring.details()
    return Scorecard(_facts(task, scoring, given), pick_examples(task, details), details)


def _open(model: Any, data: Any) -> Source:
    """Open rows; an `Autoencoder` knows how to read the columns of its table."""
    opener = getattr(model, "open_scorable", None)
    return open_source(data, owner="evaluate") if opener is None else opener(data)


def _make_task(
    model: Any, source: Source, clean: Source, *, train: Any, noise: str | None, seed: int
) -> Task:
    copier = as_copier(model)
    baselines = _baselines(model, copier, clean, train)
    features = int(np.prod(source.shape))
    if baselines.pca.mean.size != features:
        message = (
            f"The rows of {source.name!r} have shape {source.shape}, {features} values; those "
            f"the baselines were fitted on have {baselines.pca.mean.size}."
        )
        raise ShapeMismatch(message)
    copier.settle_units(next(source.batches(_SAMPLE_ROWS)), baselines.units)
    drawn = None if clean is not source else _choose_noise(model, noise, baselines)
    own = train is None and getattr(model, "baselines_", None) is None
    return Task(copier, copier.untrained(), source, clean, baselines, drawn, seed, own_floor=own)


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


def _check_labels(labels: Any, rows: int) -> NDArray[Any] | None:
    if labels is None:
        return None
    given = np.asarray(labels)
    if given.shape != (rows,):
        must_be = f"one label per row, shape ({rows},)"
        raise InvalidArgument("labels", "evaluate", must_be, got=given.shape)
    return given


def recommend_pca(mse: ScoreFacts) -> list[str]:
    """Return a sentence for the reader where PCA of the same width copies better; else nothing."""
    pca = mse.baselines.get("pca")
    if pca is None or mse.value <= pca:
        return []
    told = (
        f"PCA of the same width copies these rows better (mean squared error {pca:.3g}, this "
        f"model {mse.value:.3g}): use PCA, or train longer or on more rows."
    )
    return [told]


def _facts(task: Task, scoring: Scoring, labels: NDArray[Any] | None) -> EvaluationFacts:
    units, seen = task.baselines.units.facts, scoring.seen_range
    scaling = f"Figures are in scaled units (scaling: {units.scaling.value})."
    notes = [scaling, *scoring.notes()]
    if task.copier.note:
        notes.append(task.copier.note)
    if scoring.known and not task.own_floor:
        notes.append(
            f"{scoring.known:,} of {len(scoring.errors):,} rows equal one of the training rows: "
            "on them it is not told how well other rows are copied."
        )
    if task.source.skipped:
        left_out = len(task.source.skipped)
        notes.append(f"{left_out:,} files of the folder were skipped: they can't be taken.")
    scores, rows = scoring.scores(), len(scoring.errors)
    notes += recommend_pca(scores["mse"])
    return EvaluationFacts(
        model=task.copier.name,
        data=task.source.name,
        rows=rows,
        shape=task.source.shape,
        data_range=units.target_range or seen,
        latent=task.copier.latent,
        noise=None if task.noise is None else str(task.noise),
        baselines_from=task.baselines.fitted_on,
        scores=scores,
        explain=scoring.explain(scores),
        structure=scoring.structure(),
        tolerance=scoring.tolerance(),
        classes={} if labels is None else scoring.classes(labels),
        columns=scoring.columns(),
        notes=tuple(notes),
    )
