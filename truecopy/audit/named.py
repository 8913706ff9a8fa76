"""The activation of a layer: its own by name, what follows it by its numbers.

`keras.ops.relu(self.code(x))`, a Lambda or a layer of the user's has no name that says what it
computes. The values before and after it do.
"""

from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.audit.trace import Call, Recorded, as_array

Array = NDArray[Any]

_LAYERS: Final = {
    "ReLU": "relu",
    "LeakyReLU": "leaky_relu",
    "PReLU": "prelu",
    "ELU": "elu",
    "Softmax": "softmax",
}
# In the order in which they are tried: relu before relu6, which is the same up to 6.
_KNOWN: Final = (
    "relu",
    "sigmoid",
    "tanh",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "softplus",
    "softsign",
    "relu6",
    "hard_sigmoid",
    "hard_tanh",
    "exponential",
)
# Of the largest value, in units of the number type's own precision: sums in another order.
_ROUNDING: Final = 200.0
# Enough values to tell any two of them apart.
_VALUES: Final = 4096


def name_activation(layer: Any) -> str | None:
    """Return the name of the activation a layer says it applies last; None where it has none."""
    kind = type(layer).__name__
    if kind in _LAYERS:
        return _LAYERS[kind]
    inner = getattr(layer, "layer", None) if kind == "TimeDistributed" else None
    if kind == "Bidirectional":
        inner = layer.forward_layer
    function = getattr(inner or layer, "activation", None)
    if function is None:
        return "custom" if kind == "Lambda" else None
    name = getattr(function, "__name__", None) or getattr(function, "name", None)
    if name == "linear":
        return None
    known = name and hasattr(keras.activations, name)
    return name if known else "custom"


def name_by_numbers(before: Any, after: Any) -> str | None:
    """Return the known activation that turns one tensor into another; None where none does.

    None, too, where both are the same: nothing was applied.
    """
    if tuple(before.shape) != tuple(after.shape):
        return None
    given, wanted = as_array(before), as_array(after)
    if given.dtype.kind != "f" or given.size == 0 or not np.isfinite(given).all():
        return None
    # Always as many, so that nothing is compiled again for another shape.
    some, made = (np.resize(values, _VALUES) for values in (given, wanted))
    if _is_near(some, made):
        return None
    tensor = keras.ops.convert_to_tensor(some)
    for name in _KNOWN:
        if _is_near(as_array(getattr(keras.activations, name)(tensor)), made):
            return name
    return "softmax" if _is_near(_soften(given), wanted) else None


def _is_near(made: Array, wanted: Array) -> bool:
    close = _ROUNDING * float(np.finfo(wanted.dtype).eps) if wanted.dtype.kind == "f" else 0.0
    exact = wanted.astype(np.float64)
    size = max(float(np.abs(exact).max()), 1e-6)
    return bool(np.abs(made.astype(np.float64) - exact).max() <= close * size)


def _soften(values: Array) -> Array:
    shares = np.exp(values - values.max(axis=-1, keepdims=True), dtype=np.float64)
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True))


def name_applied(call: Call, recorded: Recorded) -> tuple[str | None, Any]:
    """Return what is applied last in a call and right after it by a bare operation.

    Returns:
        The activation's name, None where there is none; and the values it gives.
    """
    own, values = name_activation(call.layer), call.outputs[0]
    if own in {None, "custom"} and not call.layer.weights and call.inputs:
        own = name_by_numbers(call.inputs[0], values) or own
    for tensor in _made_bare(call, recorded):
        name = name_by_numbers(values, tensor)
        if name is not None:
            return name, tensor
    return own, values


def follow_activation(call: Call, recorded: Recorded) -> str | None:
    """Return the activation of what a layer gives, its own or that of what comes after it."""
    found, _ = name_applied(call, recorded)
    users = _leaves_using(call, recorded)
    # A Dropout that gives back the very tensor it took has the tensor's other users for its own.
    while users and (len(users) == 1 or _passes(users[0])) and users[0].outputs:
        after = users[0]
        if after.outputs[0].shape != call.outputs[0].shape or after.layer.trainable_weights:
            batch_norm = type(after.layer).__name__.endswith("Normalization")
            if not batch_norm:
                break
        found = name_applied(after, recorded)[0] or found
        call, users = after, _leaves_using(after, recorded)
    return found


def _passes(call: Call) -> bool:
    return any(given is taken for given in call.outputs for taken in call.inputs)


def _leaves_using(call: Call, recorded: Recorded) -> list[Call]:
    """Return the later calls that took what a call gave."""
    leaves = recorded.leaves()
    given = {id(tensor) for tensor in call.outputs}
    later = leaves[leaves.index(call) + 1 :]
    return [user for user in later if any(id(tensor) in given for tensor in user.inputs)]


def _made_bare(call: Call, recorded: Recorded) -> list[Any]:
    """Return the tensors of this call's shape, used next or given at the end, that no layer made.

    Of what is used, the first that comes after the call: what follows is no longer its own.
    """
    if _leaves_using(call, recorded):
        return []
    leaves = recorded.leaves()
    place = leaves.index(call) + 1
    made = {id(tensor) for leaf in leaves[:place] for tensor in leaf.outputs}
    found: list[Any] = []
    for leaf in leaves[place:]:
        found += [tensor for tensor in leaf.inputs if id(tensor) not in made and not found]
        made |= {id(tensor) for tensor in leaf.outputs}
    ends = keras.tree.flatten(recorded.output)
    found += [t for t in ends if hasattr(t, "shape") and id(t) not in made]
    return [t for t in found if tuple(t.shape) == tuple(call.outputs[0].shape)]
