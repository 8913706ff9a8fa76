"""Units that do nothing: dead, saturated or never trained, layer by layer."""

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.audit.named import name_applied
from truecopy.audit.preserve import unchanged
from truecopy.audit.subject import Subject
from truecopy.audit.tensors import flat
from truecopy.audit.trace import Call, Recorded, as_array, record
from truecopy.rules.modelfacts import LayerFacts

Array = NDArray[Any]

# The bounds of the activations that have two.
_BOUNDED: Final = {
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
}
# Activations that are exactly 0 for half of all numbers.
_CUT: Final = ("relu", "relu6")
# Rows for each unit from which a linear map of them can be estimated.
_ROWS_A_UNIT: Final = 4
# Of the distance between the bounds: nearer than this the slope of a sigmoid is below 0.01.
_NEAR: Final = 0.01
# A unit at a bound on nearly all rows says as much as a constant.
_NEARLY_ALL: Final = 0.95
# Where fewer of a layer's values are at a bound, it doesn't matter since when.
_MANY: Final = 0.5


def measure_units(
    layers: tuple[LayerFacts, ...], recorded: Recorded, subject: Subject
) -> tuple[LayerFacts, ...]:
    """Return the layers with what their units do on the rows, and how far weights have moved."""
    calls: dict[str, Call] = {}
    for call in recorded.leaves():
        calls.setdefault(call.layer.name, call)
    start = _by_variable(subject)
    return tuple(
        _measure_layer(layer, calls[layer.name], recorded, start, subject) for layer in layers
    )


def _measure_layer(
    layer: LayerFacts,
    call: Call,
    recorded: Recorded,
    start: dict[int, Array],
    subject: Subject,
) -> LayerFacts:
    weights = [(as_array(w.value), start.get(id(w))) for w in call.layer.weights]
    facts = replace(
        layer,
        finite=all(bool(np.isfinite(now).all()) for now, _ in weights if now.dtype.kind == "f"),
        changed=_distance([(now, then) for now, then in weights if then is not None]),
        same_weights=_are_same([now if then is None else then for now, then in weights]),
    )
    activation, given = name_applied(call, recorded)
    if activation is None or activation == "softmax":
        return facts
    values = as_array(given)
    if getattr(call.layer, "data_format", None) == "channels_first":
        values = np.moveaxis(values, 1, -1)
    rows = values.reshape(-1, values.shape[-1])
    dead = np.ptp(rows, axis=0) == 0
    # Units that are handed the same for all rows are not to blame.
    starved = dead.all() and all(map(_is_constant, call.inputs))
    saturated = at_bound = None
    if activation in _BOUNDED:
        near = _find_at_bound(rows, activation)
        saturated = int((near.mean(axis=0) > _NEARLY_ALL).sum())
        at_bound = float(near.mean())
    clipped = None
    if layer.part == "latent" and activation in _CUT:
        clipped = _measure_clipped(call, rows, subject)
    return replace(
        facts,
        clipped=clipped,
        units=rows.shape[1],
        share_zero=float((rows == 0).mean()),
        dead=None if starved else int(dead.sum()),
        saturated=saturated,
        at_bound=at_bound,
    )


def _are_same(weights: list[Array]) -> bool:
    """Whether each of the weights that multiply (a kernel, no bias) is one number throughout."""
    kernels = [values for values in weights if values.ndim > 1 and values.size > 1]
    return bool(kernels) and not any(np.ptp(values) for values in kernels)


def _is_constant(given: Any) -> bool:
    """Whether a layer's input is the same for all rows."""
    values = as_array(given)
    return len(values) > 1 and not np.ptp(values, axis=0).any()


def _measure_clipped(call: Call, codes: Array, subject: Subject) -> float | None:
    """Return what of the targets' variance was explained by the codes before they were clipped.

    Of dense layers only, whose values before the activation are known from their weights.
    """
    layer, count = call.layer, len(codes)
    if type(layer).__name__ != "Dense" or subject.targets is None or len(call.inputs) != 1:
        return None
    given = as_array(call.inputs[0]).astype(np.float64)
    targets = flat(np.asarray(subject.targets)[:count])
    if given.ndim != 2 or len(targets) != count or count < _ROWS_A_UNIT * (codes.shape[1] + 1):  # noqa: PLR2004
        return None
    weights = [as_array(weight.value).astype(np.float64) for weight in layer.weights]
    before = given @ weights[0] + (weights[1] if len(weights) > 1 else 0.0)
    return float(_explain(before, targets) - _explain(codes.astype(np.float64), targets))


def _explain(codes: Array, targets: Array) -> float:
    """Return the share of the targets' variance that a linear map of the codes explains."""
    moved = targets - targets.mean(axis=0)
    left = codes - codes.mean(axis=0)
    fitted = left @ np.linalg.lstsq(left, moved, rcond=None)[0]
    total = float(np.square(moved).sum())
    return 1 - float(np.square(moved - fitted).sum()) / total if total > 0 else 0.0


def _find_at_bound(rows: Array, activation: str) -> Array:
    low, high = _BOUNDED[activation]
    margin = _NEAR * (high - low)
    near: Array = (rows < low + margin) | (rows > high - margin)
    return near


def measure_start(
    layers: tuple[LayerFacts, ...], subject: Subject, rows: Any
) -> tuple[LayerFacts, ...]:
    """Return the layers with what was at a bound before the training, where much is now.

    Args:
        layers: As `measure_units` gives them.
        subject: What is audited; without its initial weights nothing is added.
        rows: The inputs that were looked at.
    """
    hidden = [layer for layer in layers if layer.part != "output"]
    if subject.initial_weights is None or not any((h.at_bound or 0.0) >= _MANY for h in hidden):
        return layers
    with unchanged(subject.model):
        subject.model.set_weights(subject.initial_weights)
        recorded = record(subject.model, rows)
        fresh: dict[str, float] = {}
        for call in recorded.leaves():
            activation, given = name_applied(call, recorded)
            if activation in _BOUNDED:
                near = _find_at_bound(as_array(given), activation)
                fresh.setdefault(call.layer.name, float(near.mean()))
    return tuple(replace(layer, at_bound_fresh=fresh.get(layer.name)) for layer in layers)


def _by_variable(subject: Subject) -> dict[int, Array]:
    """Return the weights before the training watched, by the identity of their variable."""
    now = subject.model.weights
    before = subject.initial_weights
    if before is None or len(before) != len(now):
        return {}
    return {id(w): then for w, then in zip(now, before, strict=True)}


def _distance(pairs: list[tuple[Array, Array]]) -> float | None:
    """Return how far weights moved, divided by their norm before; None without weights."""
    floats = [(now, then) for now, then in pairs if now.dtype.kind == "f"]
    if not floats:
        return None
    moved = sum(float(np.square(now - then, dtype=np.float64).sum()) for now, then in floats)
    size = sum(float(np.square(then, dtype=np.float64).sum()) for _, then in floats)
    return float(np.sqrt(moved / size)) if size else (np.inf if moved else 0.0)


def measure_updates(
    layers: tuple[LayerFacts, ...], before: dict[str, list[Array]], after: dict[str, list[Array]]
) -> dict[str, float | None]:
    """Return per layer how far one step moved its weights, relative to their norm."""
    return {
        layer.name: _distance(list(zip(after[layer.name], before[layer.name], strict=True)))
        for layer in layers
        if layer.name in before
    }
