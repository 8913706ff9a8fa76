"""How well each column of a table is copied, beside the mean row and PCA."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from truecopy.facts import ColumnFacts, ColumnScoreFacts

# The copies that a column is compared by.
_OWN, _FLOOR, _LINEAR = "value", "mean", "pca"
_COMPARED: Final = (_OWN, _FLOOR, _LINEAR)


@dataclass(frozen=True, slots=True, eq=False)
class ColumnScores:
    """Squared errors of each feature, summed over rows; columns take one feature or several.

    Attributes:
        columns: The columns in their order; none for rows that aren't a table's.
        squares: For the model's copy, the mean row and PCA, shape (features,).
        rows: How many rows have been added.
    """

    columns: tuple[ColumnFacts, ...]
    squares: Mapping[str, NDArray[np.float64]]
    rows: int = 0

    @classmethod
    def empty(cls, columns: tuple[ColumnFacts, ...]) -> Self:
        """Return the scores of no rows."""
        features = sum(column.width for column in columns)
        return cls(columns, {name: np.zeros(features) for name in _COMPARED})

    def update(self, target: NDArray[Any], copies: Mapping[str, NDArray[Any]]) -> Self:
        """Return the scores with one batch more: scaled rows of shape (rows, features)."""
        if not self.columns:
            return self
        squares = {}
        for name, before in self.squares.items():
            squares[name] = np.full_like(before, np.nan)
            if name in copies:
                off = np.subtract(copies[name], target, dtype=np.float64)
                squares[name] = before + np.einsum("nf,nf->f", off, off)
        return type(self)(self.columns, squares, self.rows + len(target))

    def compute(self) -> dict[str, ColumnScoreFacts]:
        """Return each column's figures, in the columns' order."""
        ends = np.cumsum([column.width for column in self.columns])
        found = {}
        for column, end in zip(self.columns, ends, strict=True):
            own, floor, linear = (
                float(self.squares[name][end - column.width : end].mean() / self.rows)
                for name in _COMPARED
            )
            found[column.name] = ColumnScoreFacts(
                kind=column.kind,
                value=own,
                floor=floor,
                pca=None if np.isnan(linear) else linear,
                skill=1 - own / floor if floor > 0 else None,
            )
        return found
