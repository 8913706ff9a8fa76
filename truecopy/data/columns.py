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


def encode_column(series: Any, plan: ColumnFacts) -> Floats:
    """Return the features of a column by its plan, shape (rows, width), NaN where missing.

    A category that the plan doesn't know is missing.

    Raises:
        NonFiniteData: It has infinite values.
        UnsupportedData: It holds other things than the column that was planned.
    """
    if plan.kind in {"binary", "categorical", "ordinal"}:
        return encode_categories(series, plan)
    if plan.kind == "date":
        if not isinstance(series.dtype, nw.Date | nw.Datetime):
            raise _word_other_kind(series, plan)
        moments = series.cast(nw.Datetime("us", getattr(series.dtype, "time_zone", None)))
        values = to_floats(moments.dt.timestamp("us"), str(series.name)) * _MICROSECOND
    else:
        numbers = isinstance(series.dtype, nw.Boolean | nw.Decimal)
        if not (numbers or series.dtype.is_numeric()):
            raise _word_other_kind(series, plan)
        values = to_floats(series, str(series.name))
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
    return [v for v in list_values(series) if v not in plan.categories]


def encode_categories(series: Any, plan: ColumnFacts) -> Floats:
    """Return one feature per category, or one with the category's place; NaN if unknown."""
    places = {value: place for place, value in enumerate(plan.categories)}
    missing = series.is_null().to_list()
    found = [
        math.nan if absent else places.get(value, math.nan)
        for value, absent in zip(series.to_list(), missing, strict=True)
    ]
    codes = np.array(found, np.float64)
    if plan.kind != "categorical":
        return codes[:, None]
    features = np.zeros((len(codes), len(places)))
    known = ~np.isnan(codes)
    features[np.flatnonzero(known), codes[known].astype(int)] = 1
    features[~known] = math.nan
    return features


def list_values(series: Any) -> list[Any]:
    """Return the different values in order; numbers and words never stand in one column."""
    values = set(series.drop_nulls().to_list())
    kinds = sorted({type(value).__name__ for value in values})
    if not _sortable(values):
        raise UnsupportedData(
            f"The column {str(series.name)!r} mixes {' and '.join(kinds)}. Convert it to one of "
            "them."
        )
    return sorted(values)


def _sortable(values: Collection[Any]) -> bool:
    words = [isinstance(value, str) for value in values]
    plain = all(isinstance(value, str | bool | int | float) for value in values)
    return plain and (all(words) or not any(words))


def to_floats(series: Any, name: str) -> Floats:
    """Return a column of numbers as float64, NaN where it is missing.

    Raises:
        NonFiniteData: It has infinite values.
    """
    values: Floats = series.cast(nw.Float64).to_numpy().astype(np.float64)
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        rows = ", ".join(map(str, infinite[:5]))
        raise NonFiniteData(
            f"The column {name!r} has {len(infinite)} infinite values (first rows: {rows}). "
            "Remove these rows, or leave the cells empty: missing values are filled in."
        )
    return values


def _word_other_kind(series: Any, plan: ColumnFacts) -> Exception:
    return UnsupportedData(
        f"The column {plan.name!r} holds {series.dtype} values, but it was {plan.dtype} "
        f"({plan.kind}) in the training."
    )
