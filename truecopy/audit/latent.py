"""The latent of a model: where it is, what acts on it, and what goes around it."""

from typing import Any, Final

import keras
import numpy as np

from truecopy.audit.output import find_last_weighted
from truecopy.audit.trace import Call, Recorded, as_array, overriding

_ACTIVATIONS: Final = {
    "ReLU": "relu",
    "LeakyReLU": "leaky_relu",
    "PReLU": "prelu",
    "ELU": "elu",
    "Softmax": "softmax",
}
# Layers that only move values about: no width of theirs is a bottleneck of its own.
MOVERS: Final = ("InputLayer", "Flatten", "Reshape", "Permute", "Identity")
_RESAMPLERS: Final = ("UpSampling", "ZeroPadding", "Cropping", "RepeatVector", "Masking")
# Of the largest output: what differs by less is the same to float32.
_STILL: Final = 1e-5


def name_activation(layer: Any) -> str | None:
    """Return the name of the activation a layer applies last; None where it applies none."""
    kind = type(layer).__name__
    if kind in _ACTIVATIONS:
        return _ACTIVATIONS[kind]
    inner = getattr(layer, "layer", None) if kind == "TimeDistributed" else None
    function = getattr(inner or layer, "activation", None)
    if function is None:
        return "custom" if kind == "Lambda" else None
    name = getattr(function, "__name__", None) or getattr(function, "name", None)
    if name == "linear":
        return None
    known = name and hasattr(keras.activations, name)
    return name if known else "custom"


def find_latent(recorded: Recorded) -> Call | None:
    """Return the call with the narrowest output between input and output; the first of those.

    Rows of inputs and the output itself are no latent; nor is what only moves values about.
    """
    leaves = recorded.leaves()
    last = find_last_weighted(recorded)
    if last is None:
        return None
    rows = len(keras.tree.flatten(recorded.output)[0])
    before = leaves[: leaves.index(last)]
    inside = [c for c in before if _carries(c, rows)]
    # What pools without weights is a bottleneck, too.
    return min(inside, key=width_of, default=None)


def _carries(call: Call, rows: int) -> bool:
    kind = type(call.layer).__name__
    if not call.outputs or kind in MOVERS or kind.startswith(_RESAMPLERS):
        return False
    shape = call.outputs[0].shape
    return len(shape) > 1 and shape[0] == rows and len(call.outputs) == 1


def width_of(call: Call) -> int:
    """Return the number of values a call gives for one row."""
    return int(np.prod([int(n) for n in call.outputs[0].shape[1:]]))


def follow_activation(call: Call, recorded: Recorded) -> str | None:
    """Return the activation of what a layer gives, its own or that of the layers after it."""
    found = name_activation(call.layer)
    users = recorded.users(call)
    while len(users) == 1 and not users[0].inside and users[0].outputs:
        after = users[0]
        if after.outputs[0].shape != call.outputs[0].shape or after.layer.trainable_weights:
            batch_norm = type(after.layer).__name__.endswith("Normalization")
            if not batch_norm:
                break
        found = name_activation(after.layer) or found
        call, users = after, recorded.users(after)
    return found


def measure_bypass(model: Any, inputs: Any, latent: Call, number: int) -> float | None:
    """Return the share of the output's spread that doesn't come through the latent.

    Each row is run with the latent of the row before it: the output is that row's own where all
    of it comes through the latent. None where the output hardly differs between rows.
    """

    def run() -> Any:
        return as_array(keras.tree.flatten(model(inputs, training=False))[number]).astype(float)

    def swap(given: Any) -> Any:
        return keras.ops.roll(given, 1, axis=0)

    own = run()
    with overriding({latent.layer: swap}):
        swapped = run()
    before = np.roll(own, 1, axis=0)
    difference = float(np.sqrt(np.square(own - before).mean()))
    if difference <= _STILL * float(np.abs(own).max()):
        return None
    return float(np.sqrt(np.square(swapped - before).mean())) / difference


def is_penalised(model: Any, latent: Call, recorded: Recorded) -> bool:
    """Say whether a penalty acts on what the encoder gives."""
    leaves = recorded.leaves()
    encoder = leaves[: leaves.index(latent) + 2]
    if any(getattr(c.layer, "activity_regularizer", None) is not None for c in encoder):
        return True
    own = [loss for c in recorded.calls for loss in c.layer._losses]  # noqa: SLF001 (add_loss)
    return bool(own) or bool(model._losses)  # noqa: SLF001 (Keras 3.15: what add_loss gathered)


def has_noise(recorded: Recorded, latent: Call) -> bool:
    """Say whether a layer up to the latent makes noise in training, by what it is called."""
    leaves = recorded.leaves()
    encoder = leaves[: leaves.index(latent) + 2]
    return any(
        "Noise" in (kind := type(c.layer).__name__) or ("Dropout" in kind and c.layer.rate > 0)
        for c in encoder
    )
