"""Whether validation rows were scaled by themselves: the scaler was fitted twice."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Scaling a column by its own bounds, or its own mean and deviation, leaves rounding only.
_ROUNDING: Final = 1e-4
# In fewer columns, or fewer rows, exact bounds are chance.
_LEAST_COLUMNS: Final = 3
_LEAST_ROWS: Final = 10
# Few values, as of flags, have the same bounds wherever they come from.
_LEAST_VALUES: Final = 8
# A sample's own mean and deviation are this far from the whole's at most, if the whole is scaled.
_SAMPLING: Final = 0.2
# Of a column's rows, at both of its bounds.
_CROWDED: Final = 0.05


def is_scaled_again(rows: Array, held: Array, *, most: int) -> bool:
    """Say whether every column of the validation rows has exactly what a scaler gives.

    Args:
        rows: Training rows, (rows, columns).
        held: Validation rows, the same columns.
        most: How many rows a sample has at most: of more only a part is known, whose bounds
            say nothing.
    """
    if held.ndim != 2 or rows.ndim != 2 or not _LEAST_ROWS <= len(held) < most:  # noqa: PLR2004
        return False
    if not (np.isfinite(rows).all() and np.isfinite(held).all()):
        return False
    varied = [c for c in range(held.shape[1]) if len(np.unique(held[:, c])) >= _LEAST_VALUES]
    if len(varied) < _LEAST_COLUMNS:
        return False
    own, trained = held[:, varied].astype(np.float64), rows[:, varied].astype(np.float64)
    return _at_bounds(own, trained) or _at_moments(own, trained)


def _at_bounds(own: Array, trained: Array) -> bool:
    low, high = own.min(axis=0), own.max(axis=0)
    same = max(np.ptp(low), np.ptp(high)) <= _ROUNDING * (high - low).max()
    slack = _ROUNDING * (high[0] - low[0])
    inside = trained.min() >= low[0] - slack and trained.max() <= high[0] + slack
    # Scaling brings one row to each bound; what was clipped there, as noisy pixels, are many.
    crowds = [float(np.median((own == bound).mean(axis=0))) for bound in (low, high)]
    return bool(same and inside and min(crowds) < _CROWDED)


def _at_moments(own: Array, trained: Array) -> bool:
    centred = np.abs(own.mean(axis=0)).max() <= _ROUNDING * 10
    unit = np.abs(own.std(axis=0) - 1).max() <= _ROUNDING * 10
    near = np.abs(trained.mean(axis=0)).max() <= _SAMPLING
    return bool(centred and unit and near and np.abs(trained.std(axis=0) - 1).max() <= _SAMPLING)
