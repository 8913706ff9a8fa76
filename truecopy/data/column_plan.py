"""The plan of one column of a table: its kind, and what follows from it.

What can't be told apart from text, ids or free words, is refused and not guessed at.
"""

import math
import warnings
from dataclasses import replace
from typing import Any, Final

import narwhals as nw
import numpy as np

from truecopy.data.columns import Floats, encode_categories, encode_column, list_values, to_floats
from truecopy.errors import UnsupportedData
from truecopy.facts import ColumnFacts

# More different words than this, or a new one in every second row, are names or free text.
_MOST_CATEGORIES: Final = 100
_SHARE_DIFFERENT: Final = 0.5
_FEW_ROWS: Final = 20
# Whole numbers from 0 up with a longer tail than this are compressed by log(1 + x); a
# normal distribution has a skewness of 0, an exponential one of 2.
_SKEWED: Final = 1.0
_TWO: Final = 2
# float32 has 24 bits.
_MOST_APART: Final = 2**24
# A cross-entropy floor below this, of a value that 98 % of rows share, would let a handful of
# rows rule the loss: a column is never weighted by more than ten.
_LEAST_FLOOR: Final = 0.1


def plan_column(series: Any, *, categorical: bool) -> tuple[ColumnFacts, Floats]:
    """Choose the kind of a column and its plan.

    Args:
        series: A narwhals series.
        categorical: The user says that its values are categories, whatever their dtype.

    Returns:
        The plan and the features, shape (rows, width), in unscaled units.

    Raises:
        UnsupportedData: It is text, mixed, nested, or has no values at all.
        NonFiniteData: It has infinite values.
    """
    dtype, name = series.dtype, str(series.name)
    if series.null_count() == len(series):
        raise UnsupportedData(f"The column {name!r} has no values. Leave it out: ignore=[{name!r}]")
    told = f"told so; {dtype}"
    if isinstance(dtype, nw.Boolean) or _all_flags(series):
        return _plan_categories(series, "binary", "true or false")
    if is_ordered(series):
        return _plan_ordinal(series)
    if categorical or isinstance(dtype, nw.Categorical | nw.Enum | nw.String):
        return _plan_words(series, told=told if categorical else "")
    if isinstance(dtype, nw.Date | nw.Datetime):
        return _plan_number(series, "date", "points in time, as seconds since 1970")
    if dtype.is_integer() or dtype.is_float() or isinstance(dtype, nw.Decimal):
        return _plan_numbers(series)
    raise UnsupportedData(
        f"The column {name!r} holds {_name_values(series)}, which are neither numbers, dates nor "
        f"words. Convert it, or leave it out: ignore=[{name!r}]"
    )


def is_ordered(series: Any) -> bool:
    """Return whether a column's categories have an order: pandas' ordered ones."""
    native = getattr(series.to_native(), "dtype", None)
    return bool(getattr(native, "ordered", False)) and hasattr(native, "categories")


def _plan_numbers(series: Any) -> tuple[ColumnFacts, Floats]:
    name = str(series.name)
    values = to_floats(series, name)
    known = values[~np.isnan(values)]
    different = np.unique(known)
    if np.array_equal(different, [0, 1]):
        return _plan_categories(series, "binary", "all values are 0 or 1")
    whole = bool((known == np.rint(known)).all()) and known.min() >= 0
    if whole and len(different) > _TWO and _skewness(known) > _SKEWED:
        because = f"whole numbers from {known.min():g} to {known.max():g} with a long upper tail"
        return _plan_number(series, "count", because)
    if series.dtype.is_integer() and known.max() - known.min() > _MOST_APART:
        warnings.warn(
            f"The column {name!r} spans {known.max() - known.min():.3g} whole numbers; float32, in "
            "which networks compute, tells 16.8 million apart. If it is an id, leave it out: "
            f"ignore=[{name!r}].",
            UserWarning,
            stacklevel=2,
        )
    return _plan_number(series, "numeric", f"numbers from {known.min():g} to {known.max():g}")


def _plan_number(
    series: Any, kind: str, because: str, *, categories: tuple[Any, ...] = ()
) -> tuple[ColumnFacts, Floats]:
    """Standardise one feature; a constant maps to 0."""
    # Encoded by a first draft of the plan, which needs no more than the kind.
    draft = ColumnFacts(
        name=str(series.name),
        kind=kind,
        because=because,
        dtype=str(series.dtype),
        missing=0.0,
        output="linear",
        loss="mse",
        centre=(0.0,),
        categories=categories,
    )
    features = encode_column(series, draft)
    known = features[~np.isnan(features)]
    spread = float(known.std())
    facts = replace(
        draft,
        missing=1 - len(known) / len(features),
        offset=float(known.mean()),
        divisor=spread if spread > 0 else 1.0,
    )
    return facts, features


def _plan_ordinal(series: Any) -> tuple[ColumnFacts, Floats]:
    categories = tuple(series.to_native().dtype.categories)
    listed = " < ".join(map(str, categories[:5])) + (" < ..." if len(categories) > 5 else "")  # noqa: PLR2004
    because = f"ordered categories, as ranks: {listed}"
    return _plan_number(series, "ordinal", because, categories=categories)


def _plan_words(series: Any, *, told: str) -> tuple[ColumnFacts, Floats]:
    name, values = str(series.name), list_values(series)
    rows = len(series) - series.null_count()
    typed = isinstance(series.dtype, nw.Categorical | nw.Enum)
    free = len(values) > _MOST_CATEGORIES or (
        rows > _FEW_ROWS and len(values) > rows * _SHARE_DIFFERENT
    )
    if free and not told and not typed:
        raise UnsupportedData(
            f"The column {name!r} is text: {len(values):,} different values in {rows:,} rows. "
            f"Leave it out (ignore=[{name!r}]); or, if its values are categories, say so "
            f"(categorical=[{name!r}])."
        )
    because = f"{len(values):,} different values" + (f" ({told})" if told else "")
    kind = "binary" if len(values) == _TWO else "categorical"
    return _plan_categories(series, kind, because)


def _plan_categories(series: Any, kind: str, because: str) -> tuple[ColumnFacts, Floats]:
    categories = tuple(list_values(series))
    if kind == "binary" and len(categories) < _TWO:
        kind = "categorical"
    width = 1 if kind == "binary" else len(categories)
    draft = ColumnFacts(
        name=str(series.name),
        kind=kind,
        because=because,
        dtype=str(series.dtype),
        missing=0.0,
        output="sigmoid" if kind == "binary" else "softmax",
        loss="binary_crossentropy" if kind == "binary" else "categorical_crossentropy",
        centre=(0.0,) * width,
        categories=categories,
    )
    features = encode_categories(series, draft)
    known = features[~np.isnan(features[:, 0])]
    shares = known.mean(axis=0)
    every = np.array([1 - shares[0], shares[0]]) if kind == "binary" else shares
    entropy = -sum(share * math.log(share) for share in every if share > 0)
    facts = replace(
        draft,
        missing=1 - len(known) / len(features),
        centre=tuple(float(share) for share in shares),
        floor=max(entropy, _LEAST_FLOOR),
    )
    return facts, features


def _skewness(values: Floats) -> float:
    spread = values.std()
    return float((((values - values.mean()) / spread) ** 3).mean()) if spread > 0 else 0.0


def _all_flags(series: Any) -> bool:
    """Return whether these are pandas' objects, but only True, False and missing."""
    return isinstance(series.dtype, nw.Object) and all(
        isinstance(value, bool | np.bool) for value in series.drop_nulls().to_list()
    )


def _name_values(series: Any) -> str:
    kinds = sorted({type(value).__name__ for value in series.drop_nulls().head(100).to_list()})
    return f"{series.dtype} values ({', '.join(kinds)})"
