"""Scaling rows into the units a network trains in, and back into the user's.

A scaling is `(f(rows) - offset) / divisor`, with f the identity or log(1 + x). Constant
features get the divisor 1, so that they stay finite and come back exactly.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """How rows of `shape` are scaled; `offset` and `divisor` are flat (features) or scalars.

    Attributes:
        kind: 'none', 'divide', 'standardise' or 'log1p'.
        offset: What is subtracted.
        divisor: What the difference is divided by; never 0.
    """

    kind: str
    offset: NDArray[np.float64]
    divisor: NDArray[np.float64]

    @classmethod
    def none(cls) -> Self:
        """Return the scaling that leaves rows as they are."""
        return cls("none", np.zeros(()), np.ones(()))

    @classmethod
    def divide(cls, by: float) -> Self:
        """Return the scaling that divides by one number."""
        return cls("divide", np.zeros(()), np.asarray(float(by)))

    @classmethod
    def log1p(cls) -> Self:
        """Return the scaling to log(1 + x)."""
        return cls("log1p", np.zeros(()), np.ones(()))

    @classmethod
    def standardise(cls, mean: NDArray[np.float64], spread: NDArray[np.float64]) -> Self:
        """Return the scaling to mean 0 and spread 1 per feature; constants map to 0."""
        return cls("standardise", mean, np.where(spread > 0, spread, 1.0))

    def apply(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return `rows` of shape (rows, ...) in scaled units, float32.

        The difference is taken in float64: a large mean would eat a small spread's digits.
        """
        if self.kind == "none":
            return np.asarray(rows, np.float32)
        if self.kind == "divide":
            return np.asarray(rows, np.float32) / np.float32(self.divisor)
        if self.kind == "log1p":
            return np.log1p(np.asarray(rows, np.float64)).astype(np.float32)
        flat = np.asarray(rows, np.float64).reshape(len(rows), -1)
        scaled = (flat - self.offset) / self.divisor
        return scaled.reshape(rows.shape).astype(np.float32)

    def undo(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """Return scaled `rows` of shape (rows, ...) in the user's units, float64."""
        flat = np.asarray(rows, np.float64).reshape(len(rows), -1)
        if self.kind == "log1p":
            return np.expm1(flat).reshape(rows.shape)
        return (flat * self.divisor + self.offset).reshape(rows.shape)

    def equals(self, other: "Scaling") -> bool:
        """Return whether `other` scales all rows the same."""
        return (
            self.kind == other.kind
            and np.array_equal(self.offset, other.offset)
            and np.array_equal(self.divisor, other.divisor)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the scaling as plain lists and numbers."""
        return {
            "kind": self.kind,
            "offset": self.offset.tolist(),
            "divisor": self.divisor.tolist(),
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        offset, divisor = (np.asarray(plain[key], np.float64) for key in ("offset", "divisor"))
        return cls(str(plain["kind"]), offset, divisor)
