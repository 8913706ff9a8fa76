"""Columns of a table that number things rather than measure them."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.audit.tensors import flat
from truecopy.rules.inputs import GREY_MAXIMA

Array = NDArray[Any]

# Counts, ages, years and grades stay below; customer, product and postal numbers don't.
_RANGE: Final = 1000
# Measured whole numbers, such as incomes, crowd at the low end; numbers given to things are
# spread about evenly, with a kurtosis near the 1.8 of an even distribution.
_EVEN: Final = 2.3
# More steps than this are the steps between floats of 32 bits.
_FINEST: Final = 1_000_000
_DISTINCT: Final = 0.9
_UNTOLD: Final = 0.9
_OFF: Final = 0.05
# Words of a text: so many different ones, in so many columns of about the same mean and spread.
_LEAST_WORDS: Final = 50
# Of fewer ones, each number up to the last is one, and none is far more frequent than others.
_FEWEST_WORDS: Final = 20
_WITHOUT_GAPS: Final = 0.95
# Columns of words may hang together a little: some words follow others.
_WORDS_TELL: Final = 0.25
_LEAST_TOKENS: Final = 4
_ALIKE: Final = 0.5
_LEAST_ROWS: Final = 30
_MOST_COLUMNS: Final = 500


def find_cardinal(rows: Array) -> tuple[int, ...]:
    """Return the columns of a table that look like identifiers.

    Whole numbers over a wide range that are spread evenly over it, or that count the rows; the
    former also after a scaler has moved and stretched them, where nearly all differ and the other
    columns tell nothing of them. And all columns, where they hold the same many whole numbers and
    tell nothing of each other, as words of a vocabulary do. Of sequences with one number a step
    only the last is asked.

    Args:
        rows: Shape (rows, columns) or (rows, steps, 1); other shapes have none.

    Example:
        >>> draw = np.random.default_rng(0)
        >>> ids, heights = draw.integers(10_000, 99_999, 200), draw.normal(170, 10, 200)
        >>> find_cardinal(np.stack([ids, heights], axis=1))
        (0,)
    """
    steps = rows.ndim == 3 and rows.shape[2] == 1  # noqa: PLR2004
    if not (steps or rows.ndim == 2) or len(rows) < _LEAST_ROWS or rows.shape[1] > _MOST_COLUMNS:  # noqa: PLR2004
        return ()
    values = flat(rows)
    finite = bool(np.isfinite(values).all())
    if finite and _are_tokens(values):
        return tuple(range(rows.shape[1]))
    if steps:
        return ()
    return tuple(
        number
        for number in range(rows.shape[1])
        if _is_identifier(values[:, number]) or (finite and _is_scaled_identifier(values, number))
    )


def _are_tokens(values: NDArray[np.float64]) -> bool:
    if values.shape[1] < _LEAST_TOKENS:
        return False
    if (values != np.rint(values)).any() or values.min() < 0 or values.max() in GREY_MAXIMA:
        return False
    means, spreads = values.mean(axis=0), values.std(axis=0)
    words = len(np.unique(values))
    if words < _FEWEST_WORDS or spreads.min() == 0:
        return False
    alike = np.ptp(means) < _ALIKE * means.mean() and np.ptp(spreads) < _ALIKE * spreads.mean()
    correlations = np.asarray(np.corrcoef(values, rowvar=False))
    pairs = correlations[np.triu_indices(values.shape[1], 1)]
    told = float(np.abs(pairs).mean())
    # Of independent columns they are about 1 / sqrt(rows).
    many = words >= _LEAST_WORDS and told < 2 / np.sqrt(len(values))
    listed = values.min() <= 1 and words >= _WITHOUT_GAPS * (np.ptp(values) + 1)
    return bool(alike and (many or (listed and told < _WORDS_TELL and _is_even(values.ravel()))))


def _is_identifier(values: NDArray[np.float64]) -> bool:
    if not np.isfinite(values).all() or (values != np.rint(values)).any():
        return False
    steps = np.diff(values)
    if steps[0] != 0 and (steps == steps[0]).all():
        return True  # numbered rows
    if np.ptp(values) < _RANGE or values.min() < 0:
        return False
    round_ones = (values % 10 == 0).mean()
    return bool(_is_even(values) and round_ones < 0.5)  # noqa: PLR2004 - prices are round


def _is_scaled_identifier(rows: NDArray[np.float64], number: int) -> bool:
    values = rows[:, number]
    if (values == np.rint(values)).all():
        return False
    distinct = np.unique(values)
    if len(distinct) < _DISTINCT * len(values):
        return False
    steps = count_steps(distinct)
    if steps is None or not _RANGE <= steps[-1] <= _FINEST or not _is_even(values):
        return False
    others = np.delete(rows, number, axis=1)
    if 2 * others.shape[1] > len(rows):
        return False
    table = np.column_stack([others, np.ones(len(rows))])
    left = values - table @ np.linalg.lstsq(table, values, rcond=None)[0]
    return bool(left.var() > _UNTOLD * values.var())


def count_steps(distinct: Array) -> NDArray[np.float64] | None:
    """Return how many equal steps each value is above the first; None where steps differ.

    Args:
        distinct: At least two values, increasing, shape (values,).

    Example:
        >>> count_steps(np.array([0.5, 0.6, 0.9])).tolist()
        [0.0, 1.0, 4.0]
        >>> count_steps(np.array([0.0, 1.0, 1.0 + 2**0.5])) is None
        True
    """
    gaps = np.diff(distinct)
    # Rounding is a large part of one step, but not of the sum of all.
    step = float(gaps.sum() / np.rint(gaps / gaps.min()).sum())
    steps = (distinct - distinct[0]) / step
    whole: NDArray[np.float64] = np.rint(steps)
    return whole if np.abs(steps - whole).max() < _OFF else None


def _is_even(values: NDArray[np.float64]) -> bool:
    moved = values - values.mean()
    kurtosis = np.mean(moved**4) / np.mean(moved**2) ** 2
    return bool(kurtosis < _EVEN)
