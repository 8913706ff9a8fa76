"""The structure of a model, read off a run of it: layers, latent, output, and what it is for."""

from dataclasses import replace
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.audit.output import Reach, find_last_weighted
from truecopy.audit.subject import Subject
from truecopy.audit.trace import Call, Recorded, as_array
from truecopy.rules.facts import LayerFacts, ModelFacts

Array = NDArray[Any]

_RECURRENT: Final = ("RNN", "SimpleRNN", "LSTM", "GRU", "Bidirectional", "ConvLSTM")
_ACTIVATIONS: Final = {
    "ReLU": "relu",
    "LeakyReLU": "leaky_relu",
    "PReLU": "prelu",
    "ELU": "elu",
    "Softmax": "softmax",
}
# Layers that only move values about: no width of theirs is a bottleneck of its own.
_MOVERS: Final = ("InputLayer", "Flatten", "Reshape", "Permute", "Identity")
_RESAMPLERS: Final = ("UpSampling", "ZeroPadding", "Cropping", "RepeatVector", "Masking")
# A straight line's two ends predict its middle this well in float32.
_STRAIGHT: Final = 1e-3
# A classifier gives a few numbers for many.
_CLASSES: Final = 4


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


def describe_layers(recorded: Recorded, latent: Call | None) -> tuple[LayerFacts, ...]:
    """Return the layers that compute something, in the order of the computation."""
    leaves = [c for c in recorded.leaves() if c.outputs]
    last = find_last_weighted(recorded)
    seen: set[int] = set()
    found, part = [], "encoder"
    for call in leaves:
        if call is latent:
            part = "latent"
        elif part == "latent":
            part = "decoder"
        shown = "output" if call is last and call is not latent else part
        if id(call.layer) in seen or type(call.layer).__name__ in _MOVERS:
            continue
        seen.add(id(call.layer))
        found.append(_describe_layer(call, shown))
    return tuple(found)


def _describe_layer(call: Call, part: str) -> LayerFacts:
    layer = call.layer
    shape = tuple(int(n) for n in call.outputs[0].shape[1:])
    return LayerFacts(
        name=layer.name,
        kind=type(layer).__name__,
        activation=name_activation(layer),
        shape=shape,
        width=int(np.prod(shape)),
        parameters=int(layer.count_params()) if layer.built else 0,
        trainable=bool(layer.trainable),
        part=part,
        sparse=getattr(layer, "activity_regularizer", None) is not None,
        rate=_number(getattr(layer, "rate", None)),
        momentum=_number(getattr(layer, "momentum", None)),
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def find_latent(recorded: Recorded, inputs: Any) -> Call | None:
    """Return the call with the narrowest output between input and output; the first of those.

    Rows of inputs and the output itself are no latent; nor is what only moves values about.
    """
    leaves = recorded.leaves()
    last = find_last_weighted(recorded)
    if last is None:
        return None
    rows = len(keras.tree.flatten(inputs)[0])
    before = leaves[: leaves.index(last)]
    inside = [c for c in before if _carries(c, rows)]
    # What pools or drops without weights is a bottleneck too; what repeats is none.
    return min(inside, key=width_of, default=None)


def _carries(call: Call, rows: int) -> bool:
    kind = type(call.layer).__name__
    if not call.outputs or kind in _MOVERS or kind.startswith(_RESAMPLERS):
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


def describe_model(
    subject: Subject, recorded: Recorded, reach: Reach, number: int, *, straight: bool
) -> ModelFacts:
    """Return the structure of the subject's model, from a run of it on rows."""
    model, last = subject.model, find_last_weighted(recorded)
    latent = find_latent(recorded, subject.inputs)
    output = keras.tree.flatten(recorded.output)[number]
    role, because = find_role(subject, output)
    recurrent = last is not None and type(last.layer).__name__.startswith(_RECURRENT)
    activation = None if last is None else follow_activation(last, recorded)
    if reach.softmax_axis is not None:
        activation = "softmax"
    elif activation is None and reach.bounds != (None, None):
        activation = "custom"
    facts = ModelFacts(
        name=model.name,
        kind=type(model).__name__,
        parameters=int(model.count_params()),
        input_shape=_shape_of(keras.tree.flatten(subject.inputs)[0]),
        output_shape=_shape_of(output),
        role=role,
        role_because=because,
        layers=describe_layers(recorded, latent),
        output_layer="" if last is None else last.layer.name,
        output_activation=activation,
        output_bounds=(-1.0, 1.0) if recurrent and reach.bounds != (None, None) else reach.bounds,
        softmax_axis=reach.softmax_axis,
        squashed_twice=reach.squashed_twice,
        recurrent_output=recurrent,
        nonlinear=not straight,
    )
    if latent is None:
        return facts
    return replace(
        facts,
        latent=width_of(latent),
        latent_layer=latent.layer.name,
        latent_activation=follow_activation(latent, recorded),
        penalised=_is_penalised(model, latent, recorded),
        noise=_has_noise(recorded, latent),
    )


def _shape_of(rows: Any) -> tuple[int | None, ...]:
    return tuple(int(n) for n in rows.shape[1:])


def _is_penalised(model: Any, latent: Call, recorded: Recorded) -> bool:
    """Say whether a penalty acts on what the encoder gives."""
    leaves = recorded.leaves()
    encoder = leaves[: leaves.index(latent) + 2]
    if any(getattr(c.layer, "activity_regularizer", None) is not None for c in encoder):
        return True
    own = [loss for c in recorded.calls for loss in c.layer._losses]  # noqa: SLF001 (add_loss)
    return bool(own) or bool(model._losses)  # noqa: SLF001 (Keras 3.15: what add_loss gathered)


def _has_noise(recorded: Recorded, latent: Call) -> bool:
    """Say whether a layer up to the latent makes noise in training, by what it is called."""
    leaves = recorded.leaves()
    encoder = leaves[: leaves.index(latent) + 2]
    return any(
        "Noise" in (kind := type(c.layer).__name__) or ("Dropout" in kind and c.layer.rate > 0)
        for c in encoder
    )


def find_role(subject: Subject, output: Any) -> tuple[str, str]:
    """Return what the model is for, and why it is thought so."""
    inputs = keras.tree.flatten(subject.inputs)
    if len(inputs) > 1:
        return "several-inputs", f"It takes {len(inputs)} inputs."
    given, made = inputs[0], _shape_of(output)
    wanted = given if subject.targets is None else subject.targets
    size, asked, copied = (int(np.prod(s)) for s in (given.shape[1:], wanted.shape[1:], made))
    words = f"It gives {made} for inputs {tuple(given.shape[1:])}"
    if size in {asked, copied}:
        return "autoencoder", ""
    if given.ndim == wanted.ndim and given.ndim > 2:  # noqa: PLR2004 (rows of more than values)
        return "autoencoder", ""
    if asked * _CLASSES <= size and _is_labels(np.asarray(wanted)):
        return "classifier", f"{words}, and its targets are classes."
    if subject.targets is None or subject.targets is subject.inputs:
        return "encoder", f"{words} and nothing gives the input back."
    return "other", f"{words}, and its targets are no copy of them."


def _is_labels(targets: Array) -> bool:
    whole = np.issubdtype(targets.dtype, np.number) and (targets == np.rint(targets)).all()
    return bool(whole)


def is_straight(model: Any, inputs: Array, number: int) -> bool:
    """Say whether the model is affine: the middle of two rows gives the middle of two outputs."""
    half = len(inputs) // 2
    if half == 0 or not np.issubdtype(inputs.dtype, np.floating):
        return False
    one, other = inputs[:half], inputs[half : 2 * half]
    middle = ((one.astype(np.float64) + other) / 2).astype(inputs.dtype)
    ends = [
        as_array(keras.tree.flatten(model(rows, training=False))[number]).astype(np.float64)
        for rows in (one, other, middle)
    ]
    expected = (ends[0] + ends[1]) / 2
    spread = max(float(expected.std()), 1e-12)
    return bool(np.abs(ends[2] - expected).max() < _STRAIGHT * spread)
