"""Predictions near and far from a perfect copy, among which a better one is looked for.

No list of losses: a loss that asks for a copy charges the copy less than anything here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.audit.attainable import Attainable

Array = NDArray[Any]
Charge = Callable[[Array, Array], float]

# Steps around the copy in units of the targets' spread: one that a fine loss sees, and two that
# a loss with a dead zone (a mask, a threshold) sees.
_STEPS: Final = (0.01, 0.1, 0.5)
# How far a direction is followed, in spreads; a loss that is bounded below has turned by then.
_FAR: Final = (10.0, 100.0, 1000.0)
# A point is better only when it wins more than this share of what the mean image loses: less is
# rounding, or the width of a clipped edge.
_MARGIN: Final = 0.01
# Losses closer than this are the same number, rounded.
_SAME: Final = 1e-6
# The loss of probabilities pushed towards 0 and 1: what has a floor settles, what has none falls
# by the same amount again.
_EDGES: Final = (1e-2, 1e-4, 1e-6)
# Where a logarithm's argument is clipped: Keras' epsilon.
_CLIP: Final = 1e-7
_LOGIT_ROOM: Final = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Better:
    """A prediction that is charged less than a perfect copy: its loss, and what it is in words."""

    loss: float
    at: str


def to_logits(probabilities: Array) -> Array:
    """Return the logits of values in [0, 1]; what lies outside goes to the ends.

    Example:
        >>> to_logits(np.array([0.5, 1.0])).round(1).tolist()
        [0.0, 16.1]
    """
    inside = np.clip(np.asarray(probabilities, np.float64), _CLIP, 1 - _CLIP)
    return np.log(inside) - np.log1p(-inside)


def find_better(
    charge: Charge, targets: Array, perfect: Array, reach: Attainable, *, cheap: bool = True
) -> Better | None:
    """Return the best reachable prediction that is charged less than a perfect copy.

    Args:
        charge: The loss of (targets, predictions).
        targets: Shape (rows, ...).
        perfect: The targets on the scale of the predictions (logits where the loss wants them).
        reach: What the output can give; other predictions don't count.
        cheap: Whether to try all points or the few that find most.

    Returns:
        The point; None where the copy is the minimum, or is itself out of reach.
    """
    floor = charge(targets, perfect)
    mean = np.broadcast_to(perfect.mean(axis=0), perfect.shape)
    margin = _MARGIN * abs(charge(targets, mean) - floor) + 1e-6 * (1 + abs(floor))
    if not np.isfinite(margin):
        margin = 1e-3 * (1 + abs(floor))
    if _is_blind(charge, targets, mean, floor) and reach.allows(mean) and np.ptp(perfect - mean):
        return Better(loss=float(charge(targets, mean)), at="the mean target, charged the same")
    best: Better | None = None
    for words, candidate in _candidates(perfect, cheap=cheap):
        if not reach.allows(candidate):
            continue
        loss = charge(targets, candidate)
        if loss < floor - margin and (best is None or loss < best.loss):
            best = Better(loss=float(loss), at=words)
    return best


def _is_blind(charge: Charge, targets: Array, mean: Array, floor: float) -> bool:
    """Say whether a copy, the mean image and its mean with noise are all charged the same."""
    noise = np.random.default_rng(0).normal(size=mean.shape) * _spread(targets)
    others = [charge(targets, mean), charge(targets, mean + noise - noise.mean())]
    return bool(np.abs(np.array(others) - floor).max() <= _SAME * (1 + abs(floor)))


def is_unbounded(charge: Charge, targets: Array, perfect: Array, reach: Attainable) -> bool:
    """Say whether the loss goes on falling away from the targets.

    Either far out, or, where it takes logarithms, towards the ends of [0, 1] at which Keras clips.
    """
    spread = _spread(perfect)
    same = perfect.shape == targets.shape  # or the targets number classes
    for direction in _directions(targets if same else perfect):
        points = [perfect + t * spread * direction for t in _FAR]
        if all(map(reach.allows, points)):
            losses = [charge(targets, p) for p in (perfect, *points)]
            if _keeps_falling(losses, growth=5.0):
                return True
    edges = [np.clip(perfect, edge, 1 - edge) for edge in _EDGES]
    return _keeps_falling([charge(targets, p) for p in edges], growth=0.7)


def _keeps_falling(losses: list[float], *, growth: float) -> bool:
    """Say whether every step down is at least `growth` times the one before."""
    drops = -np.diff(losses)
    if not np.isfinite(drops).all() or drops[0] <= 1e-4 * (1 + abs(losses[0])):
        return False
    return bool((drops[1:] >= growth * drops[:-1]).all())


def _directions(targets: Array) -> Iterator[Array]:
    """Yield where to go: up, down, and where the targets point away from [0, 1] or their middle."""
    yield np.ones_like(targets)
    yield -np.ones_like(targets)
    yield np.where(targets >= targets.mean(), 1.0, -1.0)
    beyond = np.where(targets > 1, 1.0, np.where(targets < 0, -1.0, 0.0))
    if beyond.any():
        yield beyond


def _candidates(perfect: Array, *, cheap: bool) -> Iterator[tuple[str, Array]]:
    spread = _spread(perfect)
    yield "the mean target", np.broadcast_to(perfect.mean(axis=0), perfect.shape)
    for step in _STEPS if cheap else _STEPS[1:]:
        yield f"the target plus {step:g} of its spread", perfect + step * spread
        yield f"the target minus {step:g} of its spread", perfect - step * spread
    yield "twice the target", 2 * perfect
    yield "half the target", 0.5 * perfect
    yield "zeros", np.zeros_like(perfect)
    yield "the highest target everywhere", np.full_like(perfect, perfect.max())
    yield "the lowest target everywhere", np.full_like(perfect, perfect.min())
    yield "one minus the target", 1 - perfect
    yield "the target with its sign turned", -perfect
    if not cheap:
        return
    yield "ones", np.ones_like(perfect)
    yield "the target rounded to 0 and 1", (perfect > (perfect.min() + perfect.max()) / 2) * 1.0
    yield "the target clipped to [0, 1]", np.clip(perfect, 0, 1)
    yield "0.9 times the target", 0.9 * perfect
    yield "1.1 times the target", 1.1 * perfect
    yield "the target pulled halfway to its mean", 0.5 * (perfect + perfect.mean())
    yield "the targets of other rows", np.roll(perfect, 1, axis=0)
    for step in _FAR[:2]:
        yield f"the target plus {step:g} times its spread", perfect + step * spread
        yield f"the target minus {step:g} times its spread", perfect - step * spread


def _spread(values: Array) -> float:
    inside = values[np.abs(values) < _LOGIT_ROOM / 2] if values.size else values
    return float(inside.std() if inside.size else 0.0) or float(values.std()) or 1.0
