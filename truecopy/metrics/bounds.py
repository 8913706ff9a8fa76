"""Refusing targets outside the range that a metric takes them to have."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.errors import DataError

# What scaling may add in float32, relative to the width of the range.
_ROUNDING: Final = 1e-6
_HINT: Final = "Scale them into it, or give the data_range that they have."


class OutsideRange(DataError):
    """There are targets outside the range that a metric takes them to have."""


def refuse_outside(target: NDArray[Any], bounds: tuple[float, float], *, hint: str = _HINT) -> None:
    """Refuse targets outside `bounds`; predictions may be anywhere.

    Raises:
        OutsideRange: Some value is outside, or is not a number; the message has the range
            found, and `hint`.

    Example:
        >>> refuse_outside(np.array([[-1.0, 1.0]]), (0.0, 1.0))
        Traceback (most recent call last):
        ...
        truecopy.metrics.bounds.OutsideRange: The targets span [-1, 1], outside the data range \
[0, 1]. Scale them into it, or give the data_range that they have.
    """
    if not target.size:
        return
    low, high = float(target.min()), float(target.max())
    rounding = _ROUNDING * (bounds[1] - bounds[0]) if np.isfinite(bounds[1]) else 0.0
    # Written so that NaN is refused.
    if not (low >= bounds[0] - rounding and high <= bounds[1] + rounding):
        message = (
            f"The targets span [{low:g}, {high:g}], outside the data range "
            f"[{bounds[0]:g}, {bounds[1]:g}]. {hint}"
        )
        raise OutsideRange(message)
