"""Which of two arrays is the other one with something random added, decided by numbers.

If b is a with noise, then three things hold. What the noise does to one value says nothing of
what it does to the next (it is white). Nothing in a tells what it will do. And b tells part of
it, because noise doesn't fit the structure that rows share. A blurred, shifted, cropped, coloured
or segmented copy fails at least one of them.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.audit.tensors import flat

Array = NDArray[Any]

_LEAST_ROWS: Final = 24
_ROWS: Final = 384
# Values of a row that are looked at: a block, so that neighbours stay neighbours.
_FEATURES: Final = 400
# Noise below this share of the spread is rounding, compression or resampling.
_FAINT: Final = 0.02
# The squared correlation of neighbours that white noise may show beyond chance (1 / rows).
_WHITE: Final = 0.01
# Share of the difference that the noisy array must tell, and how much more than the clean one.
_TELLS: Final = 0.01
_TIMES: Final = 2.0
# Where a value of the clean array explains all but this share of its own change, the other is a
# function of it: binarised, squared, in other units.
_RANDOM: Final = 0.2
# Where a small filter leaves no more than this share of the difference, it is a blur.
_FILTERED: Final = 0.05
_BINS: Final = 64
_PARTS: Final = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Noise:
    """Which array is the noisy one ('first', 'second' or 'neither'), and the noise's deviation."""

    which: str = "neither"
    deviation: float = 0.0


def find_noisier(first: Array, second: Array) -> Noise:
    """Return which of two arrays of the same shape is the other with something random added.

    Args:
        first: Shape (rows, ...), finite.
        second: The same shape, row for row.

    Example:
        >>> draw = np.random.default_rng(0)
        >>> clean = np.outer(draw.normal(size=200), np.ones(10))
        >>> find_noisier(clean, clean + draw.normal(size=clean.shape)).which
        'second'
    """
    if first.shape != second.shape or len(first) < _LEAST_ROWS:
        return Noise()
    a, b = _crop(first), _crop(second)
    difference = flat(b - a)
    difference = difference - difference.mean(axis=0)
    spread = min(float(flat(x).std(axis=0).mean()) for x in (a, b))
    deviation = float(difference.std())
    if spread <= 0 or deviation <= _FAINT * spread or _is_shifted(a, b):
        return Noise()
    told = [_told_by(flat(x), difference) for x in (a, b)]
    for clean, noisy, which in ((0, 1, "second"), (1, 0, "first")):
        source, result = (a, b) if clean == 0 else (b, a)
        leads = told[noisy] > max(_TELLS, _TIMES * told[clean])
        rest = difference - _expected(flat(source), difference)
        random = rest.var() > _RANDOM * difference.var()
        if (
            leads
            and random
            and _is_white(rest.reshape(source.shape))
            and not _is_filter(result, source)
        ):
            return Noise(which=which, deviation=deviation)
    return Noise()


def _crop(rows: Array) -> Array:
    """Return rows spread over the array and a block from the middle of each, as an image if 784.

    A flat row whose length is a square is taken for a picture: its columns are neighbours, too.
    """
    chosen = np.linspace(0, len(rows) - 1, min(_ROWS, len(rows))).astype(int)
    taken = rows[chosen]
    side = int(np.sqrt(taken[0].size))
    if taken.ndim == 2 and side * side == taken.shape[1] and side > 3:  # noqa: PLR2004
        taken = taken.reshape(len(taken), side, side)
    while taken[0].size > _FEATURES:
        axis = 1 + int(np.argmax(taken.shape[1:]))
        length = taken.shape[axis]
        taken = np.take(taken, np.arange(length // 8, length - max(length // 8, 1)), axis=axis)
    return np.asarray(taken, np.float64)


def _expected(values: Array, difference: Array) -> Array:
    """Return the mean difference at values like these: what clipping and masking do on average."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _BINS + 1)))
    # The ends have a bin of their own: most pixels are exactly 0, and clipping acts there.
    places = np.searchsorted(edges, values.ravel(), side="left")
    sums = np.bincount(places, difference.ravel())
    means = sums / np.maximum(np.bincount(places), 1)
    return np.asarray(means[places].reshape(values.shape))


def _told_by(rows: Array, difference: Array) -> float:
    """Return the share of the difference that the rows' misfit to their own structure explains.

    The misfit is what a few principal components leave; they are fitted on the other half of the
    rows, so that no row explains itself.
    """
    rest = difference - _expected(rows, difference)
    half = len(rows) // 2
    misfit = np.concatenate(
        [
            _misfit(rows[half:], rows[:half]),
            _misfit(rows[:half], rows[half:]),
        ]
    )
    own = misfit - _expected(rows, misfit)
    total = float(np.square(rest).sum() * np.square(own).sum())
    return float((rest * own).sum() ** 2 / total) if total > 0 else 0.0


def _misfit(fitted_on: Array, rows: Array) -> Array:
    centre = fitted_on.mean(axis=0)
    parts = min(_PARTS, max(rows.shape[1] // 3, 1))
    _, _, axes = np.linalg.svd(fitted_on - centre, full_matrices=False)
    inside = axes[:parts]
    moved = rows - centre
    return np.asarray(moved - (moved @ inside.T) @ inside)


def _is_white(rest: Array) -> bool:
    """Say whether neighbouring values of what is left are uncorrelated over the rows."""
    squares = []
    for axis in range(1, rest.ndim):
        if rest.shape[axis] > 1:
            ahead = np.take(rest, np.arange(1, rest.shape[axis]), axis=axis)
            behind = np.take(rest, np.arange(rest.shape[axis] - 1), axis=axis)
            squares.append(_squared_correlation(ahead, behind))
    worst = max(squares, default=0.0)
    return worst - 1 / len(rest) < _WHITE


def _squared_correlation(first: Array, second: Array) -> float:
    """Return the mean over features of the squared correlation over rows, by their weight."""
    x, y = flat(first) - flat(first).mean(axis=0), flat(second) - flat(second).mean(axis=0)
    weights = np.square(x).sum(axis=0) * np.square(y).sum(axis=0)
    varied = weights > 1e-6 * max(weights.max(initial=0.0), 1e-30)
    products = np.square((x * y).sum(axis=0))[varied]
    # Weighted by size: features that hardly vary say little.
    size = np.sqrt(weights[varied])
    return float((products / weights[varied] * size).sum() / size.sum()) if varied.any() else 0.0


def _is_shifted(a: Array, b: Array) -> bool:
    """Say whether one array is the other moved by a few places along an axis, rows included."""
    for axis in range(a.ndim):
        length = a.shape[axis]
        for step in range(1, min(9, length // 2)):
            ahead, behind = np.arange(step, length), np.arange(length - step)
            for x, y in ((a, b), (b, a)):
                moved = np.take(x, ahead, axis=axis) - np.take(y, behind, axis=axis)
                if np.square(moved).mean() < 1e-6 * max(float(x.var()), 1e-30):
                    return True
    return False


def _is_filter(source: Array, result: Array) -> bool:
    """Say whether a small linear filter of `source` gives `result`: a blur or a shift of it."""
    spatial = range(1, min(source.ndim, 3))
    windows = []
    for moves in np.ndindex(*[5] * len(spatial)):
        moved = source
        for axis, move in zip(spatial, moves, strict=True):
            moved = np.roll(moved, move - 2, axis=axis)
        windows.append(moved.ravel())
    design = np.stack([*windows, np.ones(source.size)], axis=1)
    wanted = result.ravel()
    weights, *_ = np.linalg.lstsq(design, wanted, rcond=None)
    missed = np.square(wanted - design @ weights).mean()
    return bool(missed < _FILTERED * float((result - source).var()))
