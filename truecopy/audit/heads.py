"""The two heads of a variational autoencoder, found by what is done with what they give.

Something random has the shape of two layers before it that don't depend on each other: they are
the mean and the spread of what is drawn. Whether the drawing is a layer, a Lambda or a line in
`call`, and whether the heads are two layers or one that is split, makes no difference. Without
anything random, names and a loss that depends on both are what is left.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.audit.intervene import Spot, setting
from truecopy.audit.tensors import to_tensor
from truecopy.audit.trace import Call, Recorded, as_array, record

Array = NDArray[Any]

_MEAN: Final = re.compile(r"mean|mu\b|_mu|mu_|z_m\b", re.IGNORECASE)
_SPREAD: Final = re.compile(r"log_?var|log_?sig|log_?std|sigma|std|variance|\blv\b", re.IGNORECASE)
# Two runs of the same numbers differ by less than this in float32.
_SAME: Final = 1e-6
# What a mean is moved by to see that the draw follows, in standard deviations: no chance move.
_PUSH: Final = 50.0
# A spread head that goes from 0.5 to 4 widens the draw 8 times if it is a deviation, and more if
# it is a logarithm.
_WIDENS: Final = 1.2


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Heads:
    """Mean and spread head.

    Attributes:
        mean: The spot that gives the mean.
        spread: The spot that gives the spread; the same as `mean` where one layer is split.
        shape: The shape of one row of the latent.
        split: Which half of the last axis is the mean (0 or 1) where one layer gives both.
        draw: The number of the call, and of its input (negative, from -1) or output, that is the
            drawn latent; None where nothing is drawn.
        training: Whether it is drawn in training mode only.
    """

    mean: Spot
    spread: Spot
    shape: tuple[int, ...]
    split: int | None = None
    draw: tuple[int, int] | None = None
    training: bool = False

    def values(self, mean: Array, spread: Array) -> dict[Spot, Array]:
        """Return what the spots have to give for a mean and a spread, each (rows, *shape)."""
        mean, spread = mean.astype(np.float32), spread.astype(np.float32)
        if self.split is None:
            return {self.mean: mean, self.spread: spread}
        halves = (mean, spread) if self.split == 0 else (spread, mean)
        return {self.mean: np.concatenate(halves, axis=-1)}

    def read(self, recorded: Recorded) -> tuple[Array, Array] | None:
        """Return what mean and spread head gave in a run; None where they weren't called."""
        given = [_last_output(recorded, spot) for spot in (self.mean, self.spread)]
        if given[0] is None or given[1] is None:
            return None
        if self.split is None:
            return given[0], given[1]
        halves = np.split(given[0], 2, axis=-1)
        return halves[self.split], halves[1 - self.split]

    def read_draw(self, model: Any, inputs: Array, mean: Array, spread: Array) -> Array | None:
        """Return what is drawn when the heads give these numbers."""
        if self.draw is None:
            return None
        with setting({s: to_tensor(v) for s, v in self.values(mean, spread).items()}):
            recorded = record(model, to_tensor(inputs), training=self.training)
        return _at(recorded, self.draw)


def find_heads(model: Any, inputs: Array, *, target: tuple[int, ...]) -> Heads | None:
    """Return the sampling heads of a model, or None.

    Args:
        model: Run several times; wrap it in `preserve.unchanged`.
        inputs: Some rows.
        target: The shape of one target: a random output is no latent.
    """
    for training in (False, True):
        try:
            runs = [record(model, to_tensor(inputs), training=training) for _ in range(2)]
        except Exception:  # noqa: BLE001 - a model without a `call`, or one that wants more
            return None
        for draw in _draws(*runs):
            drawn = _at(runs[0], draw)
            if drawn is None or drawn.shape[1:] == target or drawn.ndim < 2:  # noqa: PLR2004
                continue
            found = _heads_of(model, inputs, runs[0], draw, training=training)
            if found is not None:
                return found
    named = _heads_by_name(runs[0], target)
    return None if named is None else _find_fixed_draw(named, model, inputs, runs[0])


def _find_fixed_draw(heads: Heads, model: Any, inputs: Array, recorded: Recorded) -> Heads:
    """Return the heads with their draw, where a fixed seed makes it the same in every call."""
    shape = (len(inputs), *heads.shape)
    for number, call in enumerate(recorded.calls):
        made = [i - len(call.inputs) for i, t in enumerate(call.inputs) if not recorded.source(t)]
        given = list(range(len(call.outputs))) if len(call.inputs) > 1 else []
        for place in made + given:
            drawn = _at(recorded, (number, place))
            if drawn is not None and drawn.shape == shape:
                placed = replace(heads, draw=(number, place))
                if _follows(placed, model, inputs):
                    return placed
    return heads


def _draws(first: Recorded, second: Recorded) -> Iterator[tuple[int, int]]:
    """Yield where something random comes up: given from what was the same, or out of nowhere."""
    for number, (call, again) in enumerate(zip(first.calls, second.calls, strict=False)):
        same_inputs = all(map(_agree, call.inputs, again.inputs))
        for i, (tensor, other) in enumerate(zip(call.inputs, again.inputs, strict=False)):
            if not _agree(tensor, other) and first.source(tensor) is None:
                yield number, i - len(call.inputs)
        for i, (tensor, other) in enumerate(zip(call.outputs, again.outputs, strict=False)):
            if not _agree(tensor, other) and (same_inputs or len(call.inputs) > 1):
                yield number, i


def _heads_of(
    model: Any, inputs: Array, recorded: Recorded, draw: tuple[int, int], *, training: bool
) -> Heads | None:
    """Return the heads that a draw is made from: what moves it by as much as it is moved."""
    drawn = _at(recorded, draw)
    if drawn is None:
        return None
    number = draw[0]
    before = [c for c in recorded.calls[:number] if not c.inside and c.outputs]
    for pair in _pairs(recorded, recorded.calls[number], before, drawn.shape):
        for mean, spread in (pair, pair[::-1]):
            heads = Heads(
                mean=Spot(mean.layer),
                spread=Spot(spread.layer),
                shape=drawn.shape[1:],
                draw=draw,
                training=training,
            )
            if _follows(heads, model, inputs):
                return heads
    wide = (*drawn.shape[:-1], 2 * drawn.shape[-1])
    for call in [c for c in reversed(before) if tuple(c.outputs[0].shape) == wide][:2]:
        for half in (0, 1):
            heads = Heads(
                mean=Spot(call.layer),
                spread=Spot(call.layer),
                shape=drawn.shape[1:],
                split=half,
                draw=draw,
                training=training,
            )
            if _follows(heads, model, inputs):
                return heads
    return None


def _pairs(
    recorded: Recorded, sampler: Call, before: list[Call], shape: tuple[int, ...]
) -> Iterator[tuple[Call, Call]]:
    """Yield pairs of calls that may be heads: the draw's own inputs first, then later ones."""
    own = [recorded.source(t) for t in sampler.inputs if tuple(t.shape) == shape]
    taken = [call for call in own if call is not None]
    if len(taken) > 1:
        yield taken[0], taken[1]
    fitting = [c for c in before if tuple(c.outputs[0].shape) == shape][-4:]
    for i in range(len(fitting) - 1, 0, -1):
        for j in range(i - 1, -1, -1):
            if not _leads_to(recorded, fitting[j], fitting[i]):
                yield fitting[j], fitting[i]


def _leads_to(recorded: Recorded, first: Call, second: Call) -> bool:
    """Say whether what `first` gives reaches `second` through layers."""
    reached, waiting = {id(first)}, [first]
    while waiting:
        for user in recorded.users(waiting.pop()):
            if user is second:
                return True
            if id(user) not in reached and not user.inside:
                reached.add(id(user))
                waiting.append(user)
    return False


def _follows(heads: Heads, model: Any, inputs: Array) -> bool:
    """Say whether the draw moves with the mean head one for one, and varies around it."""
    shape = (len(inputs), *heads.shape)
    zeros = np.zeros(shape)
    try:
        still = heads.read_draw(model, inputs, zeros, zeros + 0.5)
        moved = heads.read_draw(model, inputs, zeros + _PUSH, zeros + 0.5)
        wide = heads.read_draw(model, inputs, zeros, zeros + 4.0)
    except Exception:  # noqa: BLE001 - the user's layers may raise on odd numbers
        return False
    if still is None or moved is None or wide is None:
        return False
    spread = float(np.std(still))
    shift = float(np.mean(moved) - np.mean(still))
    # The push is 50 deviations if one is 1; a draw that squashes the mean doesn't follow. The
    # spread head must widen the draw, not move it, as the other summand of a sum would.
    widens = float(np.std(wide)) > _WIDENS * spread > 0
    stays = abs(float(np.mean(wide))) < 0.5 * float(np.std(wide))
    return abs(shift - _PUSH) < 0.1 * _PUSH and widens and stays


def pair_layers(recorded: Recorded, target: tuple[int, ...]) -> Iterator[tuple[Call, Call]]:
    """Yield pairs of calls, in both orders, that take the same tensor and give the same shape.

    Args:
        recorded: A run of the model.
        target: The shape of one target, which is none of a latent.
    """
    leaves = [c for c in recorded.leaves() if c.outputs and c.inputs]
    for first in leaves:
        shape = tuple(first.outputs[0].shape)
        if shape[1:] == target or len(shape) < 2:  # noqa: PLR2004 (rows and values)
            continue
        for second in leaves:
            together = second.inputs[0] is first.inputs[0]
            if together and second is not first and tuple(second.outputs[0].shape) == shape:
                yield first, second


def _heads_by_name(recorded: Recorded, target: tuple[int, ...]) -> Heads | None:
    """Return two layers called mean and (log-)variance that take the same tensor."""
    for mean, spread in pair_layers(recorded, target):
        if _MEAN.search(mean.layer.name) and _SPREAD.search(spread.layer.name):
            shape = tuple(mean.outputs[0].shape[1:])
            return Heads(mean=Spot(mean.layer), spread=Spot(spread.layer), shape=shape)
    return None


def _agree(first: Any, second: Any) -> bool:
    a, b = as_array(first), as_array(second)
    if a.shape != b.shape or a.dtype.kind != "f":
        return True  # an integer is a seed or an index, not a latent
    return bool(np.allclose(a, b, rtol=_SAME, atol=_SAME, equal_nan=True))


def _at(recorded: Recorded, draw: tuple[int, int]) -> Array | None:
    number, place = draw
    if number >= len(recorded.calls):
        return None
    call = recorded.calls[number]
    return as_array(call.inputs[place] if place < 0 else call.outputs[place])


def _last_output(recorded: Recorded, spot: Spot) -> Array | None:
    calls = [c for c in recorded.calls if c.layer is spot.layer]
    return as_array(calls[-1].outputs[spot.number]) if calls else None
