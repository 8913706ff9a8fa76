"""Arrays to tensors as `fit` hands them on, and back."""

from typing import Any

import keras
import numpy as np


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
