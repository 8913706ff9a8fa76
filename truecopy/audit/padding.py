"""Steps of sequences that only make rows as long as each other, and what weights leave out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Steps, features: shorter rows are no sequences that were padded.
_LEAST_STEPS: Final = 4
_SEQUENCE: Final = 3
_SEED: Final = 11
# A value that is rarer fills nothing up: that of a single cell is masked by chance.
_MASKED: Final = 0.05


def find_padding(targets: Array) -> NDArray[np.bool_] | None:
    """Return which steps at the rows' ends hold nothing but one constant.

    Args:
        targets: Shape (rows, steps, features).

    Returns:
        Shape (rows, steps); None for other shapes, and where no step is padding.

    Example:
        >>> rows = np.array([[[3.0], [2.0], [0.0], [0.0]], [[1.0], [0.0], [4.0], [0.0]]])
        >>> find_padding(rows).astype(int).tolist()
        [[0, 0, 1, 1], [0, 0, 0, 1]]
    """
    if targets.ndim != _SEQUENCE or targets.shape[1] < _LEAST_STEPS or not len(targets):
        return None
    values, counts = np.unique(targets[:, [0, -1]], return_counts=True)
    still = (targets == values[counts.argmax()]).all(axis=2)
    before = np.logical_and.accumulate(still, axis=1)
    after = np.logical_and.accumulate(still[:, ::-1], axis=1)[:, ::-1]
    padding: NDArray[np.bool_] = before | after
    return padding if padding.any() else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Masked:
    """A value of the targets that a loss leaves out: alone, or only where it fills a step."""

    value: float
    whole_steps: bool

    def counts(self, targets: Array) -> Array:
        """Return 0 where targets of shape (rows, ..., features) are left out and 1 elsewhere."""
        return np.asarray(~_find_value(targets, self.value, self.whole_steps), np.float64)


def find_masked(
    charge: Callable[[Array, Array], float], targets: Array, perfect: Array
) -> Masked | None:
    """Return the value of the targets that a loss leaves out: the most common one, or 0.

    Args:
        charge: The loss of targets and predictions.
        targets: Shape (rows, ..., features).
        perfect: The predictions that copy them, of the same shape.

    Returns:
        None where the loss looks at both, or at nothing.

    Example:
        >>> rows = np.array([[1.0, -1.0, -1.0], [2.0, 3.0, -1.0]])
        >>> find_masked(lambda y, p: np.square((y - p) * (y != -1)).sum(), rows, rows)
        Masked(value=-1.0, whole_steps=False)
    """
    if perfect.shape != targets.shape:
        return None
    values, counts = np.unique(targets, return_counts=True)
    base = 0.5 * (perfect + perfect.mean())
    step = np.random.default_rng(_SEED).normal(size=perfect.shape) * (perfect.std() or 1.0)
    before = charge(targets, base)
    for value in dict.fromkeys((float(values[counts.argmax()]), 0.0)):
        for whole_steps in (False, True):
            out = _find_value(targets, value, whole_steps)
            if not _MASKED <= out.mean() < 1:
                continue
            within, beside = (charge(targets, base + step * part) for part in (out, ~out))
            if within == before != beside and np.isfinite(beside):
                return Masked(value=value, whole_steps=whole_steps)
    return None


def _find_value(targets: Array, value: float, whole_steps: bool) -> NDArray[np.bool_]:  # noqa: FBT001
    alone: NDArray[np.bool_] = targets == value
    if whole_steps:
        return np.broadcast_to(alone.all(axis=-1, keepdims=True), alone.shape)
    return alone


def weigh_values(shape: tuple[int, ...], *given: Any) -> NDArray[np.float64] | None:
    """Return the weight of each value of rows of this shape, as (rows, values).

    Args:
        shape: Of the targets: (rows, ...).
        given: Weights of rows, of steps or of values, and masks; None counts all alike, and what
            doesn't fit the shape is left out.

    Returns:
        Their product; None where there is none, or nothing would count.

    Example:
        >>> weigh_values((2, 2, 1), np.array([1.0, 2.0]), None).tolist()
        [[1.0, 1.0], [2.0, 2.0]]
    """
    weights = None
    for one in given:
        part = None if one is None else np.asarray(one, np.float64)
        if part is None or not 0 < part.ndim <= len(shape) or len(part) != shape[0]:
            continue
        part = part.reshape(part.shape + (1,) * (len(shape) - part.ndim))
        if all(part.shape[axis] in {1, size} for axis, size in enumerate(shape)):
            weights = part if weights is None else weights * part
    if weights is None or not np.isfinite(weights).all() or not weights.sum() > 0:
        return None
    return np.broadcast_to(weights, shape).reshape(len(weights), -1)
