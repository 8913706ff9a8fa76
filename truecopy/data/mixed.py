"""Tables, where each column gets a plan of its own: which do, and the way there and back."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from truecopy.data.column_summary import ColumnSummary
from truecopy.data.frame_chunks import (
    FilledSource,
    FrameSource,
    open_frames,
    path_of,
    summarise,
)
from truecopy.data.frames import Table, replace_columns
from truecopy.data.parquet import ParquetSource
from truecopy.data.plan import Plan
from truecopy.data.plan import plan as make_plan
from truecopy.data.precision import warn_of_ids, warn_of_rounding
from truecopy.data.profile import Profile
from truecopy.data.profile import profile as make_profile
from truecopy.data.source import Source
from truecopy.data.sources import open_source
from truecopy.data.tables import CsvSource
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
    told, path = bool(categorical or ignore), path_of(data)
    frames = open_frames(data) if path is None or told or _is_mixed(data) else None
    if frames is None:
        if told:
            argument, got = ("categorical", categorical) if categorical else ("ignore", ignore)
            raise InvalidArgument(argument, owner, "empty where the data are no table", got=got)
        return None
    summaries = summarise(frames, categorical=categorical, ignore=ignore)
    table = Table.of(summaries, categorical=categorical, ignore=ignore, unseen=unseen)
    if not told and _is_plain(table, summaries):
        return None
    for column in table.columns:
        extremes = summaries[column.name].extremes
        if column.kind == "numeric" and summaries[column.name].dtype.is_integer():
            warn_of_ids([column.name], extremes.maximum - extremes.minimum)
    rows = next(iter(summaries.values())).rows
    return FoundTable(table, FrameSource(frames, table, rows=rows), frames.columns)


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
        filled = FilledSource(found.rows, found.table.fill)
        filled.name = source.name
        return make_profile(filled), Plan(found.table.facts, found.table.scaling)
    profile = make_profile(source)
    if profile.facts.non_finite != NonFinite():
        return profile, None
    plan = make_plan(profile)
    warn_of_rounding(source, profile.moments, plan.scaling)
    return profile, plan


def open_table(table: Table, data: Any) -> Source:
    """Open rows for a model of a table: as features, NaN where a cell is missing.

    Args:
        table: The plans of its columns.
        data: All that `open_frames` takes; or a source of features.

    Raises:
        DataError: It is no table, or not one like that of the training.
    """
    if isinstance(data, Source) and not isinstance(data, CsvSource | ParquetSource):
        return data
    frames = open_frames(data)
    if frames is None:
        names = ", ".join(map(repr, table.names[:5]))
        message = f"The model was trained on a table with the columns {names}, ... Give it one."
        raise UnsupportedData(message)
    return FrameSource(frames, table)


def put_back(
    table: Table,
    source: Source,
    copy: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    only_missing: bool,
) -> Iterator[Any]:
    """Give a table like each chunk of `source`, with the copies in place of its values.

    Args:
        table: The plans of the columns.
        source: Of a table, as `open_table` gives it.
        copy: Returns the copies of features; both (rows, features), in unscaled units.
        only_missing: Replace missing cells only.

    Raises:
        UnsupportedData: The source is of features, whose table is not known.
    """
    if not isinstance(source, FrameSource):
        raise UnsupportedData(f"{source.name!r} holds features. Give the table they came from.")
    for frame, features in source.pairs():
        values = table.decode(copy(features))
        yield replace_columns(frame, values, only_missing=only_missing)


def _is_mixed(data: Any) -> bool:
    """Return whether a file has words or missing cells, wherever in it they are."""
    source = open_source(data)
    if isinstance(source, ParquetSource) and (source.words or source.holes):
        return True
    try:
        return any(bool(np.isnan(batch).any()) for batch in source.batches())
    except UnsupportedData:
        return True


def _is_plain(table: Table, summaries: Mapping[str, ColumnSummary]) -> bool:
    """Return whether a table is as good as an array: numbers of one kind, none missing.

    Values in [-1, 1] are of one kind.
    """
    kinds = {column.kind for column in table.columns}
    if not kinds <= {"numeric", "count", "binary"} or any(c.missing for c in table.columns):
        return False
    if any(column.dtype in {"String", "Categorical", "Enum"} for column in table.columns):
        return False
    numbers = [summary.extremes for summary in summaries.values() if not summary.flags]
    return len(kinds) == 1 or all(max(-n.minimum, n.maximum) <= 1 for n in numbers)
