"""One convolution of a traced program: its parameters as JAX keeps them, and its geometry.

With ``n`` and ``c`` for the batch and the channels, ``k`` for a place of the window and ``p``
for a place of the output, JAX's convolution is, along each spatial axis,

    out[n, p, o] = sum over k and c of  lhs[n, i, c] * rhs[k, c, o]
    where  i * lhs_dilation + low padding  =  p * window_stride + k * rhs_dilation

A strided forward pass has a stride, a transposed one an ``lhs_dilation``. In the gradient with
respect to the weights the output gradient is the window, the batch is summed over, and the
places of the output are those of the kernel: a huge window with few places to go.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import jax
from jax import lax


@dataclasses.dataclass(frozen=True)
class Convolution:
    """The parameters of JAX's `conv_general_dilated`, field by field as version 0.10 has them.

    A version of JAX with another parameter cannot be built from it, which is the intention:
    nothing is replaced whose meaning is not known here.
    """

    window_strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    lhs_dilation: tuple[int, ...]
    rhs_dilation: tuple[int, ...]
    dimension_numbers: lax.ConvDimensionNumbers
    feature_group_count: int
    batch_group_count: int
    precision: Any
    preferred_element_type: Any
    out_sharding: Any

    def __call__(self, lhs: jax.Array, rhs: jax.Array) -> jax.Array:
        """The convolution as XLA computes it."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return lax.conv_general_dilated(lhs, rhs, **fields)

    def replace(self, **changes: Any) -> Convolution:
        """The same convolution but for the named parameters."""
        return dataclasses.replace(self, **changes)

    def out_sizes(self, lhs: jax.Array, rhs: jax.Array) -> tuple[int, ...]:
        """How many places the output has along each spatial axis."""
        sizes = []
        for axis, (low, high) in enumerate(self.padding):
            width = spread(self.lhs_sizes(lhs)[axis], self.lhs_dilation[axis])
            reach = spread(self.window_sizes(rhs)[axis], self.rhs_dilation[axis])
            sizes.append((width + low + high - reach) // self.window_strides[axis] + 1)
        return tuple(sizes)

    def lhs_sizes(self, lhs: jax.Array) -> tuple[int, ...]:
        """How many places the left operand has along each spatial axis."""
        return tuple(lhs.shape[axis] for axis in self.dimension_numbers.lhs_spec[2:])

    def window_sizes(self, rhs: jax.Array) -> tuple[int, ...]:
        """How many places the window has along each spatial axis."""
        return tuple(rhs.shape[axis] for axis in self.dimension_numbers.rhs_spec[2:])


def spread(size: int, dilation: int) -> int:
    """The length that `size` places take when `dilation` lies between neighbours."""
    return (size - 1) * dilation + 1


def accumulator(dtype: Any) -> Any:
    """The type that sums of this type are kept in: float32, or float64 for float64."""
    return jax.numpy.promote_types(dtype, jax.numpy.float32)


def cut_shifts(
    image: jax.Array,
    taps: tuple[int, ...],
    *,
    step: tuple[int, ...],
    stride: tuple[int, ...],
    places: tuple[int, ...],
) -> Iterator[jax.Array]:
    """What each place of a kernel meets as the kernel moves over an image.

    Args:
        image: Padded already, shape `(rows, *places of the image, channels)`.
        taps: How many places the kernel has along each axis.
        step: How far its neighbouring places are apart.
        stride: How far it moves.
        places: How often it stands.

    Yields:
        For each place of the kernel, the last axis fastest, `(rows, *places, channels)`.
    """
    for tap in itertools.product(*map(range, taps)):
        start = [index * far for index, far in zip(tap, step, strict=True)]
        stop = [at + spread(size, far) for at, size, far in zip(start, places, stride, strict=True)]
        first, last = (0, *start, 0), (image.shape[0], *stop, image.shape[-1])
        yield lax.slice(image, first, last, (1, *stride, 1))


def place_axes(array: jax.Array, spec: Sequence[int]) -> jax.Array:
    """An array `(first, *spatial, last)` with its axes where `spec` wants them.

    Args:
        array: The array.
        spec: As in JAX's dimension numbers: where the first, the last and the spatial axes go.
    """
    rank = array.ndim
    source = dict(zip(spec, (0, rank - 1, *range(1, rank - 1)), strict=True))
    return lax.transpose(array, [source[axis] for axis in range(rank)])
