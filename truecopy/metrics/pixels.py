"""How many pixels the copy gets exactly right, as 8-bit grey levels."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_BYTE: Final = 255


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
    equal = _to_bytes(target) == _to_bytes(prediction)
    share: NDArray[np.float64] = equal.reshape(len(equal), -1).mean(axis=1)
    return share


def _to_bytes(values: NDArray[Any]) -> NDArray[Any]:
    return np.rint(values * np.float32(_BYTE))
