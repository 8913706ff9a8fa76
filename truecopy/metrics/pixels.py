"""How many pixels the copy gets right as 8-bit grey levels: exactly, or nearly."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LEVELS: Final = 256


def exact_match(target: NDArray[Any], prediction: NDArray[Any]) -> NDArray[np.float64]:
    """Share of each row's values that are equal as 8-bit grey levels; 1 is a perfect copy.

    Formula: the share of values with round(255 prediction) == round(255 target).

    Higher is better. Floor: on mostly black images a blank page has most pixels right. It
    hides how far off the wrong pixels are: one grey level counts like 255.

    Source: the count the first question wanted, with rounding in place of truncation.

    Example:
        >>> exact_match(np.array([[0.0, 1.0]]), np.array([[0.001, 0.9]]))
        array([0.5])
    """
    return _share(to_levels(target) == to_levels(prediction))


def exact_match_truncated(target: NDArray[Any], prediction: NDArray[Any]) -> NDArray[np.float64]:
    """Share of each row's values that are equal after cutting off the prediction's decimals.

    Formula: the share of values with floor(255 prediction) == round(255 target), which is what
    `(255 * prediction).astype("uint8")` compares; the product is in the prediction's dtype.

    Higher is better. A prediction of 0.9999 becomes 254 and misses a white pixel, and one of
    0.0039 still counts as black: it is biased by half a level towards black. It hides the
    same as exact_match, and that bias; use exact_match.

    Source: the first question's own count of 71 %.

    Example:
        >>> exact_match_truncated(np.array([[0.0, 1.0]]), np.array([[0.0035, 0.999]]))
        array([0.5])
    """
    return _share(to_levels(target) == truncate_to_levels(prediction))


def perfect_rows(target: NDArray[Any], prediction: NDArray[Any]) -> NDArray[np.float64]:
    """Whether each row is copied exactly, all its values equal as 8-bit grey levels: 1 or 0.

    Formula: 1 where every round(255 prediction) == round(255 target), else 0; the figure of a
    data set is the share of such rows.

    Higher is better. This is what "81 % accuracy" is mistaken for; on photographs it is nearly
    always 0. It hides how near the other rows come.

    Source: the first question, "are 81 % of the images perfect?".

    Example:
        >>> perfect_rows(np.array([[0.0, 1.0], [0.0, 1.0]]), np.array([[0.0, 1.0], [0.1, 1.0]]))
        array([1., 0.])
    """
    equal = to_levels(target) == to_levels(prediction)
    perfect: NDArray[np.float64] = equal.reshape(len(equal), -1).all(axis=1).astype(np.float64)
    return perfect


def within_area(target: NDArray[Any], prediction: NDArray[Any]) -> NDArray[np.float64]:
    """Area under the tolerance curve of each row, from 0 to 1; 1 is a perfect copy.

    Formula: the mean over k = 0..255 of the share of values within k grey levels of the
    target, which is 1 - E|difference in levels| / 256.

    Higher is better. Floor: the best constant is the median. It hides nothing that mae shows,
    as it is the same in other words: the curve itself says more.

    Source: area under the cumulative distribution; integration by parts gives the formula.

    Example:
        >>> within_area(np.array([[0.0, 1.0]]), np.array([[0.0, 0.0]])).round(3)
        array([0.502])
    """
    difference = np.abs(to_levels(target) - to_levels(prediction))
    mean: NDArray[np.float64] = difference.reshape(len(difference), -1).mean(
        axis=1, dtype=np.float64
    )
    area: NDArray[np.float64] = 1 - mean / LEVELS
    return area


def to_levels(values: NDArray[Any]) -> NDArray[np.int16]:
    """Round values in [0, 1] to grey levels 0..255; what lies outside is cut off there."""
    scaled = np.rint(values * np.float32(LEVELS - 1))
    return np.clip(scaled, 0, LEVELS - 1, out=scaled).astype(np.int16)


def truncate_to_levels(values: NDArray[Any]) -> NDArray[np.int16]:
    """Cut values in [0, 1] down to grey levels 0..255, as `astype("uint8")` does."""
    scaled = np.floor(values * np.float32(LEVELS - 1))
    return np.clip(scaled, 0, LEVELS - 1, out=scaled).astype(np.int16)


def _share(equal: NDArray[np.bool_]) -> NDArray[np.float64]:
    flat = equal.reshape(len(equal), -1)
    share: NDArray[np.float64] = np.count_nonzero(flat, axis=1) / flat.shape[1]
    return share
