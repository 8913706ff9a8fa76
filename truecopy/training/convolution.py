"""Equal but faster forms of the convolutions that XLA's CPU backend runs badly.

draft
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jax import lax

PATCH_BYTES = 2 << 20
MODE = set()


def fast_form(lhs: Any, rhs: Any, **params: Any):
    numbers = params["dimension_numbers"]
    if params["feature_group_count"] > 1:
        return None
    out = lax.conv_general_dilated_p.abstract_eval if False else None
    sizes = _window_counts(lhs.shape, rhs.shape, params)
    window = [rhs.shape[d] for d in numbers.rhs_spec[2:]]
    if math.prod(window) <= math.prod(sizes):
        return None
    ld, rd = max(params["lhs_dilation"], default=1), max(params["rhs_dilation"], default=1)
    if ld > 1 and rd > 1:
        return None
    ci, co = lhs.shape[numbers.lhs_spec[0]], rhs.shape[numbers.rhs_spec[0]]
    G = params["batch_group_count"]
    swap = ld > 1 or (rd == 1 and co < ci)
    if not (ld > 1 or G > 1 or (swap and co * math.prod(sizes) <= 64) or "all" in MODE):
        return None
    return functools.partial(weight_gradient, swap=swap, **params)


def _window_counts(lhs: tuple[int, ...], rhs: tuple[int, ...], params: dict[str, Any]) -> list[int]:
    numbers = params["dimension_numbers"]
    counts = []
    for axis, (low, high) in enumerate(params["padding"]):
        reach = (rhs[numbers.rhs_spec[2 + axis]] - 1) * params["rhs_dilation"][axis] + 1
        size = (lhs[numbers.lhs_spec[2 + axis]] - 1) * params["lhs_dilation"][axis] + 1
        counts.append((size + low + high - reach) // params["window_strides"][axis] + 1)
    return counts


def weight_gradient(lhs, rhs, *, swap, **params):
    numbers = params["dimension_numbers"]
    counts = _window_counts(lhs.shape, rhs.shape, params)
    n, c = numbers.lhs_spec[1], numbers.lhs_spec[0]
    image = lax.transpose(lhs, (n, *numbers.lhs_spec[2:], c))
    grid = lax.transpose(rhs, (numbers.rhs_spec[1], *numbers.rhs_spec[2:], numbers.rhs_spec[0]))
    steps = params["window_strides"]
    low = [l for l, _ in params["padding"]]
    stride = params["rhs_dilation"]
    G = params["batch_group_count"]
    if swap:
        image, grid = grid, image
        low = [(k - 1) * s - l for k, s, l in zip(counts, steps, low)]
        stride = params["lhs_dilation"]
    # pad so that all slices are inside
    pads = [(0, 0, 0)]
    for a, k in enumerate(counts):
        need = (k - 1) * steps[a] + (grid.shape[1 + a] - 1) * stride[a] + 1
        pads.append((low[a], need - low[a] - image.shape[1 + a], 0))
    pads.append((0, 0, 0))
    image = lax.pad(image, jnp.zeros((), image.dtype), pads)
    acc = jnp.promote_types(lhs.dtype, jnp.float32)

    def part(image, grid):
        slices = []
        for taps in itertools.product(*map(range, counts)):
            start = [t * s for t, s in zip(taps, steps)]
            stop = [b + (g - 1) * st + 1 for b, g, st in zip(start, grid.shape[1:], stride)]
            slices.append(
                lax.slice(
                    image, (0, *start, 0), (image.shape[0], *stop, image.shape[-1]), (1, *stride, 1)
                )
            )
        dims = tuple(range(grid.ndim - 1))
        if G == 1:
            patches = jnp.concatenate(slices, -1)
            return lax.dot_general(
                patches, grid, ((dims, dims), ((), ())), preferred_element_type=acc
            ).reshape(len(slices), image.shape[-1], grid.shape[-1])
        j, o = image.shape[-1] // G, grid.shape[-1] // G
        gg = grid.reshape(*grid.shape[:-1], G, 1, o)
        out = [
            jnp.sum(s.reshape(*s.shape[:-1], G, j, 1) * gg, dims, dtype=acc) for s in slices
        ]  # G j o
        return jnp.stack(out)

    N = grid.shape[0]
    total = grid.size * image.shape[-1] // grid.shape[-1] * math.prod(counts) * image.dtype.itemsize
    rows = max(1, min(N, PATCH_BYTES * N // total))
    if G > 1:
        rows = N
    full = N // rows
    if full == 1:
        rows = N
    if rows == N:
        out = part(image, grid)
    else:

        def body(i, c):
            return c + part(
                lax.dynamic_slice_in_dim(image, i * rows, rows),
                lax.dynamic_slice_in_dim(grid, i * rows, rows),
            )

        shape = jax.eval_shape(part, image, grid)
        out = lax.fori_loop(0, full, body, jnp.zeros(shape.shape, shape.dtype))
        if full * rows < N:
            out = out + part(image[full * rows :], grid[full * rows :])
    out = out.astype(params["preferred_element_type"] or lhs.dtype)
    if G == 1:
        out = out.reshape(*counts, *out.shape[1:])
    else:
        out = out.reshape(*counts, *out.shape[1:])  # K G j o
        # want [K, j, G*o]
        if swap:
            out = jnp.swapaxes(out, -1, -2)
        out = jnp.moveaxis(out, -3, -2)
        out = out.reshape(*counts, out.shape[-3], -1)
        swap_done = True
    nd = len(counts)
    if swap:
        out = lax.rev(out, range(nd))
        if G == 1:
            out = jnp.swapaxes(out, -1, -2)
    spec = numbers.out_spec
    perm = [0] * (nd + 2)
    perm[spec[0]] = nd
    perm[spec[1]] = nd + 1
    for a in range(nd):
        perm[spec[2 + a]] = a
    return lax.transpose(out, perm)
