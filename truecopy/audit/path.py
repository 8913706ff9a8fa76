"""Of a model with several outputs, the layers on the way to one of them."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.audit.preserve import unchanged
from truecopy.audit.trace import Recorded, as_array, overriding

Array = NDArray[Any]


def keep_path(model: Any, inputs: Any, recorded: Recorded, number: int) -> Recorded:
    """Return a run without the calls that lead to other outputs alone.

    Each layer is changed in turn, and it is looked at which outputs change. What changes none
    stays: that nothing depends on a layer may be the fault.

    Args:
        model: It is left as it was.
        inputs: The rows of the run.
        recorded: The run.
        number: Which of the flattened outputs is meant.
    """
    if len(keras.tree.flatten(recorded.output)) == 1:
        return recorded
    plain = _outputs(model, inputs)
    layers = {id(call.layer): call.layer for call in recorded.leaves()}
    aside: set[int] = set()
    for layer in layers.values():
        with overriding({layer: _disturb}):
            given = _outputs(model, inputs)
        moved = [
            not np.array_equal(a, b, equal_nan=True) for a, b in zip(plain, given, strict=True)
        ]
        if any(moved) and not moved[number]:
            aside.add(id(layer))
    calls = [call for call in recorded.calls if id(call.layer) not in aside]
    return Recorded(calls=calls, output=recorded.output)


def _outputs(model: Any, inputs: Any) -> list[Array]:
    # The same random numbers every time, so that only the disturbance shows.
    with unchanged(model):
        return [as_array(t) for t in keras.tree.flatten(model(inputs, training=False))]


def _disturb(given: Any) -> Any:
    """Return other values of the same kind: those of other rows, and a little off."""

    def move(tensor: Any) -> Any:
        rolled = keras.ops.roll(tensor, 1, axis=0)
        floating = "float" in keras.backend.standardize_dtype(tensor.dtype)
        return keras.ops.add(keras.ops.multiply(rolled, 1.5), 0.25) if floating else rolled

    return keras.tree.map_structure(move, given)
