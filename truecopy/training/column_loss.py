"""The loss of a table: each column's own, so weighted that all columns count the same.

Cells that are missing, NaN in the target, are left out of the loss and of the metric.
"""

from typing import Any, Final, final

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.facts import ColumnFacts

_CATEGORICAL: Final = "categorical_crossentropy"


def mse(target: Any, prediction: Any) -> Any:
    """Mean squared error over the features of a row that are not NaN; 0 where all are."""
    known, present = _mask(target)
    errors = known * keras.ops.square(prediction - present)
    return keras.ops.sum(errors, axis=-1) / keras.ops.maximum(keras.ops.sum(known, axis=-1), 1)


@final
class ColumnLoss:
    """The mean over a row's known columns of the loss, in parts of its best constant's.

    1 is a copy that learned nothing, 0 a perfect one. A missing cell, NaN in the target, adds
    nothing, and no gradient.
    """

    __name__ = "column_loss"

    def __init__(self, columns: tuple[ColumnFacts, ...]) -> None:
        # One part per category, one for all neighbours of another loss: fewer operations.
        self._parts: list[tuple[str, NDArray[np.float32]]] = []
        for column in columns:
            weight = np.full(column.width, 1 / column.floor, np.float32)
            if self._parts and column.loss == self._parts[-1][0] != _CATEGORICAL:
                weight = np.concatenate([self._parts.pop()[1], weight])
            self._parts.append((column.loss, weight))

    def __call__(self, target: Any, prediction: Any) -> Any:
        """Return the loss of each row, shape (rows,)."""
        known, present = _mask(target)
        total = count = 0.0
        first = 0
        for loss, weight in self._parts:
            end = first + len(weight)
            y, p, seen = (part[:, first:end] for part in (present, prediction, known))
            first = end
            # A tensor: NumPy would take PyTorch's product over.
            scale = keras.ops.convert_to_tensor(weight)
            total = total + keras.ops.sum(seen * _COSTS[loss](y, p) * scale, axis=-1)
            # The features of a category are missing all together: they count as one.
            one = loss == _CATEGORICAL
            count = count + (seen[:, 0] if one else keras.ops.sum(seen, axis=-1))
        return total / keras.ops.maximum(count, 1)


def _mask(target: Any) -> tuple[Any, Any]:
    """Return 1 where the target is known and 0 where it is NaN, and it with 0 there."""
    missing = keras.ops.isnan(target)
    known = keras.ops.cast(keras.ops.logical_not(missing), "float32")
    return known, keras.ops.where(missing, keras.ops.zeros_like(target), target)


def _binary_cost(y: Any, p: Any) -> Any:
    epsilon = keras.config.epsilon()
    p = keras.ops.clip(p, epsilon, 1 - epsilon)
    return -(y * keras.ops.log(p) + (1 - y) * keras.ops.log(1 - p))


def _categorical_cost(y: Any, p: Any) -> Any:
    return -y * keras.ops.log(keras.ops.maximum(p, keras.config.epsilon()))


_COSTS: Final = {
    "mse": lambda y, p: keras.ops.square(p - y),
    "binary_crossentropy": _binary_cost,
    _CATEGORICAL: _categorical_cost,
}
