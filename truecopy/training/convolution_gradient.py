"""The weight gradient of a convolution as matrix products.

XLA's CPU backend (jaxlib 0.10) computes the weight gradient of a transposed convolution at 3.5
GFLOP/s, of a three-dimensional or grouped one at 0.4 to 18, against 80 for an ordinary one. As
patches times output gradient all of them are matrix products, at 50 to 100 GFLOP/s.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from truecopy.training.convolution import Convolution, accumulator, cut_shifts, place_axes, spread

# The patches of one part of the batch: they should stay in a core's cache until the matrix
# product has read them. All at once, a layer of the size of 28 x 28 x 32 with a batch of 128
# takes 50 ms instead of 18, most of it in the system's page faults.
PATCH_BYTES = 2 << 20


@dataclasses.dataclass(frozen=True)
class Walk:
    """Where patches are cut, along each spatial axis.

    The place `p` of the grid meets the place `p * stride + k * step - low` of the image at the
    place `k` of the kernel.
    """

    kernel: tuple[int, ...]
    step: tuple[int, ...]
    stride: tuple[int, ...]
    low: tuple[int, ...]


def multiply_patches(
    lhs: jax.Array, rhs: jax.Array, *, convolution: Convolution, patches_of_rhs: bool
) -> jax.Array:
    """The convolution as a product of patches of one operand with the other operand.

    Args:
        lhs: The left operand.
        rhs: The right operand, whose window is the large one.
        convolution: What to compute, without groups.
        patches_of_rhs: Whether the patches are cut from `rhs`, which must have no dilation
            then; else from `lhs`, and that must have none.

    Returns:
        What `convolution(lhs, rhs)` gives, but for rounding.
    """
    numbers = convolution.dimension_numbers
    # What is summed over (the batch, for a weight gradient) comes first.
    image = lax.transpose(lhs, (numbers.lhs_spec[1], *numbers.lhs_spec[2:], numbers.lhs_spec[0]))
    grid = lax.transpose(rhs, (numbers.rhs_spec[1], *numbers.rhs_spec[2:], numbers.rhs_spec[0]))
    kernel, step = convolution.out_sizes(lhs, rhs), convolution.window_strides
    low = tuple(low for low, _ in convolution.padding)
    walk = Walk(kernel, step, convolution.rhs_dilation, low)
    if patches_of_rhs:
        # p + k = i read from the other side: the operands change places, k runs backwards.
        low = tuple((k - 1) * s - lo for k, s, lo in zip(kernel, step, low, strict=True))
        image, grid = grid, image
        walk = Walk(kernel, step, convolution.lhs_dilation, low)
    product = _multiply_in_parts(image, grid, walk, convolution.precision)
    # product: (places of the kernel, channels of the image, channels of the grid)
    product = product.reshape(*kernel, *product.shape[1:])
    if patches_of_rhs:
        product = jnp.swapaxes(lax.rev(product, range(len(kernel))), -1, -2)
    product = product.astype(convolution.preferred_element_type or lhs.dtype)
    # (*kernel, channels, other channels), but for the spec the first axis comes first.
    out = numbers.out_spec
    return place_axes(jnp.moveaxis(product, -2, 0), (out[0], out[1], *out[2:]))


def _multiply_in_parts(image: jax.Array, grid: jax.Array, walk: Walk, precision: Any) -> jax.Array:
    # image: (rows, *places, channels), grid: (rows, *other places, other channels)
    rows = grid.shape[0]
    taps = math.prod(walk.kernel)
    size = math.prod(grid.shape[:-1]) * image.shape[-1] * taps * image.dtype.itemsize
    part = _choose_part(rows, -(-size // PATCH_BYTES))

    def multiply(start: jax.Array | int, count: int) -> jax.Array:
        return _multiply(
            lax.dynamic_slice_in_dim(image, start, count),
            lax.dynamic_slice_in_dim(grid, start, count),
            walk,
            precision,
        )

    whole, rest = divmod(rows, part)
    if whole == 1:
        return _multiply(image, grid, walk, precision)
    start = jnp.zeros((taps, image.shape[-1], grid.shape[-1]), accumulator(image.dtype))
    total: jax.Array = lax.fori_loop(
        0, whole, lambda index, total: total + multiply(index * part, part), start
    )
    return total + multiply(whole * part, rest) if rest else total


def _choose_part(rows: int, parts: int) -> int:
    parts = min(max(parts, 1), rows)
    even = (count for count in range(parts, min(2 * parts, rows + 1)) if rows % count == 0)
    return -(-rows // next(even, parts))


def _multiply(image: jax.Array, grid: jax.Array, walk: Walk, precision: Any) -> jax.Array:
    places = grid.shape[1:-1]
    padded = _pad(image, places, walk)  # here, not before: a padded whole is one more copy of it
    shifts = cut_shifts(padded, walk.kernel, step=walk.step, stride=walk.stride, places=places)
    patches = jnp.concatenate(list(shifts), axis=-1)  # (rows, *places, taps * channels)
    summed = tuple(range(grid.ndim - 1))
    product = lax.dot_general(
        patches,
        grid,
        ((summed, summed), ((), ())),
        precision=precision,
        preferred_element_type=accumulator(image.dtype),
    )
    return product.reshape(math.prod(walk.kernel), image.shape[-1], grid.shape[-1])


def _pad(image: jax.Array, places: tuple[int, ...], walk: Walk) -> jax.Array:
    sides = [(0, 0, 0)]
    for axis, size in enumerate(places):
        needed = spread(walk.kernel[axis], walk.step[axis]) + (size - 1) * walk.stride[axis]
        low = walk.low[axis]
        sides.append((low, needed - low - image.shape[1 + axis], 0))
    return lax.pad(image, jnp.zeros((), image.dtype), [*sides, (0, 0, 0)])
