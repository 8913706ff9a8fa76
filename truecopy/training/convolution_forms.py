"""Equal but faster forms of the convolutions that XLA's CPU backend runs badly.

Which those are was measured with jaxlib 0.10.2 on two AVX-512 cores, in GFLOP/s as XLA runs
them and as run here (an ordinary 3 x 3 convolution with 32 channels: 95, its gradients 80-95):

=========================================================  ========  ======
convolution                                                     XLA    here
=========================================================  ========  ======
weight gradient of a transposed convolution with strides        3.5  50-100
weight gradient in three dimensions                            4-18   30-50
weight gradient with groups                                     0.4      30
weight gradient of 32 channels to 1                               4      30
three dimensions: transposed, or gradient of strided            0.6      20
depthwise, forward and gradient of the input                0.1-0.7   10-30
depthwise, weight gradient                                  1.2-2.5     4-5
=========================================================  ========  ======

Everything else is left to XLA.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from jax import lax

from truecopy.training.convolution import Convolution, spread
from truecopy.training.convolution_gradient import multiply_patches
from truecopy.training.depthwise_convolution import add_shifts, sum_products

if TYPE_CHECKING:
    from collections.abc import Callable

# Each place of a kernel becomes an operation of its own: above this, compiling takes longer
# than is gained.
MOST_TAPS = 512
MOST_GROUPS = 32
PLANE = 2
# XLA copies both operands of a weight gradient with the batch innermost. Patches of the
# narrower operand leave the wider one as it is, which pays when it is this much wider.
NARROW = 8


def choose_form(
    lhs: jax.Array, rhs: jax.Array, convolution: Convolution
) -> Callable[[jax.Array, jax.Array], jax.Array] | None:
    """The faster way to compute one convolution.

    Args:
        lhs: The left operand, or anything with its shape and dtype.
        rhs: The right operand, likewise.
        convolution: What to compute.

    Returns:
        A function of the two operands, or None where XLA's own way is the best known.
    """
    small = 0 in lhs.shape or 0 in rhs.shape or not convolution.window_strides
    if small or convolution.out_sharding is not None or not _are_floats(lhs, rhs):
        return None
    window = math.prod(convolution.window_sizes(rhs))
    places = math.prod(convolution.out_sizes(lhs, rhs))
    if min(window, places) > MOST_TAPS or places == 0:
        return None
    groups = max(convolution.feature_group_count, convolution.batch_group_count)
    if groups > 1:
        return _choose_for_groups(lhs, rhs, convolution)
    if window > places:
        return _choose_for_weights(lhs, rhs, convolution)
    # In one and two dimensions XLA runs a dilated convolution as fast as its phases.
    deep = len(convolution.window_strides) > PLANE
    return _choose_for_dilation(convolution) if deep else None


def convolve(lhs: jax.Array, rhs: jax.Array, *, convolution: Convolution) -> jax.Array:
    """The convolution, computed in the faster form if there is one."""
    return (choose_form(lhs, rhs, convolution) or convolution)(lhs, rhs)


def _are_floats(lhs: jax.Array, rhs: jax.Array) -> bool:
    return lhs.dtype == rhs.dtype and jnp.issubdtype(lhs.dtype, jnp.floating)


def _choose_for_weights(
    lhs: jax.Array, rhs: jax.Array, convolution: Convolution
) -> Callable[[jax.Array, jax.Array], jax.Array] | None:
    numbers = convolution.dimension_numbers
    left, right = lhs.shape[numbers.lhs_spec[0]], rhs.shape[numbers.rhs_spec[0]]
    left_free, right_free = _is_plain(convolution.lhs_dilation), _is_plain(convolution.rhs_dilation)
    if not (left_free or right_free):
        return None
    of_rhs = right_free and (right < left or not left_free)
    deep = len(convolution.window_strides) > PLANE
    narrow = of_rhs and NARROW * right <= left
    if left_free and not deep and not narrow:
        return None
    return functools.partial(multiply_patches, convolution=convolution, patches_of_rhs=of_rhs)


def _choose_for_dilation(
    convolution: Convolution,
) -> Callable[[jax.Array, jax.Array], jax.Array] | None:
    if _is_plain(convolution.lhs_dilation):
        return None
    for stretch, stride, dilation in zip(
        convolution.lhs_dilation,
        convolution.window_strides,
        convolution.rhs_dilation,
        strict=True,
    ):
        if stretch > 1 and (stride > 1 or math.gcd(stretch, dilation) > 1):
            return None
    return functools.partial(interleave_phases, convolution=convolution)


def _choose_for_groups(
    lhs: jax.Array, rhs: jax.Array, convolution: Convolution
) -> Callable[[jax.Array, jax.Array], jax.Array] | None:
    numbers = convolution.dimension_numbers
    groups = convolution.feature_group_count
    plain = _is_plain(convolution.lhs_dilation)
    if groups > 1 and not plain:
        return _choose_for_dilation(convolution)
    if groups > 1:
        alone = rhs.shape[numbers.rhs_spec[1]] == 1
        return functools.partial(add_shifts, convolution=convolution) if alone else None
    if plain and lhs.shape[numbers.lhs_spec[0]] == convolution.batch_group_count:
        return functools.partial(sum_products, convolution=convolution)
    if convolution.batch_group_count <= MOST_GROUPS:
        return functools.partial(split_groups, convolution=convolution)
    return None


def _is_plain(dilation: tuple[int, ...]) -> bool:
    return all(step == 1 for step in dilation)


def split_groups(lhs: jax.Array, rhs: jax.Array, *, convolution: Convolution) -> jax.Array:
    """The weight gradient of a convolution with groups: one for each group, side by side."""
    numbers = convolution.dimension_numbers
    groups = convolution.batch_group_count
    one = convolution.replace(batch_group_count=1)
    pairs = zip(
        jnp.split(lhs, groups, numbers.lhs_spec[0]),
        jnp.split(rhs, groups, numbers.rhs_spec[0]),
        strict=True,
    )
    outs = [convolve(left, right, convolution=one) for left, right in pairs]
    return jnp.concatenate(outs, numbers.out_spec[1])


def interleave_phases(lhs: jax.Array, rhs: jax.Array, *, convolution: Convolution) -> jax.Array:
    """A transposed convolution as dense ones, one for each remainder of the output's places.

    Of the places that dilation puts between those of the left operand, all hold zeros. Output
    places with the same remainder meet the same part of the kernel, without the zeros.
    """
    numbers, stretch = convolution.dimension_numbers, convolution.lhs_dilation
    sizes = convolution.out_sizes(lhs, rhs)
    phases = [
        _convolve_phase(lhs, rhs, phase, convolution)
        for phase in itertools.product(*map(range, stretch))
    ]
    for axis in reversed(range(len(stretch))):
        count, place = stretch[axis], numbers.out_spec[2 + axis]
        groups = [phases[i : i + count] for i in range(0, len(phases), count)]
        phases = [_interleave(group, place, sizes[axis]) for group in groups]
    return phases[0]


def _interleave(phases: list[jax.Array], axis: int, size: int) -> jax.Array:
    if len(phases) == 1:
        return phases[0]
    joined = jnp.stack(phases, axis + 1)  # (..., places, phases, ...)
    shape = list(phases[0].shape)
    shape[axis] *= len(phases)
    return lax.slice_in_dim(joined.reshape(shape), 0, size, axis=axis)


def _convolve_phase(
    lhs: jax.Array, rhs: jax.Array, phase: tuple[int, ...], convolution: Convolution
) -> jax.Array:
    numbers, stretch = convolution.dimension_numbers, convolution.lhs_dilation
    # Every phase is as long as the longest: what is too much is cut off when they are joined.
    places = [
        -(-size // count)
        for size, count in zip(convolution.out_sizes(lhs, rhs), stretch, strict=True)
    ]
    padding = list(convolution.padding)
    for axis in (axis for axis, count in enumerate(stretch) if count > 1):
        low, step = padding[axis][0], convolution.rhs_dilation[axis]
        first = next(
            tap
            for tap in range(stretch[axis])
            if (phase[axis] - low + tap * step) % stretch[axis] == 0
        )
        kernel_axis = numbers.rhs_spec[2 + axis]
        if first >= rhs.shape[kernel_axis]:
            return _zeros_of_phase(lhs, rhs, places, convolution)
        rhs = lax.slice_in_dim(rhs, first, None, stretch[axis], kernel_axis)
        before = (low - phase[axis] - first * step) // stretch[axis]
        reach = places[axis] - 1 + spread(rhs.shape[kernel_axis], step)
        padding[axis] = (before, reach - before - convolution.lhs_sizes(lhs)[axis])
    dense = convolution.replace(padding=tuple(padding), lhs_dilation=(1,) * len(phase))
    return _convolve_cropped(lhs, rhs, dense)


def _zeros_of_phase(
    lhs: jax.Array, rhs: jax.Array, places: list[int], convolution: Convolution
) -> jax.Array:
    """The output where a kernel shorter than the stride meets nothing but zeros."""
    numbers = convolution.dimension_numbers
    sizes = (lhs.shape[numbers.lhs_spec[0]], rhs.shape[numbers.rhs_spec[0]], *places)
    shape = [size for _, size in sorted(zip(numbers.out_spec, sizes, strict=True))]
    return jnp.zeros(shape, convolution.preferred_element_type or lhs.dtype)


def _convolve_cropped(lhs: jax.Array, rhs: jax.Array, convolution: Convolution) -> jax.Array:
    numbers = convolution.dimension_numbers
    sides = [(0, 0, 0)] * lhs.ndim
    for axis, (low, high) in enumerate(convolution.padding):
        # XLA's fast convolutions take no negative padding.
        sides[numbers.lhs_spec[2 + axis]] = (min(low, 0), min(high, 0), 0)
    if any(side != (0, 0, 0) for side in sides):
        lhs = lax.pad(lhs, jnp.zeros((), lhs.dtype), sides)
    padding = tuple((max(low, 0), max(high, 0)) for low, high in convolution.padding)
    return convolve(lhs, rhs, convolution=convolution.replace(padding=padding))
