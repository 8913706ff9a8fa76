"""What an estimator is given, checked as scikit-learn's users expect and opened as rows.

Names and number of the columns must be those seen in `fit`. scikit-learn's own verbs refuse
columns in another order, as its estimators all do; ours (`reconstruct`, `encode`) and the
command line put them in order by name.
"""

import os
from collections.abc import Iterator
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import validate_data

from truecopy.data.frame_chunks import FilledSource, path_of
from truecopy.data.frames import UNSEEN, Table
from truecopy.data.mixed import find_table, open_table
from truecopy.data.source import Source, SubsetSource
from truecopy.data.sources import open_source
from truecopy.errors import InvalidArgument, ShapeMismatch, UnknownName, UnsafeData
from truecopy.facts import PlanFacts


@final
class OrderedSource(Source):
    """The rows of a table with its columns in another order."""

    def __init__(self, source: Source, columns: tuple[str, ...]) -> None:
        given = {name: position for position, name in enumerate(source.columns or ())}
        self._order = [given[name] for name in columns]
        self._source = source
        self.name, self.columns, self.rows = source.name, columns, source.rows
        self.shape, self.dtype, self.labels = source.shape, source.dtype, source.labels

    def chunks(self, size: int) -> Iterator[NDArray[Any]]:
        """Put the columns of each piece in order."""
        for rows in self._source.batches(size):
            yield rows[:, self._order]


def open_training(estimator: Any, data: Any) -> Source:
    """Open the rows to fit `estimator` on; keep the number of features and their names.

    A table with columns of several kinds, or with missing cells, gets a plan for each column:
    it is then kept as `table_`, and the rows are its features, NaN where a cell is missing.

    Raises:
        DataError: The data can't be read, or a column can't be used.
        InvalidArgument: Columns are named, but the data are no table.
    """
    check_columns(estimator)
    validate_data(estimator, data, reset=True, skip_check_array=True, ensure_2d=False)
    owner = type(estimator).__name__
    found = find_table(
        data,
        categorical=estimator.categorical,
        ignore=estimator.ignore,
        unseen=estimator.unseen,
        owner=owner,
    )
    estimator.table_ = None if found is None else found.table
    source = open_source(_as_numbers(data), owner=f"{owner}.fit") if found is None else found.rows
    estimator.sequence_ = source.sequence
    names = source.columns if found is None else found.names
    estimator.n_features_in_ = int(np.prod(source.shape)) if names is None else len(names)
    # A frame's have been kept above, unless they are numbers: scikit-learn takes words only.
    if names is not None and path_of(data) is not None:
        estimator.feature_names_in_ = np.array(names, object)
    return source


def check_columns(estimator: Any) -> None:
    """Refuse settings of columns that are not what they must be.

    Raises:
        InvalidArgument: One is not.
    """
    owner = type(estimator).__name__
    for argument in ("categorical", "ignore"):
        got = getattr(estimator, argument)
        named = isinstance(got, list | tuple | set | frozenset)
        if not named or not all(isinstance(name, str) for name in got):
            raise InvalidArgument(argument, owner, "a list of names of columns", got=got)
    if estimator.unseen not in UNSEEN:
        raise UnknownName("unseen", owner, list(UNSEEN), got=str(estimator.unseen))


def describe_inputs(estimator: Any) -> dict[str, Any]:
    """Return, for the run folder, what a fitted estimator knows of its inputs' columns."""
    names, table = getattr(estimator, "feature_names_in_", None), estimator.table_
    inputs: dict[str, Any] = {"names": None if names is None else list(names)}
    if table is not None:
        inputs |= {"ignore": list(table.ignored), "unseen": table.unseen}
    return inputs


def restore_inputs(
    estimator: Any, inputs: dict[str, Any], plan: PlanFacts, *, features: int
) -> None:
    """Give a loaded estimator what `describe_inputs` wrote."""
    names = inputs.get("names")
    estimator.n_features_in_ = features
    if names is not None:
        estimator.feature_names_in_ = np.array(names, object)
        estimator.n_features_in_ = len(names)
    estimator.table_ = None
    if plan.columns:
        estimator.ignore, estimator.unseen = tuple(inputs["ignore"]), inputs["unseen"]
        estimator.table_ = Table(plan.columns, estimator.ignore, estimator.unseen)


def open_like_training(
    estimator: Any, data: Any, shape: tuple[int, ...], *, strict: bool
) -> Source:
    """Open rows for the fitted `estimator`, whose rows have `shape`.

    Args:
        estimator: Knows the names of its columns, if they had any.
        data: All that `fit` takes.
        shape: The shape of one row.
        strict: Refuse a frame's columns in another order, as scikit-learn does; else put
            them in order by name.

    Raises:
        ShapeMismatch: The rows have another shape, or other columns.
        ValueError: A frame's columns are in another order, where `strict`.
    """
    if strict and not isinstance(data, str | os.PathLike | Source):
        validate_data(estimator, data, reset=False, skip_check_array=True, ensure_2d=False)
    table: Table | None = estimator.table_
    if table is not None:
        return open_table(table, data)
    source = open_source(_as_numbers(data), owner=type(estimator).__name__)
    if source.columns is not None and hasattr(estimator, "feature_names_in_"):
        source = _order(source, tuple(estimator.feature_names_in_))
    if source.shape != shape:
        raise ShapeMismatch(_word_mismatch(estimator, source, shape))
    return source


def name_features(estimator: Any, source: Source) -> tuple[str, ...]:
    """Return a name for each column that the fitted `estimator` knows, or place in its rows."""
    if estimator.table_ is not None:
        names: tuple[str, ...] = estimator.table_.names
        return names
    return tuple(map(str, getattr(estimator, "feature_names_in_", source.feature_names)))


def open_scorable(estimator: Any, data: Any) -> Source:
    """Open rows whose copies are to be scored figure by figure: numbers, none of them missing.

    Of a table these are the rows that are complete, which the source's name tells; where none
    is, all rows with their missing cells at the columns' means.
    """
    table: Table | None = estimator.table_
    if table is None:
        source = open_source(data, owner="evaluate")
        names = getattr(estimator, "feature_names_in_", None)
        return source if names is None or source.columns is None else _order(source, tuple(names))
    source = open_table(table, data)
    complete = np.concatenate([~np.isnan(rows).any(axis=1) for rows in source.batches()])
    if complete.all():
        return source
    if not complete.any():
        filled = FilledSource(source, table.fill)
        filled.name = f"{source.name} (missing cells filled with their columns' means)"
        return filled
    name = (
        f"{source.name} ({complete.sum():,} of {len(complete):,} rows: those without missing cells)"
    )
    return SubsetSource(source.array(), np.flatnonzero(complete), name=name)


def _order(source: Source, wanted: tuple[str, ...]) -> Source:
    """Return the rows with the columns in the order `wanted`."""
    given = source.columns or ()
    if given == wanted:
        return source
    missing = [name for name in wanted if name not in given]
    unknown = [name for name in given if name not in wanted]
    if missing or unknown:
        parts = [f"lack {', '.join(map(repr, missing))}"] if missing else []
        parts += [f"have unknown {', '.join(map(repr, unknown))}"] if unknown else []
        message = (
            f"The columns of {source.name!r} are not those of the training: they "
            f"{' and '.join(parts)}. Give it data like those it was trained on."
        )
        raise ShapeMismatch(message)
    return OrderedSource(source, wanted)


def _word_mismatch(estimator: Any, source: Source, shape: tuple[int, ...]) -> str:
    advice = "Give it data like those it was trained on."
    if len(source.shape) == len(shape) == 1:
        who = type(estimator).__name__
        return (
            f"X has {source.shape[0]} features, but {who} is expecting {shape[0]} features as "
            f"input. {advice}"
        )
    return (
        f"The rows of {source.name!r} have shape {source.shape}, but the model takes {shape}. "
        f"{advice}"
    )


def _as_numbers(data: Any) -> Any:
    """Turn an array of Python objects into numbers, as scikit-learn does; leave all else.

    Raises:
        UnsafeData: One of the objects is not a number.
    """
    if not isinstance(data, np.ndarray) or not data.dtype.hasobject:
        return data
    try:
        return data.astype(np.float64)
    except (TypeError, ValueError) as error:
        message = f"The array holds Python objects that are not all numbers: {error}."
        raise UnsafeData(message) from error
