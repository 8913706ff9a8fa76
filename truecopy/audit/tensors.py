"""Arrays to tensors as `fit` hands them on, and back; rows as the probe compares them."""

from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_STEEPEST: Final = 80.0  # a sigmoid's argument beyond which single precision has only 0 and 1


def flat(values: Array) -> Array:
    """Return rows of any shape as (rows, values) in float64."""
    return values.reshape(len(values), -1).astype(np.float64)


def squash(logits: Array) -> Array:
    """Return the probabilities that logits stand for."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -_STEEPEST, _STEEPEST))))


def to_tensor(values: Any) -> Any:
    """Return rows as `fit` hands them on: floats in Keras' float type, integers as they are.

    Keras 3.15's array adapters do the same.
    """
    if isinstance(values, np.ndarray) and values.dtype.kind == "f":
        values = values.astype(keras.config.floatx())
    return keras.ops.convert_to_tensor(values)


def to_float(value: Any) -> float:
    """Return a scalar tensor, or the mean of another, as a number."""
    return float(np.mean(np.asarray(keras.ops.convert_to_numpy(value), np.float64)))
