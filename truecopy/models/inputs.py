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

from truecopy.data.frames import UNSEEN, Table, as_frame, read_frame, replace_columns
from truecopy.data.source import ArraySource, Source
from truecopy.data.sources import open_source
from truecopy.data.tables import CsvSource, ParquetSource
from truecopy.errors import (
    InvalidArgument,
    ShapeMismatch,
    UnknownName,
    UnsafeData,
    UnsupportedData,
)
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
    frame, name = _find_frame(estimator, data)
    estimator.table_ = None
    if frame is not None:
        table, features = Table.plan(
            frame,
            categorical=estimator.categorical,
            ignore=estimator.ignore,
            unseen=estimator.unseen,
        )
        if _told(estimator) or not _is_plain(table, features):
            estimator.table_ = table
            estimator.n_features_in_ = len(frame.columns)
            estimator.feature_names_in_ = np.array(list(map(str, frame.columns)), object)
            return ArraySource(features, name=name)
    source = open_source(_as_numbers(data), owner=f"{type(estimator).__name__}.fit")
    estimator.n_features_in_ = int(np.prod(source.shape))
    if source.columns is not None:
        estimator.feature_names_in_ = np.array(source.columns, object)
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


def open_table(table: Table, data: Any) -> Source:
    """Open rows for a model of a table: as features, NaN where a cell is missing.

    Args:
        table: The plans of its columns.
        data: A frame of any library, a .csv or .parquet file; or a source of features.

    Raises:
        DataError: It is no table, or not one like that of the training.
    """
    if isinstance(data, Source) and not isinstance(data, CsvSource | ParquetSource):
        return data
    frame, path = as_frame(data), _path_of(data)
    if frame is None and path is None:
        names = ", ".join(map(repr, table.names[:5]))
        message = f"The model was trained on a table with the columns {names}, ... Give it one."
        raise UnsupportedData(message)
    if frame is None:
        frame = read_frame(str(path))
    return ArraySource(table.encode(frame), name=path or "table")


def put_back(table: Table, data: Any, copies: NDArray[np.float64], *, only_missing: bool) -> Any:
    """Return a table like `data`, with the copies in place of its values.

    Args:
        table: The plans of the columns.
        data: The frame or file that the features came from.
        copies: Features, (rows, features), in unscaled units.
        only_missing: Replace missing cells only.
    """
    frame = as_frame(data)
    if frame is None:
        frame = read_frame(str(_path_of(data)))
    return replace_columns(frame, table.decode(copies), only_missing=only_missing)


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


def _find_frame(estimator: Any, data: Any) -> tuple[Any, str]:
    """Return the frame that the data are or, for a file that needs it, hold; and a name.

    Raises:
        InvalidArgument: Columns are named, but there is no table.
    """
    frame, path = as_frame(data), _path_of(data)
    if frame is not None:
        return frame, "table"
    if path is not None and (_told(estimator) or _is_mixed(path)):
        return read_frame(path), path
    if _told(estimator):
        argument = "categorical" if estimator.categorical else "ignore"
        must_be = "empty where the data are no table"
        got = getattr(estimator, argument)
        raise InvalidArgument(argument, type(estimator).__name__, must_be, got=got)
    return None, ""


def _told(estimator: Any) -> bool:
    return bool(estimator.categorical or estimator.ignore)


def _path_of(data: Any) -> str | None:
    """Return the path of a file that may hold a table."""
    if isinstance(data, CsvSource | ParquetSource):
        return data.name
    if isinstance(data, str | os.PathLike):
        path = os.fsdecode(data)
        return path if path.lower().endswith((".csv", ".parquet")) else None
    return None


def _is_mixed(path: str) -> bool:
    """Return whether the first rows of a file have words or missing cells."""
    try:
        first = next(open_source(path).batches())
    except UnsupportedData:
        return True
    return bool(np.isnan(first).any())


def _is_plain(table: Table, features: NDArray[np.float64]) -> bool:
    """Return whether a table is as good as an array: numbers of one kind, none missing.

    Whole numbers from 0 up in all columns, and values in [-1, 1], are of one kind.
    """
    kinds = {column.kind for column in table.columns}
    if not kinds <= {"numeric", "count", "binary"} or any(c.missing for c in table.columns):
        return False
    if any(column.dtype in {"String", "Categorical", "Enum"} for column in table.columns):
        return False
    if len(kinds) == 1:
        return True
    whole = bool((features == np.rint(features)).all() and features.min() >= 0)
    return ("count" in kinds and whole) or bool(np.abs(features).max() <= 1)


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
