"""The frozen records that the parts of truecopy hand to each other.

The computing parts (profile, plan, fit, evaluate) produce facts; rules and reports read
nothing else. A fact is plain numbers and strings with a JSON form, so what reads it can be
tested in milliseconds and run again from a file. The one exception is `Examples`, the few
rows that a report shows as pictures: it carries arrays and stays out of the JSON.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_plain(value: Any) -> Any:
    """Turn a record, and all that it holds, into what `json` can write.

    NaN and infinities become None: JSON has no word for them.
    """
    if is_dataclass(value):
        return {f.name: to_plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, np.generic):
        return to_plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


class Record:
    """A frozen dataclass with a JSON form."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain dicts, lists, numbers and strings."""
        plain: dict[str, Any] = to_plain(self)
        return plain

    def to_json(self) -> str:
        """Return the record as an indented JSON document."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class NonFinite(Record):
    """Where the data are NaN or infinite.

    `places` are the first few as (row, feature), counted from 0; a feature is its position
    in the flattened row.
    """

    nan: int = 0
    infinite: int = 0
    places: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Spectrum(Record):
    """How much of the variance the first principal components keep.

    `kept[k]` is the share (0 to 1) kept by the first `widths[k]` components, computed from
    `rows` rows; `exact` says whether these were all the rows there are.
    """

    widths: tuple[int, ...]
    kept: tuple[float, ...]
    rows: int
    exact: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DataFacts(Record):
    """What the data are like, from one pass over the rows.

    `shape` is that of one row. Shares are fractions of all values. `spread` is the standard
    deviation of all values around their common mean; `tails` the median over features of
    the kurtosis (3 for a normal distribution). `levels` is the number of different values,
    None when there are more than are counted. `groups` are the widths of consecutive column
    groups in which every row has exactly one 1 (one-hot), empty when there are none.
    `duplicates` is the number of rows equal to an earlier one, None where it isn't known.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    rows: int
    minimum: float
    maximum: float
    mean: float
    spread: float
    share_zero: float
    share_maximum: float
    share_inside_unit: float
    integers: bool
    binary: bool
    levels: int | None
    non_finite: NonFinite
    constant_features: int
    first_constant: tuple[int, ...]
    row_sums: tuple[float, float]
    tails: float
    groups: tuple[int, ...]
    spectrum: Spectrum | None
    duplicates: int | None = None

    @property
    def features(self) -> int:
        """The number of values in one row."""
        return math.prod(self.shape)


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice(Record):
    """One decision of the plan: what, why in one sentence, and what is right as well."""

    value: str
    reason: str
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnFacts(Record):
    """What a column of a table is like, and its own plan.

    `kind` is one of numeric, count, binary, categorical, ordinal, date; `missing` the share of
    its cells that are. It takes `len(centre)` features, which become (x - offset) / divisor;
    `centre` are their means in scaled units, which stand in for a missing cell on its way in.
    `floor` is the loss of the best constant. `categories` are the values of a binary,
    categorical or ordinal column, in the order of their features or ranks.
    """

    name: str
    kind: str
    because: str
    dtype: str
    missing: float
    output: str
    loss: str
    centre: tuple[float, ...]
    offset: float = 0.0
    divisor: float = 1.0
    floor: float = 1.0
    categories: tuple[Any, ...] = ()

    @property
    def width(self) -> int:
        """How many features it takes."""
        return len(self.centre)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanFacts(Record):
    """What follows from the data: scaling, output activation and loss, each with its reason.

    `kind` is one of bytes, levels, binary, unit, signed-unit, real, counts, one-hot, table;
    a table has a plan for each of its `columns`.
    `target_range` are the bounds of the scaled data, None where there are none;
    `groups` the widths of the softmax groups of a one-hot plan.
    """

    kind: str
    because: str
    scaling: Choice
    output: Choice
    loss: Choice
    target_range: tuple[float, float] | None
    groups: tuple[int, ...] = ()
    columns: tuple[ColumnFacts, ...] = ()

    @property
    def centre(self) -> tuple[float, ...] | None:
        """What stands in for each missing feature of a table, in scaled units; None: no table."""
        means = tuple(value for column in self.columns for value in column.centre)
        return means if self.columns else None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFacts(Record):
    """One training: what was trained, how, and how it went.

    `history` maps each of Keras' logged names to one value per epoch. `loss_floor` is the
    loss of a perfect copy on the training rows (None where it isn't known): the curve can't
    go below it. `stopped` says in words why training ended; `best_epoch` counts from 1 and
    is the epoch whose weights were kept. `schedule` is what `learning_rate` does: 'constant', or
    'cosine': it falls to nearly 0 over the epochs that were asked for. `diverged` says that the
    loss became NaN or infinite; that epoch is not in `history`, and `best_epoch` is 0 if it was the
    first.
    """

    model: str
    latent: int
    parameters: int
    rows: int
    validation_rows: int
    epochs: int
    best_epoch: int
    batch_size: int
    optimizer: str
    learning_rate: float
    noise: str | None
    seed: int
    stopped: str
    seconds: float
    loss_floor: float | None
    history: Mapping[str, tuple[float, ...]]
    versions: Mapping[str, str]
    schedule: str = "constant"
    diverged: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreFacts(Record):
    """One figure about a copy, between its floor and its ceiling.

    `perfect` is the ceiling: the figure of a perfect copy. `baselines` maps blank, constant,
    mean, pca, copy_input, untrained and nearest (the most
    similar of some training rows) to their figures (None where not applicable); `floor`
    is the best of the trivial ones and `floor_from` its name. `skill` is
    (floor - value) / (floor - perfect): 0 = learned nothing, 1 = perfect; None when floor
    and ceiling coincide or the ceiling is infinite; `skill_pca` the same with PCA for the
    floor. `ci95` is a 95 % interval of the value over the rows.
    """

    value: float
    perfect: float
    floor: float
    floor_from: str
    skill: float | None
    skill_pca: float | None = None
    ci95: tuple[float, float]
    higher_is_better: bool
    baselines: Mapping[str, float | None]
    resolves_to: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnScoreFacts(Record):
    """How well one column of a table is copied: mean squared errors in scaled units.

    `floor` is that of the mean of the training rows, `pca` that of PCA of the same width (None
    without one); `skill` is 1 - value / floor, None for a column that never changes. Of a
    categorical column they are means over its one-hot features.
    """

    kind: str
    value: float
    floor: float
    pca: float | None
    skill: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationFacts(Record):
    """How good a copy is: every figure beside its floor and its ceiling.

    `shape` is that of one row; `data_range` the bounds of the scaled data in which all
    figures are given (seen bounds where the data have none). `baselines_from` says on which
    rows the mean image and the PCA were fitted. `explain` says for a score how it comes
    about. `structure` are ranks and variances of copies and latents; `tolerance[k]` is the
    share of values within k grey levels of the target; `classes` is the mean squared error
    of each class, where labels were given; `columns` are the figures of each column of a table.
    `notes` are sentences for the reader.
    """

    model: str
    data: str
    rows: int
    shape: tuple[int, ...]
    data_range: tuple[float, float]
    latent: int | None
    noise: str | None
    baselines_from: str
    scores: Mapping[str, ScoreFacts]
    explain: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    structure: Mapping[str, float | int | None] = field(default_factory=dict)
    tolerance: tuple[float, ...] = ()
    classes: Mapping[str, float] = field(default_factory=dict)
    columns: Mapping[str, ColumnScoreFacts] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class DifferenceFacts(Record):
    """One figure of two models on the same rows, and their difference, first minus second.

    `ci95` is a 95 % interval of the difference over the rows, paired row by row; `better` is
    the name of the model that is better beyond it, None where the interval holds 0.
    """

    first: float
    second: float
    difference: float
    ci95: tuple[float, float]
    better: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparisonFacts(Record):
    """Two models scored on the same rows."""

    first: str
    second: str
    data: str
    rows: int
    differences: Mapping[str, DifferenceFacts]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Example:
    """One row as a report shows it; arrays have the shape of a row, in scaled units."""

    title: str
    row: int
    error: float
    original: NDArray[np.float32]
    noisy: NDArray[np.float32] | None
    reconstruction: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Examples:
    """The rows a report shows, and arrays of errors that it draws.

    `mean_error` is the mean absolute error of each feature over all rows; `row_errors` the mean
    squared errors of some rows, evenly chosen, and `pca_errors` those of the PCA's copies of
    the same rows, empty where there is no PCA. `latents`, shape (those rows, 2), are their latents
    along the two directions in which these vary most, and `latent_shares` the shares of the
    latents' variance along them; both are empty where there is no encoder, or one latent only.
    """

    rows: tuple[Example, ...]
    mean_error: NDArray[np.float64]
    row_errors: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    pca_errors: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    latents: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    latent_shares: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ReportSection:
    """One trained, evaluated or audited model in a report: a heading, sentences, facts, pictures.

    `data`, `plan` and `run` are left out where they are not known; `audit` is the plain form of
    an audit, `outliers` what a detector says of rows (`outlier_facts.OutlierFacts`).
    """

    heading: str
    story: tuple[str, ...] = ()
    data: DataFacts | None = None
    plan: PlanFacts | None = None
    run: RunFacts | None = None
    evaluation: EvaluationFacts | None = None
    examples: Examples | None = None
    audit: Mapping[str, Any] | None = None
    outliers: Record | None = None
