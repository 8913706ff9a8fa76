"""What a model's output can be, found by driving it: its bounds, sums and last activation.

Names say little: the last operation may be a custom layer, a Lambda or a line in `call`. So the
last weighted layer is given weights and inputs large enough to drive anything bounded to its
bounds, and what comes out is looked at.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.audit.preserve import unchanged
from truecopy.audit.trace import Call, Recorded, as_array, kernels_of, overriding
from truecopy.rules.modelfacts import Bounds

Array = NDArray[Any]

# Mild numbers, which bend what is bent; then bounded operations are at their bounds long before
# the second, and unbounded ones a hundred times further at the third.
_DRIVES: Final = (1.0, 1e2, 1e4)
# What grows by less than this when driven a hundred times harder has a bound.
_GROWTH: Final = 5.0
# float32 sums of thousands of probabilities.
_SUM_ERROR: Final = 1e-3
# Of the output's spread: what a straight line may miss by rounding.
_STRAIGHT: Final = 1e-3
_ROWS: Final = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """What the output can be.

    Attributes:
        bounds: Smallest and largest value it can give, None where there is none.
        softmax_axis: The axis, counted from the last as -1, over which it always sums to 1; 0
            where all values of a row do, as of a softmax that is reshaped into pictures.
        squashed_twice: A bounded activation is applied to the result of another one.
    """

    bounds: Bounds = (None, None)
    softmax_axis: int | None = None
    squashed_twice: bool = False


def find_last_weighted(recorded: Recorded) -> Call | None:
    """Return the call of the last layer that has weights to train; None where there is none.

    Frozen ones count: they were trained elsewhere, or should have been.
    """
    weighted = [c for c in recorded.leaves() if kernels_of(c.layer)]
    return weighted[-1] if weighted else None


def find_reach(model: Any, inputs: Any, recorded: Recorded, number: int) -> Reach:
    """Return what output `number` of the model can be.

    Args:
        model: It is left as it was.
        inputs: Some rows of its input.
        recorded: A run of the model on rows.
        number: Which of its flattened outputs.
    """
    last = find_last_weighted(recorded)
    if last is None:
        return Reach()
    generator = np.random.default_rng(0)
    rows = _some(inputs)
    with unchanged(model), _fresh_weights(last.layer, generator):
        mild, near, far = _drive(model, rows, last, generator, number)
    outputs = (near[1], far[1])
    if not all(np.isfinite(out).all() for out in outputs):
        return Reach()
    if _is_always_one(np.concatenate([mild[1], *outputs])):
        return Reach(bounds=(1.0, 1.0), softmax_axis=-1)
    if far[1].std() == 0:
        return Reach()
    bounds = _bounds(*outputs)
    return Reach(
        bounds=bounds,
        softmax_axis=_softmax_axis(mild[1]),
        squashed_twice=_squashed_again(mild, bounds),
    )


def _drive(
    model: Any, rows: Any, last: Call, generator: np.random.Generator, number: int
) -> list[tuple[Array, Array]]:
    """Return what the last weighted layer and the model give, driven by numbers of each size.

    All sizes go through in one run, in rows of their own.
    """
    seen: list[Array] = []
    count = len(_first(rows))

    def call_driven(given: Any) -> Any:
        del given
        taken = last.inputs[0]
        drawn = [s * generator.standard_normal((count, *taken.shape[1:])) for s in _DRIVES]
        numbers = keras.ops.convert_to_tensor(np.concatenate(drawn), taken.dtype)
        driven = type(last.layer).call(last.layer, numbers)
        seen.append(as_array(keras.tree.flatten(driven)[0]))
        return driven

    repeated = keras.tree.map_structure(lambda r: np.concatenate([r] * len(_DRIVES)), rows)
    with overriding({last.layer: call_driven}):
        given = model(repeated, training=False)
    final = as_array(keras.tree.flatten(given)[number])
    halves = (np.split(values, len(_DRIVES)) for values in (seen[-1], final))
    return list(zip(*halves, strict=True))


@contextmanager
def _fresh_weights(layer: Any, generator: np.random.Generator) -> Iterator[None]:
    """Give the layer random weights: trained or zero ones may reach only part of the way."""
    weights = kernels_of(layer)
    values = [as_array(w.value) for w in weights]
    for weight in weights:
        weight.assign(generator.standard_normal(weight.shape))
    try:
        yield
    finally:
        for weight, value in zip(weights, values, strict=True):
            weight.assign(value)


def _bounds(near: Array, far: Array) -> Bounds:
    low, high = float(far.min()), float(far.max())
    scale = max(float(np.abs(near).max()), 1e-6)
    falls = low < -_GROWTH * scale
    rises = high > _GROWTH * scale
    return (None if falls else low, None if rises else high)


def _softmax_axis(output: Array) -> int | None:
    """Return the axis over which non-negative outputs sum to 1 in every row; 0 for all of it."""
    if output.ndim < 2 or output.min() < 0:  # noqa: PLR2004 (rows and values)
        return None
    for axis in range(-1, -output.ndim, -1):
        if output.shape[axis] > 1 and _sums_to_one(output, axis):
            return axis
    flat = output.reshape(len(output), -1)
    return 0 if flat.shape[1] > 1 and _sums_to_one(flat, 1) else None


def _is_always_one(output: Array) -> bool:
    """Say whether outputs of one unit are 1 whatever drives them: a softmax of one number."""
    return output.ndim > 1 and output.shape[-1] == 1 and bool((output == 1).all())


def _sums_to_one(output: Array, axis: int) -> bool:
    sums = output.sum(axis=axis, dtype=np.float64)
    return bool(np.abs(sums - 1).max() < _SUM_ERROR)


def _squashed_again(mild: tuple[Array, Array], bounds: Bounds) -> bool:
    """Say whether what follows a bounded last layer bends its result again."""
    inner, outer = (values.reshape(len(values), -1).astype(np.float64) for values in mild)
    bounded = inner.std() > 0 and np.abs(inner).max() <= 1 and None not in bounds
    if not bounded or inner.shape != outer.shape or np.allclose(inner, outer, atol=1e-6):
        return False
    slope, offset = np.polyfit(inner.ravel(), outer.ravel(), 1)
    missed = outer - (slope * inner + offset)
    return bool(missed.std() > _STRAIGHT * outer.std())


def _some(inputs: Any) -> Any:
    return keras.tree.map_structure(lambda rows: rows[:_ROWS], inputs)


def _first(inputs: Any) -> Any:
    return keras.tree.flatten(inputs)[0]
