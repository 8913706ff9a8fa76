"""The structure of a model, read off a run of it: layers, latent, output, and what it is for."""

from dataclasses import replace
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.audit.latent import (
    MOVERS,
    has_noise,
    is_penalised,
    width_of,
)
from truecopy.audit.lossfunction import overrides
from truecopy.audit.named import follow_activation, name_applied
from truecopy.audit.output import Reach, find_last_weighted
from truecopy.audit.subject import Subject
from truecopy.audit.trace import Call, Recorded, as_array, kernels_of
from truecopy.rules.measured import RECURRENT
from truecopy.rules.modelfacts import LayerFacts, ModelFacts

Array = NDArray[Any]

# A top-k keeps at most half of the values, as many in nearly all rows, and others in other rows;
# what a relu leaves differs from row to row, and what dead units leave stays where it is.
_FEW: Final = 0.5
_NEARLY_ALL: Final = 0.9
_SPREAD_OUT: Final = 1.5
_LEAST_ROWS: Final = 8
# A straight line's two ends predict its middle this well in float32.
_STRAIGHT: Final = 1e-3
# A classifier gives a few numbers for many.
_CLASSES: Final = 4
# The axes of rows that are vectors; images and sequences have more.
_VECTORS: Final = 2
_WHY: Final = {
    "classifier": ", and its targets are classes.",
    "encoder": " and nothing gives the input back.",
    "other": ", and its targets are no copy of them.",
}


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
        if id(call.layer) in seen or type(call.layer).__name__ in MOVERS:
            continue
        seen.add(id(call.layer))
        found.append(_describe_layer(call, recorded, shown))
    return tuple(found)


def _describe_layer(call: Call, recorded: Recorded, part: str) -> LayerFacts:
    layer = call.layer
    shape = tuple(int(n) for n in call.outputs[0].shape[1:])
    return LayerFacts(
        name=layer.name,
        kind=type(layer).__name__,
        activation=name_applied(call, recorded)[0],
        shape=shape,
        width=int(np.prod(shape)),
        parameters=int(layer.count_params()) if layer.built else 0,
        trainable=bool(layer.trainable),
        part=part,
        sparse=getattr(layer, "activity_regularizer", None) is not None or _keeps_few(call),
        rate=_number(getattr(layer, "rate", None)),
        momentum=_number(getattr(layer, "momentum", None)),
    )


def _keeps_few(call: Call) -> bool:
    """Tell whether nearly all rows have the same small number of values, at changing places."""
    values = as_array(call.outputs[0])
    rows = values.reshape(len(values), -1) != 0
    counts = rows.sum(axis=1)
    kept = int(counts.max(initial=0))
    if not 0 < kept <= rows.shape[1] * _FEW or len(rows) < _LEAST_ROWS:
        return False
    steady = float((counts == kept).mean()) >= _NEARLY_ALL
    return bool(steady and rows.any(axis=0).sum() > _SPREAD_OUT * kept)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def describe_model(
    subject: Subject,
    recorded: Recorded,
    reach: Reach,
    number: int,
    *,
    straight: bool,
    latent: Call | None,
) -> ModelFacts:
    """Return the structure of the subject's model, from a run of it on rows."""
    model, last = subject.model, find_last_weighted(recorded)
    output = keras.tree.flatten(recorded.output)[number]
    role, because = find_role(subject, output)
    recurrent = last is not None and type(last.layer).__name__.startswith(RECURRENT)
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
        first_input=_first_input(recorded),
    )
    if latent is None:
        return facts
    return replace(
        facts,
        latent=width_of(latent, recorded),
        latent_layer=latent.layer.name,
        latent_activation=follow_activation(latent, recorded),
        penalised=is_penalised(model, latent, recorded),
        noise=has_noise(recorded, latent),
    )


def _first_input(recorded: Recorded) -> tuple[float, float] | None:
    """Return the range of what reaches the first layer with weights to train."""
    weighted = (c for c in recorded.leaves() if kernels_of(c.layer) and c.inputs)
    first = next(weighted, None)
    if first is None:
        return None
    values = as_array(first.inputs[0])
    return float(values.min()), float(values.max())


def _shape_of(rows: Any) -> tuple[int | None, ...]:
    return tuple(int(n) for n in rows.shape[1:])


def find_role(subject: Subject, output: Any) -> tuple[str, str]:
    """Return what the model is for, and why it is thought so."""
    inputs = keras.tree.flatten(subject.inputs)
    if len(inputs) > 1:
        return "several-inputs", f"It takes {len(inputs)} inputs."
    given = inputs[0]
    wanted = given if subject.targets is None else subject.targets
    role = _compare_sizes(subject, given, wanted, output)
    if _is_one_hot(wanted) and not _is_one_hot(given):
        role = "classifier"
    if role == "autoencoder":
        return role, ""
    return role, f"It gives {_shape_of(output)} for inputs {_shape_of(given)}{_WHY[role]}"


def _compare_sizes(subject: Subject, given: Any, wanted: Any, output: Any) -> str:
    size, asked, copied = (int(np.prod(rows.shape[1:])) for rows in (given, wanted, output))
    if size == copied or (size == asked and _is_copy(subject.model, output, size)):
        return "autoencoder"
    if given.ndim == wanted.ndim and given.ndim > _VECTORS:
        return "autoencoder"
    if asked * _CLASSES <= size and _is_labels(np.asarray(wanted)):
        return "classifier"
    return "encoder" if subject.targets is None or size == asked else "other"


def _is_copy(model: Any, output: Any, size: int) -> bool:
    """Say whether an output of another size than its targets is meant as a copy all the same.

    It is, wrongly made, where it is broadcast or hardly smaller. What a step of the user's own
    makes of it can't be told.
    """
    step = overrides(model, "train_step") or overrides(model, "compute_loss")
    return step or 1 in output.shape[1:] or int(np.prod(output.shape[1:])) * 2 > size


def _is_one_hot(rows: Any) -> bool:
    """Say whether rows are vectors with a single 1."""
    values = np.asarray(rows)
    if values.ndim != _VECTORS or values.shape[1] == 1:
        return False
    return bool(np.isin(values, (0, 1)).all() and (values.sum(axis=1) == 1).all())


def _is_labels(targets: Array) -> bool:
    whole = np.issubdtype(targets.dtype, np.number) and (targets == np.rint(targets)).all()
    return bool(whole)


def is_straight(model: Any, inputs: Any, number: int) -> bool:
    """Say whether the model is affine: the middle of two rows gives the middle of two outputs."""
    half = len(inputs) // 2
    if (
        half == 0
        or not isinstance(inputs, np.ndarray)
        or not np.issubdtype(inputs.dtype, np.floating)
    ):
        return False
    one, other = inputs[:half], inputs[half : 2 * half]
    middle = ((one.astype(np.float64) + other) / 2).astype(inputs.dtype)
    together = np.concatenate([one, other, middle])
    given = as_array(keras.tree.flatten(model(together, training=False))[number])
    ends = np.split(given.astype(np.float64), 3)
    expected = (ends[0] + ends[1]) / 2
    spread = max(float(expected.std()), 1e-12)
    return bool(np.abs(ends[2] - expected).max() < _STRAIGHT * spread)


def pick_output(subject: Subject, recorded: Recorded) -> int:
    """Return which of the model's outputs is compared with the targets: the first of their size."""
    outputs = keras.tree.flatten(recorded.output)
    wanted = subject.inputs if subject.targets is None else subject.targets
    size = int(np.prod(keras.tree.flatten(wanted)[0].shape[1:]))
    for number, output in enumerate(outputs):
        if int(np.prod(output.shape[1:])) == size:
            return number
    return 0


def describe_unused(subject: Subject) -> ModelFacts:
    """Return what can be said of a model without running it."""
    model = subject.model
    several = len(getattr(model, "inputs", None) or ()) > 1
    shapes = [getattr(model, name, None) for name in ("input_shape", "output_shape")]
    made, given = (tuple(shape[1:]) if isinstance(shape, tuple) else () for shape in shapes[::-1])
    return ModelFacts(
        name=model.name,
        kind=type(model).__name__,
        parameters=int(model.count_params()) if model.built else 0,
        input_shape=given,
        output_shape=made,
        role="several-inputs" if several else "autoencoder",
        role_because=f"It takes {len(model.inputs)} inputs." if several else "",
    )
