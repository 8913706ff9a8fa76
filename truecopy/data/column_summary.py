"""What a column of a table holds, counted chunk by chunk: any split of its rows gives the same.

All that the plan of a column needs is here, so that a table is planned without being in memory.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from truecopy import streaming
from truecopy.data.columns import code_values, is_date, is_number, to_numbers
from truecopy.errors import UnsupportedData

# Words are counted up to this many different ones, numbers that may be no more than two: beyond,
# the words are free text (10 MB of them) and the numbers are numbers.
MOST_WORDS: Final = 100_000
TWO: Final = 2
# Where the first values of a chunk differ, none need be sorted to know that they do.
_GLANCE: Final = 64
_SHOWN: Final = 100


@dataclass(frozen=True, slots=True, eq=False)
class ColumnSummary:
    """What a column holds.

    Attributes:
        name: Its name, as a word.
        dtype: The narwhals dtype.
        rows: How many rows it has.
        known: How many cells are not missing.
        counts: How often each value comes; None where there are too many different ones.
        kinds: The names of Python's types of its first values.
        order: The categories in order, where they have one: pandas' ordered ones.
        flags: All its values are True or False.
        numbers: Moments of its numbers, or of its points in time in seconds since 1970.
        logs: Moments of log(1 + number), where all are whole numbers from 0 up.
        whole: All its numbers are.
        extremes: The smallest and the largest number.
    """

    name: str
    dtype: Any
    rows: int
    known: int
    counts: Mapping[Any, int] | None
    kinds: tuple[str, ...]
    order: tuple[Any, ...]
    flags: bool
    numbers: streaming.Moments
    logs: streaming.Moments
    whole: bool
    extremes: streaming.Extremes

    @property
    def missing(self) -> float:
        """The share of cells that are missing."""
        return 1 - self.known / self.rows


def summarise_column(series: Any, *, categorical: bool = False, first: int = 0) -> ColumnSummary:
    """Summarise a chunk of a column.

    Args:
        series: A narwhals series.
        categorical: Count all its values, whatever they are.
        first: The number of its first row, for messages.

    Raises:
        NonFiniteData: It has infinite values.
    """
    dtype = series.dtype
    empty = streaming.empty_moments(1)
    summary = ColumnSummary(
        name=str(series.name),
        dtype=dtype,
        rows=len(series),
        known=len(series) - int(series.null_count()),
        counts={},
        kinds=_name_kinds(series),
        order=_find_order(series),
        flags=isinstance(dtype, nw.Boolean) or _all_flags(series),
        numbers=empty,
        logs=empty,
        whole=True,
        extremes=streaming.Extremes(),
    )
    words = isinstance(dtype, nw.Categorical | nw.Enum | nw.String)
    if summary.flags or summary.order or categorical or words:
        values, codes = code_values(series)
        found = np.bincount(codes[codes >= 0], minlength=len(values)).tolist()
        return replace(summary, counts=_limit(dict(zip(values, found, strict=True)), categorical))
    if is_date(dtype) or is_number(dtype):
        return _summarise_numbers(summary, to_numbers(series, first=first))
    return summary


def merge_summaries(a: ColumnSummary, b: ColumnSummary, *, categorical: bool) -> ColumnSummary:
    """Return the summary of the rows of both.

    Raises:
        UnsupportedData: The chunks hold other kinds of values.
    """
    limit = len(a.counts or ()) + len(b.counts or ()) if categorical else MOST_WORDS
    counts: Mapping[Any, int] | None = None
    if a.counts is not None and b.counts is not None:
        counts = Counter(a.counts) + Counter(b.counts)
        if is_number(a.dtype) and not a.flags and not categorical:
            limit = TWO
        counts = counts if len(counts) <= limit else None
    return replace(
        a,
        dtype=_merge_dtypes(a, b),
        rows=a.rows + b.rows,
        known=a.known + b.known,
        counts=counts,
        kinds=tuple(sorted({*a.kinds, *b.kinds})),
        order=a.order or b.order,
        flags=(a.flags or not a.known) and (b.flags or not b.known),
        numbers=streaming.merge_moments(a.numbers, b.numbers),
        logs=streaming.merge_moments(a.logs, b.logs),
        whole=a.whole and b.whole,
        extremes=streaming.merge_extremes(a.extremes, b.extremes),
    )


def _merge_dtypes(a: ColumnSummary, b: ColumnSummary) -> Any:
    if a.dtype == b.dtype or not b.known:
        return a.dtype
    if not a.known:
        return b.dtype
    if a.dtype.is_numeric() and b.dtype.is_numeric():
        return nw.Float64()
    raise UnsupportedData(
        f"The column {a.name!r} holds {a.dtype} values in some rows and {b.dtype} in others. "
        "Convert it to one of them."
    )


def _summarise_numbers(summary: ColumnSummary, values: NDArray[np.float64]) -> ColumnSummary:
    known = values[~np.isnan(values)]
    if not len(known):
        return replace(summary, known=0)
    whole = bool((known == np.rint(known)).all()) and bool(known.min() >= 0)
    counts = None
    if len(np.unique(known[:_GLANCE])) <= TWO:
        different, times = np.unique(known, return_counts=True)
        as_given = int if summary.dtype.is_integer() else float
        if len(different) <= TWO:
            counts = dict(zip(map(as_given, different), times.tolist(), strict=True))
    logs = streaming.moments_of(np.log1p(known)[:, None]) if whole else summary.logs
    return replace(
        summary,
        known=len(known),
        counts=counts,
        numbers=streaming.moments_of(known[:, None]),
        logs=logs,
        whole=whole,
        extremes=streaming.extremes_of(known),
    )


def _limit(counts: dict[Any, int], categorical: bool) -> dict[Any, int] | None:  # noqa: FBT001
    return counts if categorical or len(counts) <= MOST_WORDS else None


def _find_order(series: Any) -> tuple[Any, ...]:
    """Return the categories of a column that have an order: pandas' ordered ones."""
    dtype = getattr(series.to_native(), "dtype", None)
    ordered = bool(getattr(dtype, "ordered", False)) and hasattr(dtype, "categories")
    return tuple(dtype.categories) if dtype is not None and ordered else ()


def _all_flags(series: Any) -> bool:
    """Return whether these are pandas' objects, but only True, False and missing."""
    return isinstance(series.dtype, nw.Object) and all(
        isinstance(value, bool | np.bool) for value in series.drop_nulls().to_list()
    )


def _name_kinds(series: Any) -> tuple[str, ...]:
    first = series.drop_nulls().head(_SHOWN).to_list()
    return tuple(sorted({type(value).__name__ for value in first}))
