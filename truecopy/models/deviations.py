"""By how much copies deviate from their rows: one number per feature, or per table's column."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.facts import ColumnFacts, PlanFacts

# The variance of 0/1 values that 95 % share: rarer ones would make any row that has one an
# outlier, whatever the rest of it.
_LEAST_VARIANCE: Final = 0.05


def measure_deviations(
    copies: NDArray[Any], rows: NDArray[Any], plan: PlanFacts
) -> NDArray[np.float64]:
    """Return each feature's part of its row's mean squared error, in scaled units.

    Of a table it is each column's: squared errors in parts of the column's variance, so that
    all columns count the same, added up over the features of a category, over the number of
    columns that are known. A missing cell has no part.

    Args:
        copies: Scaled rows, (rows, ...).
        rows: Scaled rows of the same shape; NaN where missing.
        plan: Has the columns of a table.

    Returns:
        Shape (rows, features) or, of a table, (rows, columns); the sum over a row is its error.
    """
    flat: NDArray[np.float64] = (np.asarray(copies, np.float64) - rows).reshape(len(rows), -1)
    squares = np.square(flat)
    if not plan.columns:
        return np.divide(squares, flat.shape[1])
    starts = np.cumsum([0, *(column.width for column in plan.columns[:-1])])
    missing = np.isnan(squares[:, starts])
    by_column = np.add.reduceat(np.where(np.isnan(squares), 0, squares), starts, axis=1)
    known = np.maximum((~missing).sum(axis=1, keepdims=True), 1)
    variances = np.array([_variance(column) for column in plan.columns])
    parts: NDArray[np.float64] = by_column / variances / known
    return parts


def _variance(column: ColumnFacts) -> float:
    """Return the mean squared error of a column's mean, in scaled units."""
    shares = np.array(column.centre)
    if column.output == "sigmoid":
        return max(float(shares[0] * (1 - shares[0])), _LEAST_VARIANCE)
    if column.output == "softmax":
        return max(float(1 - (shares**2).sum()), _LEAST_VARIANCE)
    return 1.0
