"""The plan of one column of a table: its kind, and what follows from it.

What can't be told apart from text, ids or free words, is refused and not guessed at.
"""

import math
from dataclasses import replace
from typing import Any, Final

import narwhals as nw
import numpy as np

from truecopy.data.column_summary import MOST_WORDS, TWO, ColumnSummary
from truecopy.data.columns import is_date, sort_values
from truecopy.data.precision import SKEWED
from truecopy.errors import UnsupportedData
from truecopy.facts import ColumnFacts
from truecopy.streaming import Moments, skewness, variance

# More different words than this, or a new one in every second row, are names or free text.
_MOST_CATEGORIES: Final = 100
_SHARE_DIFFERENT: Final = 0.5
_FEW_ROWS: Final = 20
# A cross-entropy floor below this, of a value that 98 % of rows share, would let a handful of
# rows rule the loss: a column is never weighted by more than ten.
_LEAST_FLOOR: Final = 0.1


def plan_column(summary: ColumnSummary, *, categorical: bool) -> ColumnFacts:
    """Choose the kind of a column and its plan.

    Args:
        summary: What the column holds.
        categorical: The user says that its values are categories, whatever their dtype.

    Raises:
        UnsupportedData: It is text, mixed, nested, or has no values at all.
    """
    dtype, name = summary.dtype, summary.name
    if not summary.known:
        raise UnsupportedData(f"The column {name!r} has no values. Leave it out: ignore=[{name!r}]")
    told = f"told so; {dtype}"
    if summary.flags:
        return _plan_categories(summary, "binary", "true or false")
    if summary.order:
        return _plan_ordinal(summary)
    if categorical or isinstance(dtype, nw.Categorical | nw.Enum | nw.String):
        return _plan_words(summary, told=told if categorical else "")
    if is_date(dtype):
        because = "points in time, as seconds since 1970"
        return _plan_number(summary, "date", because, summary.numbers)
    if dtype.is_numeric() or isinstance(dtype, nw.Decimal):
        return _plan_numbers(summary)
    raise UnsupportedData(
        f"The column {name!r} holds {dtype} values ({', '.join(summary.kinds)}), which are neither "
        f"numbers, dates nor words. Convert it, or leave it out: ignore=[{name!r}]"
    )


def _plan_numbers(summary: ColumnSummary) -> ColumnFacts:
    low, high = summary.extremes.minimum, summary.extremes.maximum
    if summary.counts is not None and set(summary.counts) == {0, 1}:
        return _plan_categories(summary, "binary", "all values are 0 or 1")
    if summary.whole and summary.counts is None and float(skewness(summary.numbers)[0]) > SKEWED:
        because = f"whole numbers from {low:g} to {high:g} with a long upper tail"
        return _plan_number(summary, "count", because, summary.logs)
    return _plan_number(summary, "numeric", f"numbers from {low:g} to {high:g}", summary.numbers)


def _plan_number(summary: ColumnSummary, kind: str, because: str, moments: Moments) -> ColumnFacts:
    """Standardise one feature; a constant maps to 0."""
    spread = math.sqrt(float(variance(moments)[0]))
    return replace(
        _draft(summary, kind, because),
        offset=float(moments.mean[0]),
        divisor=spread if spread > 0 else 1.0,
    )


def _draft(summary: ColumnSummary, kind: str, because: str) -> ColumnFacts:
    """Return the plan of one linear feature, unscaled."""
    return ColumnFacts(
        name=summary.name,
        kind=kind,
        because=because,
        dtype=str(summary.dtype),
        missing=summary.missing,
        output="linear",
        loss="mse",
        centre=(0.0,),
    )


def _plan_ordinal(summary: ColumnSummary) -> ColumnFacts:
    categories, counts = summary.order, summary.counts or {}
    listed = " < ".join(map(str, categories[:5])) + (" < ..." if len(categories) > 5 else "")  # noqa: PLR2004
    times = np.array([counts.get(category, 0) for category in categories])
    ranks = np.arange(len(categories))
    mean = float(np.average(ranks, weights=times))
    spread = math.sqrt(float(np.average((ranks - mean) ** 2, weights=times)))
    return replace(
        _draft(summary, "ordinal", f"ordered categories, as ranks: {listed}"),
        categories=categories,
        offset=mean,
        divisor=spread if spread > 0 else 1.0,
    )


def _plan_words(summary: ColumnSummary, *, told: str) -> ColumnFacts:
    name, rows, counts = summary.name, summary.known, summary.counts
    different = MOST_WORDS if counts is None else len(counts)
    typed = isinstance(summary.dtype, nw.Categorical | nw.Enum)
    free = different > _MOST_CATEGORIES or (
        rows > _FEW_ROWS and different > rows * _SHARE_DIFFERENT
    )
    if counts is None or (free and not told and not typed):
        more = "more than " if counts is None else ""
        raise UnsupportedData(
            f"The column {name!r} is text: {more}{different:,} different values in {rows:,} rows. "
            f"Leave it out (ignore=[{name!r}]); or, if its values are categories, say so "
            f"(categorical=[{name!r}])."
        )
    because = f"{different:,} different values" + (f" ({told})" if told else "")
    return _plan_categories(summary, "binary" if different == TWO else "categorical", because)


def _plan_categories(summary: ColumnSummary, kind: str, because: str) -> ColumnFacts:
    counts: Any = summary.counts
    categories = tuple(sort_values(counts, summary.name))
    if kind == "binary" and len(categories) < TWO:
        kind = "categorical"
    every = [counts[category] / summary.known for category in categories]
    entropy = -sum(share * math.log(share) for share in every if share > 0)
    binary = kind == "binary"
    return replace(
        _draft(summary, kind, because),
        output="sigmoid" if binary else "softmax",
        loss="binary_crossentropy" if binary else "categorical_crossentropy",
        centre=tuple(every[1:] if binary else every),
        categories=categories,
        floor=max(entropy, _LEAST_FLOOR),
    )
