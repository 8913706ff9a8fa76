"""One column of a table: what kind it is, the plan that follows, and its features.

A column becomes one or several features of float64, NaN where the cell is missing:

- numeric: the number; count: log(1 + x); both standardised, linear output, squared error;
- ordinal: the rank, from 0; date: seconds since 1970; both as numeric ones;
- binary: 0 or 1; sigmoid, binary cross-entropy;
- categorical: one feature per category; softmax, categorical cross-entropy.

"""

import math
from collections.abc import Collection
from typing import Any, Final

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from truecopy.errors import NonFiniteData, UnsupportedData
from truecopy.facts import ColumnFacts

Floats = NDArray[np.float64]

_MICROSECOND: Final = 1e-6


def encode_column(series: Any, plan: ColumnFacts, *, first: int = 0) -> Floats:
    """Return the features of a column by its plan, shape (rows, width), NaN where missing.

    A category that the plan doesn't know is missing. `first` is the number of the first row.

    Raises:
        NonFiniteData: It has infinite values.
        UnsupportedData: It holds other things than the column that was planned.
    """
    if plan.kind in {"binary", "categorical", "ordinal"}:
        return encode_categories(series, plan)
    if plan.kind == "date" and not is_date(series.dtype):
        raise _word_other_kind(series, plan)
    if plan.kind != "date" and not is_number(series.dtype):
        raise _word_other_kind(series, plan)
    values = to_numbers(series, first=first)
    if plan.kind == "count":
        with np.errstate(invalid="ignore"):
            values = np.log1p(np.maximum(values, 0))
    return values[:, None]


def decode_column(features: Floats, plan: ColumnFacts) -> NDArray[Any]:
    """Return a column's values for its features (rows, width): numbers, words, datetime64[us]."""
    if plan.kind in {"binary", "categorical", "ordinal"}:
        if plan.kind == "categorical":
            chosen = features.argmax(axis=1)
        else:
            chosen = np.clip(np.rint(features[:, 0]), 0, len(plan.categories) - 1).astype(int)
        return np.array([plan.categories[number] for number in chosen], object)
    values = features[:, 0]
    if plan.kind == "count":
        return np.maximum(np.rint(np.expm1(values)), 0)
    if plan.kind == "date":
        return np.rint(values / _MICROSECOND).astype("int64").astype("datetime64[us]")
    return np.rint(values) if "Int" in plan.dtype else values


def find_unseen(series: Any, plan: ColumnFacts) -> list[Any]:
    """Return the values, each once, that a column of categories has and its plan doesn't know."""
    if not plan.categories:
        return []
    return [v for v in sort_values(code_values(series)[0], plan.name) if v not in plan.categories]


def encode_categories(series: Any, plan: ColumnFacts) -> Floats:
    """Return one feature per category, or one with the category's place; NaN if unknown."""
    places = {value: place for place, value in enumerate(plan.categories)}
    values, found = code_values(series)
    # The last place is that of a missing cell, whose code is -1.
    known_as = np.array([*(places.get(value, math.nan) for value in values), math.nan])
    codes = known_as[found]
    if plan.kind != "categorical":
        return codes[:, None]
    features = np.zeros((len(codes), len(places)))
    known = ~np.isnan(codes)
    features[np.flatnonzero(known), codes[known].astype(int)] = 1
    features[~known] = math.nan
    return features


def code_values(series: Any) -> tuple[list[Any], NDArray[np.int64]]:
    """Return the different values, and for each row the number of its value, -1 where missing."""
    if series.implementation.is_pyarrow():
        return _code_arrow(series.to_native())
    numbers: dict[Any, int] = {}
    codes = [
        -1 if absent else numbers.setdefault(value, len(numbers))
        for value, absent in zip(series.to_list(), series.is_null().to_list(), strict=True)
    ]
    return list(numbers), np.array(codes, np.int64)


def _code_arrow(column: Any) -> tuple[list[Any], NDArray[np.int64]]:
    """Let Arrow number the values: Python would take a microsecond for each row."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    coded = column.dictionary_encode().combine_chunks()
    if isinstance(coded, pa.ChunkedArray):  # of no rows
        return [], np.zeros(0, np.int64)
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return coded.dictionary.to_pylist(), codes.astype(np.int64)


def sort_values(values: Collection[Any], name: str) -> list[Any]:
    """Return the values in order; numbers and words never stand in one column.

    Raises:
        UnsupportedData: They do.
    """
    if not _sortable(values):
        kinds = sorted({type(value).__name__ for value in values})
        raise UnsupportedData(
            f"The column {name!r} mixes {' and '.join(kinds)}. Convert it to one of them."
        )
    return sorted(values)


def _sortable(values: Collection[Any]) -> bool:
    words = [isinstance(value, str) for value in values]
    plain = all(isinstance(value, str | bool | int | float) for value in values)
    return plain and (all(words) or not any(words))


def is_number(dtype: Any) -> bool:
    """Return whether a column's values can be taken as numbers."""
    return bool(dtype.is_numeric()) or isinstance(dtype, nw.Boolean | nw.Decimal)


def is_date(dtype: Any) -> bool:
    """Return whether a column's values are points in time."""
    return isinstance(dtype, nw.Date | nw.Datetime)


def to_numbers(series: Any, *, first: int = 0) -> Floats:
    """Return numbers, or points in time as seconds since 1970, as float64, NaN where missing.

    Args:
        series: Of numbers or dates.
        first: The number of its first row, for the message.

    Raises:
        NonFiniteData: It has infinite values.
    """
    if is_date(series.dtype):
        moments = series.cast(nw.Datetime("us", getattr(series.dtype, "time_zone", None)))
        return _to_floats(moments.dt.timestamp("us")) * _MICROSECOND
    values = _to_floats(series)
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        rows = ", ".join(map(str, first + infinite[:5]))
        raise NonFiniteData(
            f"The column {str(series.name)!r} has {len(infinite)} infinite values (first rows: "
            f"{rows}). Remove these rows, or leave the cells empty: missing values are filled in."
        )
    return values


def _to_floats(series: Any) -> Floats:
    values: Floats = series.cast(nw.Float64).to_numpy().astype(np.float64)
    return values


def _word_other_kind(series: Any, plan: ColumnFacts) -> Exception:
    return UnsupportedData(
        f"The column {plan.name!r} holds {series.dtype} values, but it was {plan.dtype} "
        f"({plan.kind}) in the training."
    )
