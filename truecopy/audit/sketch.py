"""Makes small pictures of held-out rows and what two programs make of them."""

import base64
import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.rules.finding import Sketch

Array = NDArray[Any]

_ROWS: Final = 4
_SIDE: Final = 32  # a larger picture is sampled down to this
_LINE: Final = 256  # values of a row that is no picture
_ALIKE: Final = 0.3  # neighbours in a picture are; those in a table folded into a square aren't
_PICTURE_RANK: Final = 3


def draw_sketches(targets: Array, before: Array, after: Array) -> tuple[Sketch, ...]:
    """Return the first rows as sketches.

    Args:
        targets: Held-out rows, in an order drawn at random, shape (rows, ...).
        before: What the original program makes of them, in the same units.
        after: What the changed program makes of them.
    """
    if not before.shape == after.shape == targets.shape:
        return ()
    shape = find_shape(targets)
    low, high = float(targets.min()), float(targets.max())
    return tuple(
        Sketch(
            shape=shrink(rows[0].reshape(shape)).shape,
            **{
                name: _encode(shrink(row.reshape(shape)), low, high)
                for name, row in zip(("target", "before", "after"), rows, strict=True)
            },
        )
        for rows in zip(targets[:_ROWS], before[:_ROWS], after[:_ROWS], strict=True)
    )


def find_shape(rows: Array) -> tuple[int, ...]:
    """Return the shape of a row as a picture, (H, W) or (H, W, 3), else as a line, (N,)."""
    shape = tuple(rows.shape[1:])
    if len(shape) == _PICTURE_RANK and shape[-1] == 1:
        return shape[:2]
    if len(shape) == 2 or (len(shape) == _PICTURE_RANK and shape[-1] == 3):  # noqa: PLR2004
        return shape
    size = math.prod(shape)
    side = math.isqrt(size)
    if side * side == size and side > 1 and _are_neighbours_alike(rows.reshape(-1, side, side)):
        return (side, side)
    return (size,)


def _are_neighbours_alike(pictures: Array) -> bool:
    """Whether values above each other go together, as they do in a flattened picture."""
    pictures = pictures - pictures.mean()
    product = (pictures[:, 1:] * pictures[:, :-1]).mean()
    return bool(product > _ALIKE * max(float((pictures**2).mean()), 1e-30))


def shrink(row: Array) -> Array:
    """Return every so many-th value of a row that is too large for a sketch."""
    most = _LINE if row.ndim == 1 else _SIDE
    steps = [math.ceil(length / most) for length in row.shape[:2]]
    small: Array = row[tuple(slice(None, None, step) for step in steps)]
    return small


def _encode(row: Array, low: float, high: float) -> str:
    scaled = np.nan_to_num((row - low) / ((high - low) or 1.0), posinf=1.0, neginf=0.0)
    levels = np.rint(255 * np.clip(scaled, 0, 1)).astype(np.uint8)
    return base64.b64encode(levels.tobytes()).decode("ascii")
