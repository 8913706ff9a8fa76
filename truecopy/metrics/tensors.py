"""Batches as the Keras metrics need them: checked pairs, weights of rows, means over a row."""

import math
from typing import Any

from keras import ops

from truecopy.errors import InvalidArgument


def as_pair(metric: Any, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return both as tensors of the metric's type; refuse shapes that differ."""
    target, prediction = (
        ops.cast(ops.convert_to_tensor(values), metric.dtype) for values in (y_true, y_pred)
    )
    shapes = [tuple(tensor.shape) for tensor in (target, prediction)]
    sizes = zip(*(shape[1:] for shape in shapes), strict=False)
    # TensorFlow may not know a size when it traces.
    fits = all(a == b or None in {a, b} for a, b in sizes)
    if len(shapes[0]) != len(shapes[1]) or not fits:
        must_be = f"of the targets' shape {shapes[0]}"
        raise InvalidArgument("y_pred", type(metric).__name__, must_be, got=shapes[1])
    return target, prediction


def row_weights(values: Any, sample_weight: Any) -> Any:
    """Return one weight per row, shape and type of `values`; 1 where none are given."""
    if sample_weight is None:
        return ops.ones_like(values)
    weights = ops.cast(ops.convert_to_tensor(sample_weight), values.dtype)
    # Keras' losses of images want weights (rows, 1, 1).
    if set(weights.shape[1:]) - {1, None}:
        must_be = "one weight per row"
        raise InvalidArgument("sample_weight", "update_state", must_be, got=tuple(weights.shape))
    return ops.broadcast_to(ops.reshape(weights, (-1,)), ops.shape(values))


def flat(rows: Any) -> Any:
    """Return (rows, values)."""
    if None in rows.shape[1:]:
        return ops.reshape(rows, (ops.shape(rows)[0], -1))
    # TensorFlow keeps the number of values only if it is given, and not that of rows.
    return ops.reshape(rows, (-1, math.prod(rows.shape[1:])))


def row_means(values: Any) -> Any:
    """Return the mean of each row's values, shape (rows,)."""
    return ops.mean(flat(values), axis=1)
