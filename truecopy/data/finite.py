"""Refusing NaN and infinities wherever rows are used, saying how many there are and where."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.data.scaling import Scaling
from truecopy.errors import NonFiniteData

_FIRST: Final = 5
# The squares of larger values, in scaled units, are no float32.
_REACH: Final = 1e18


def require_finite(rows: NDArray[Any], *, first: int, name: str) -> None:
    """Refuse a batch with values that are not finite.

    Args:
        rows: Shape (rows, ...).
        first: The number of `rows[0]` in the data.
        name: What the data are called.

    Raises:
        NonFiniteData: There are such values; the message has their number and first places.
    """
    if rows.dtype.kind != "f" or np.isfinite(rows).all():
        return
    bad = np.argwhere(~np.isfinite(rows.reshape(len(rows), -1)))
    places = ", ".join(f"row {first + int(r)} feature {int(f)}" for r, f in bad[:_FIRST])
    message = (
        f"The data {name!r} have {len(bad)} NaN or infinite values among rows {first} to "
        f"{first + len(rows) - 1} (first: {places}). Remove these rows or fill the values in."
    )
    raise NonFiniteData(message)


def check_batches(
    batches: Iterator[NDArray[Any]], scaling: Scaling, *, name: str, holes: bool = False
) -> Iterator[NDArray[Any]]:
    """Pass batches through that are finite, and stay so when scaled and copied.

    Args:
        batches: Shape (rows, ...), unscaled.
        scaling: What they will be scaled by.
        name: What the data are called.
        holes: NaN is a missing cell.

    Raises:
        NonFiniteData: Values are not finite, or too large for float32, or the scaling is not
            defined on them, as a logarithm is not on values below -1.
    """
    first = 0
    for batch in batches:
        if not holes:
            require_finite(batch, first=first, name=name)
        if scaling.kind == "log1p" and batch.min() <= -1:
            message = (
                f"The data {name!r} have values down to {batch.min():g} among rows {first} to "
                f"{first + len(batch) - 1}; the model was trained on counts, from 0 up."
            )
            raise NonFiniteData(message)
        _require_reach(batch, scaling, first=first, name=name)
        yield batch
        first += len(batch)


def _require_reach(rows: NDArray[Any], scaling: Scaling, *, first: int, name: str) -> None:
    """Refuse values that a network can't add up: their copies would be NaN."""
    if rows.dtype.kind != "f" or scaling.kind == "log1p":
        return
    flat = rows.reshape(len(rows), -1)
    beyond = np.argwhere(np.abs(flat - scaling.offset) > _REACH * scaling.divisor)
    if len(beyond):
        row, feature = beyond[0]
        raise NonFiniteData(
            f"The data {name!r} have the value {flat[row, feature]:.3g} in row {first + row} "
            f"feature {feature}: more than {_REACH:g} times its spread in the training, too much "
            "for float32, in which networks compute. Remove this row or correct the value."
        )
