"""The latent of a model: where it is, what acts on it, and what goes around it."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np

from truecopy.audit.output import find_last_weighted
from truecopy.audit.trace import Call, Recorded, as_array, kernels_of, overriding

# Layers that only move values about: no width of theirs is a bottleneck of its own.
MOVERS: Final = ("InputLayer", "Flatten", "Reshape", "Permute", "Identity")
# Corruption is what our own trainer calls it.
_NOISE: Final = ("Noise", "Corruption")
_RESAMPLERS: Final = ("UpSampling", "ZeroPadding", "Cropping", "RepeatVector", "Masking")
# What comes around a latent below this is rounding, or a small correction.
_ALL_THROUGH: Final = 0.1
# A run of the model each.
_MOST_TRIED: Final = 8
# Of the largest output: what differs by less is the same to float32.
_STILL: Final = 1e-5


@dataclass(frozen=True, kw_only=True, slots=True)
class Latent:
    """The latent of a model.

    Attributes:
        call: The call that gives it; None where the model has none.
        bypass: The share of the output's spread that doesn't come through it; None: not known.
    """

    call: Call | None = None
    bypass: float | None = None


def choose_latent(
    model: Any, inputs: Any, recorded: Recorded, number: int, *, measure: bool
) -> Latent:
    """Return the narrowest place that the output goes through; where there is none, the narrowest.

    The narrowest layer may only steer, as a gate over channels does: then a wider one, still
    narrower than the input, is the latent.

    Args:
        model: It is left as it was.
        inputs: Some rows.
        recorded: A run of the model on them.
        number: Which of its flattened outputs is the copy.
        measure: Whether what goes around can be measured: nothing is drawn at random.
    """
    found = find_latents(recorded)
    if not found:
        return Latent()
    size = int(np.prod(keras.tree.flatten(inputs)[0].shape[1:]))
    first = Latent(call=found[0])
    if not measure:
        return first
    tried = [c for c in found[1:] if width_of(c, recorded) < size][: _MOST_TRIED - 1]
    uses = Counter(id(call.layer) for call in recorded.leaves())
    # What a layer used twice gives can't be swapped in one place alone.
    if uses[id(found[0].layer)] > 1:
        return first
    for call in (found[0], *(c for c in tried if uses[id(c.layer)] == 1)):
        seen = Latent(call=call, bypass=measure_bypass(model, inputs, call, number))
        first = seen if call is found[0] else first
        if seen.bypass is None or seen.bypass <= _ALL_THROUGH:
            return seen
    return first


def find_latent(recorded: Recorded) -> Call | None:
    """Return the call with the narrowest output between input and output; the first of those."""
    return next(iter(find_latents(recorded)), None)


def find_latents(recorded: Recorded) -> list[Call]:
    """Return the calls between input and output from the narrowest output on.

    Rows of inputs and the output itself are no latent; nor is what only moves values about, or
    what comes before the first layer with weights to train.
    """
    leaves = recorded.leaves()
    last = find_last_weighted(recorded)
    if last is None:
        return []
    first = next(n for n, call in enumerate(leaves) if kernels_of(call.layer))
    rows = len(keras.tree.flatten(recorded.output)[0])
    # What pools without weights is a bottleneck, too.
    inside = [c for c in leaves[first : leaves.index(last)] if _carries(c, rows)]
    return sorted(inside, key=lambda call: width_of(call, recorded))


def _carries(call: Call, rows: int) -> bool:
    kind = type(call.layer).__name__
    if not call.outputs or kind in MOVERS or kind.startswith(_RESAMPLERS):
        return False
    return all(len(out.shape) > 1 and out.shape[0] == rows for out in call.outputs)


def width_of(call: Call, recorded: Recorded) -> int:
    """Return the number of values that a call hands on for one row.

    A recurrent layer of Keras 3.15 with `return_state` gives its last output again as a state:
    what nothing takes doesn't count, nor what is given twice.
    """
    taken = [out for out in call.outputs if any(t is out for c in recorded.calls for t in c.inputs)]
    given: list[Any] = []
    for output in map(as_array, taken or call.outputs):
        if not any(np.array_equal(output, before) for before in given):
            given.append(output)
    return sum(int(np.prod(output.shape[1:])) for output in given)


def measure_bypass(model: Any, inputs: Any, latent: Call, number: int) -> float | None:
    """Return the share of the output's spread that doesn't come through the latent.

    Each row is run with the latent of the row before it: the output is that row's own where all
    of it comes through the latent. None where the output hardly differs between rows.
    """

    def run() -> Any:
        return as_array(keras.tree.flatten(model(inputs, training=False))[number]).astype(float)

    def swap(given: Any) -> Any:
        return keras.tree.map_structure(lambda part: keras.ops.roll(part, 1, axis=0), given)

    own = run()
    with overriding({latent.layer: swap}):
        swapped = run()
    before = np.roll(own, 1, axis=0)
    difference = float(np.sqrt(np.square(own - before).mean()))
    if not np.isfinite(difference) or difference <= _STILL * float(np.abs(own).max()):
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
    return any(_makes_noise(call.layer) for call in encoder)


def _makes_noise(layer: Any) -> bool:
    kind = type(layer).__name__
    return any(word in kind for word in _NOISE) or ("Dropout" in kind and layer.rate > 0)
