"""Tables, where each column gets a plan of its own: which do, and the way there and back."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from truecopy.data.frames import Table, as_frame, read_frame, replace_columns
from truecopy.data.plan import Plan
from truecopy.data.plan import plan as make_plan
from truecopy.data.profile import Profile
from truecopy.data.profile import profile as make_profile
from truecopy.data.source import ArraySource, Source
from truecopy.data.sources import open_source
from truecopy.data.tables import CsvSource, ParquetSource
from truecopy.errors import InvalidArgument, UnsupportedData
from truecopy.facts import NonFinite


@dataclass(frozen=True, slots=True, eq=False)
class FoundTable:
    """A table with a plan for each column, its features as rows, and all its columns' names."""

    table: Table
    rows: Source
    names: tuple[str, ...]


def find_table(
    data: Any,
    *,
    categorical: Collection[str] = (),
    ignore: Collection[str] = (),
    unseen: str = "missing",
    owner: str,
) -> FoundTable | None:
    """Plan the columns of a table; None where the data are as good as one array of numbers.

    Args:
        data: All that `Autoencoder.fit` takes.
        categorical: Names of columns of categories.
        ignore: Names of columns to leave out.
        unseen: What becomes of unseen categories.
        owner: Who asks, for error messages.

    Raises:
        InvalidArgument: Columns are named, but there is no table.
        DataError: A column can't be used.
    """
    told, path, frame = bool(categorical or ignore), path_of(data), as_frame(data)
    if frame is None and path is not None and (told or _is_mixed(path)):
        frame = read_frame(path)
    if frame is None:
        if told:
            argument, got = ("categorical", categorical) if categorical else ("ignore", ignore)
            raise InvalidArgument(argument, owner, "empty where the data are no table", got=got)
        return None
    table, features = Table.plan(frame, categorical=categorical, ignore=ignore, unseen=unseen)
    if not told and _is_plain(table, features):
        return None
    rows = ArraySource(features, name=path or "table")
    return FoundTable(table, rows, tuple(map(str, frame.columns)))


def profile_and_plan(
    source: Source, *, categorical: Collection[str] = (), ignore: Collection[str] = ()
) -> tuple[Profile, Plan | None]:
    """Profile and plan rows, a table of several kinds of columns by column.

    Its missing cells stand at their columns' means, as they do on their way into a network.

    Returns:
        The profile; and the plan, None where there are NaN or infinite values.
    """
    found = find_table(source, categorical=categorical, ignore=ignore, owner="profile")
    if found is not None:
        filled = ArraySource(found.table.fill(found.rows.array()), name=source.name)
        return make_profile(filled), Plan(found.table.facts, found.table.scaling)
    profile = make_profile(source)
    return profile, make_plan(profile) if profile.facts.non_finite == NonFinite() else None


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
    frame, path = as_frame(data), path_of(data)
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
        frame = read_frame(str(path_of(data)))
    return replace_columns(frame, table.decode(copies), only_missing=only_missing)


def path_of(data: Any) -> str | None:
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
