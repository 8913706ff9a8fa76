"""Data sets that need no download: MNIST comes with this package, digits with scikit-learn."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from truecopy.data.datasets.mnist import load_mnist

__all__ = ["load_digits", "load_mnist"]


def load_digits() -> tuple[NDArray[Any], NDArray[Any]]:
    """Load scikit-learn's 1797 small digits with their labels.

    Returns:
        The images, (1797, 8, 8, 1) uint8 from 0 to 16 (scikit-learn gives the same whole
        numbers as floats), and the digits they show, (1797,) int64.
    """
    from sklearn import datasets

    digits = datasets.load_digits()
    return digits.images[..., np.newaxis].astype(np.uint8), digits.target
