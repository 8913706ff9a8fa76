"""What a model answers now, in the shape of its targets where it answers several things."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.audit.preserve import unchanged
from truecopy.audit.tensors import to_tensor

Array = NDArray[Any]


def see_output(model: Any, inputs: Array, shape: tuple[int, ...]) -> Array | None:
    """Return the model's output for rows in inference mode; None where it can't be called.

    Args:
        model: It is left as it was.
        inputs: Shape (rows, ...).
        shape: That of one target; of several outputs the first with this shape is taken, else
            the first.
    """
    try:
        with unchanged(model):
            given = model(to_tensor(inputs), training=False)
    except Exception:  # noqa: BLE001 - models without a `call` are trained by their own step
        return None
    tensors = [t for t in keras.tree.flatten(given) if hasattr(t, "shape")]
    if not tensors:
        return None
    fitting = [t for t in tensors if tuple(t.shape[1:]) == shape]
    return np.asarray(keras.ops.convert_to_numpy((fitting or tensors)[0]), np.float32)
