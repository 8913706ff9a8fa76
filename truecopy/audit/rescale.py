"""The units of a program's data: what a change of scale does, and how to see through it."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.audit.rebuild import CannotRebuild

Array = NDArray[Any]

_DIFFERENT_SCALES: Final = 10.0  # arrays whose sizes differ by more are not on one scale


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Units:
    """The units of a program's data, as seen from the user's: (x - shift) / scale."""

    shift: Any = 0.0
    scale: Any = 1.0

    def apply(self, rows: Array) -> Array:
        """Return rows of the user's in these units."""
        scaled: Array = ((rows.astype("float64") - self.shift) / self.scale).astype("float32")
        return scaled


def measure_units(rows: Array, scaling: str, *, by: float | None = None) -> Units:
    """Return the units in which a change asks for the data.

    Args:
        rows: The data, shape (rows, ...).
        scaling: 'divide', 'standardise' or 'minmax'.
        by: What to divide by.

    Raises:
        CannotRebuild: There is no such scaling.
    """
    # Pixels have one scale; columns of a table each their own.
    axis = 0 if rows.ndim == 2 and not _are_pixels(rows) else None  # noqa: PLR2004
    if scaling == "divide" and by:
        return Units(scale=float(by))
    values = rows.astype("float64")
    if scaling == "standardise":
        return Units(shift=values.mean(axis=axis), scale=_nonzero(values.std(axis=axis)))
    if scaling == "minmax":
        low = values.min(axis=axis)
        return Units(shift=low, scale=_nonzero(values.max(axis=axis) - low))
    raise CannotRebuild(f"the scaling {scaling!r} is not known")


def _are_pixels(rows: Array) -> bool:
    return rows.dtype == np.uint8 or bool(
        rows.min() >= 0 and rows.max() == 255 and np.array_equal(rows, np.round(rows))  # noqa: PLR2004
    )


def _nonzero(scale: Any) -> Any:
    return np.where(scale > 0, scale, 1.0)


def are_on_one_scale(one: Array, two: Array) -> bool:
    """Say whether two arrays have about the same size, so that one scaling is meant for both."""
    first, second = (float(np.abs(rows).max()) or 1.0 for rows in (one, two))
    return 1 / _DIFFERENT_SCALES < first / second < _DIFFERENT_SCALES
