"""What the last operation can give: targets pulled into it, and what that costs at least."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.rules.modelfacts import Bounds

Array = NDArray[Any]

# A value is out of reach when it is further from the bound than this share of the spread: float32
# targets that were scaled into a range miss its ends by rounding.
_ROUNDING: Final = 1e-5


@dataclass(frozen=True, kw_only=True, slots=True)
class Attainable:
    """The set of all possible outputs: bounds of each value, a simplex along an axis, a shape.

    `shape` is that of one row of output; where targets have more along an axis of which the
    output has one, the loss repeats the output along it.
    """

    bounds: Bounds = (None, None)
    softmax_axis: int | None = None
    shape: tuple[int, ...] | None = None

    def project(self, targets: Array) -> Array:
        """Return the possible outputs nearest to the targets, in the targets' shape."""
        nearest = np.broadcast_to(self._merge(targets), targets.shape)
        if self.softmax_axis is not None and self._fits(targets):
            rows = nearest if self.softmax_axis else nearest.reshape(len(nearest), -1)
            return project_on_simplex(rows, self.softmax_axis or -1).reshape(nearest.shape)
        return np.asarray(np.clip(nearest, *_numbers(self.bounds)))

    def allows(self, predictions: Array) -> bool:
        """Say whether all these values can be given."""
        slack = _ROUNDING * (np.ptp(predictions) + 1.0)
        gap = np.abs(self.project(predictions) - predictions)
        return bool(np.isfinite(predictions).all() and gap.max(initial=0.0) <= slack)

    def share_outside(self, targets: Array) -> float:
        """Return the share of values beyond the bounds."""
        low, high = _numbers(self.bounds)
        slack = _ROUNDING * (targets.std() + abs(targets).mean())
        return float(((targets < low - slack) | (targets > high + slack)).mean())

    def _merge(self, targets: Array) -> Array:
        """Return the mean over the axes along which the output is repeated."""
        shape = None if self.shape is None else align(self.shape, targets.shape[1:])
        if shape is None:
            return targets
        pairs = enumerate(zip(shape, targets.shape[1:], strict=True), start=1)
        repeated = tuple(axis for axis, (own, given) in pairs if own == 1 and given > 1)
        return targets.mean(axis=repeated, keepdims=True) if repeated else targets

    def _fits(self, targets: Array) -> bool:
        axis = self.softmax_axis
        if axis == 0:  # all values of a row
            return targets[:1].size > 1
        return axis is not None and -targets.ndim < axis < targets.ndim and targets.shape[axis] > 1


def align(output: tuple[int, ...], target: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return one row's output shape in the target's rank, None where they differ by more.

    Keras 3.15's losses drop a last axis of length 1 where the ranks differ by one
    (`squeeze_or_expand_to_same_rank`).

    Example:
        >>> align((1,), (24, 1)), align((24, 1), (24,)), align((3,), (4, 5))
        ((1, 1), (24,), None)
    """
    if len(output) == len(target):
        return output
    if len(target) == len(output) + 1 and target[-1] == 1:
        return (*output, 1)
    return output[:-1] if len(output) == len(target) + 1 and output[-1] == 1 else None


def project_on_simplex(values: Array, axis: int = -1) -> Array:
    """Return the nearest points with values of at least 0 that sum to 1 along `axis`.

    The algorithm by sorting: Duchi, Shalev-Shwartz, Singer and Chandra, 'Efficient projections
    onto the l1-ball for learning in high dimensions', ICML 2008.

    Example:
        >>> project_on_simplex(np.array([[0.5, 0.5], [2.0, 0.0], [0.0, 0.0]])).tolist()
        [[0.5, 0.5], [1.0, 0.0], [0.5, 0.5]]
    """
    moved = np.moveaxis(np.asarray(values, np.float64), axis, -1)
    falling = -np.sort(-moved, axis=-1)
    excess = np.cumsum(falling, axis=-1) - 1
    ranks = np.arange(1, moved.shape[-1] + 1)
    kept = (falling * ranks > excess).sum(axis=-1, keepdims=True)
    shift = np.take_along_axis(excess, kept - 1, axis=-1) / kept
    return np.moveaxis(np.maximum(moved - shift, 0), -1, axis)


def _numbers(bounds: Bounds) -> tuple[float, float]:
    low, high = bounds
    return (-np.inf if low is None else low), (np.inf if high is None else high)
