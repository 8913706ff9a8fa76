"""Columns of a table that number things rather than measure them."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Counts, ages, years and grades stay below; customer, product and postal numbers don't.
_RANGE: Final = 1000
# Measured whole numbers, such as incomes, crowd at the low end; numbers given to things are
# spread about evenly, with a kurtosis near the 1.8 of an even distribution.
_EVEN: Final = 2.3
_LEAST_ROWS: Final = 30
_MOST_COLUMNS: Final = 500


def find_cardinal(rows: Array) -> tuple[int, ...]:
    """Return the columns of a table that look like identifiers.

    Whole numbers over a wide range that are spread evenly over it, or that count the rows.

    Args:
        rows: Shape (rows, columns); other shapes are no tables and have none.

    Example:
        >>> draw = np.random.default_rng(0)
        >>> ids, heights = draw.integers(10_000, 99_999, 200), draw.normal(170, 10, 200)
        >>> find_cardinal(np.stack([ids, heights], axis=1))
        (0,)
    """
    if rows.ndim != 2 or len(rows) < _LEAST_ROWS or rows.shape[1] > _MOST_COLUMNS:  # noqa: PLR2004
        return ()
    return tuple(i for i in range(rows.shape[1]) if _is_identifier(rows[:, i]))


def _is_identifier(column: Array) -> bool:
    values = column.astype(np.float64)
    if not np.isfinite(values).all() or (values != np.rint(values)).any():
        return False
    steps = np.diff(values)
    if steps[0] != 0 and (steps == steps[0]).all():
        return True  # numbered rows
    if np.ptp(values) < _RANGE or values.min() < 0:
        return False
    round_ones = (values % 10 == 0).mean()
    moved = values - values.mean()
    kurtosis = np.mean(moved**4) / np.mean(moved**2) ** 2
    return bool(kurtosis < _EVEN and round_ones < 0.5)  # noqa: PLR2004 - prices are round
