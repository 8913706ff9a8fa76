"""Pictures whose targets are themselves, moved: shifted or mirrored each in its own way.

An augmentation that draws anew for input and target gives such pairs: none of the two tells where
the other went.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_PICTURE: Final = (3, 4)  # rows, height, width, and perhaps channels
_ROWS: Final = 128
_LEAST_SIDE: Final = 8
# Shifts are tried up to a quarter of the picture.
_REACH: Final = 4
# What a move has to take off the misfit (1 - correlation) of the pair as it is, how well that may
# fit without, and how well it has to fit then.
_GAIN: Final = 0.5
_FITS: Final = 0.9
_FOUND: Final = 0.7
# Where half of the rows made the same move, it is no chance: the next frame, or another crop.
_SAME: Final = 0.5


def share_moved(first: Array, second: Array) -> float:
    """Return the share of pictures that fit the others far better once they are moved.

    Args:
        first: Shape (rows, height, width) or (rows, height, width, channels), finite.
        second: The same shape, row for row.

    Returns:
        0 for other shapes, and where they all make the same move.

    Example:
        >>> draw = np.random.default_rng(0)
        >>> rows = draw.normal(size=(40, 16, 16)).cumsum(axis=1).cumsum(axis=2)
        >>> steps = draw.integers(1, 4, (40, 2))
        >>> moved = [np.roll(row, step, (0, 1)) for row, step in zip(rows, steps)]
        >>> share_moved(rows, np.array(moved)) > 0.5
        True
        >>> share_moved(rows, rows + draw.normal(size=rows.shape))
        0.0
    """
    if first.ndim not in _PICTURE or first.shape != second.shape:
        return 0.0
    if min(first.shape[1:3]) < _LEAST_SIDE:
        return 0.0
    a, b = (_standardise(rows[:_ROWS]) for rows in (first, second))
    own = (a * b).sum(axis=(1, 2))
    best, moves = own.copy(), np.zeros((len(a), 4), int)
    for mirror in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        fit, shifts = _fit_shifted(a[:, :: mirror[0], :: mirror[1]], b)
        better = fit > best
        best = np.where(better, fit, best)
        moves[better] = np.column_stack([shifts, np.tile(mirror, (len(a), 1))])[better]
    moved = (1 - best < _GAIN * (1 - own)) & (own < _FITS) & (best > _FOUND)
    if not moved.any():
        return 0.0
    _, counts = np.unique(moves[moved], axis=0, return_counts=True)
    return float(moved.mean()) if counts.max() < _SAME * moved.sum() else 0.0


def _standardise(rows: Array) -> Array:
    """Return pictures of one channel with mean 0 and length 1; empty ones stay 0."""
    grey = np.asarray(rows, float).reshape(*rows.shape[:3], -1).mean(axis=3)
    grey = grey - grey.mean(axis=(1, 2), keepdims=True)
    length = np.sqrt(np.square(grey).sum(axis=(1, 2), keepdims=True))
    return np.asarray(grey / np.where(length > 0, length, 1))


def _fit_shifted(a: Array, b: Array) -> tuple[Array, Array]:
    """Return the best correlation of each pair over shifts of the first, and these shifts."""
    height, width = a.shape[1:]
    spectrum = np.conj(np.fft.rfft2(a)) * np.fft.rfft2(b)
    fits = np.fft.irfft2(spectrum, s=(height, width))
    reach = [np.arange(-(side // _REACH), side // _REACH + 1) for side in (height, width)]
    near = fits[:, reach[0][:, None], reach[1][None, :]].reshape(len(a), -1)
    places = np.unravel_index(near.argmax(axis=1), (len(reach[0]), len(reach[1])))
    shifts = np.column_stack([reach[0][places[0]], reach[1][places[1]]])
    return near.max(axis=1), shifts
