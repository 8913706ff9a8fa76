"""What the copy costs as a probability of the original: binary cross-entropy."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

# Keras' epsilon: probabilities below it are charged as if they were it.
_EPSILON: Final = 1e-7


def bce(target: NDArray[Any], prediction: NDArray[Any]) -> NDArray[np.float64]:
    """Binary cross-entropy of each row in nats per value; targets must lie in [0, 1].

    Formula: the mean over a row's values of -(y log p + (1 - y) log(1 - p)), with p and 1 - p
    no smaller than 1e-7 (Keras' epsilon) and 0 log 0 = 0.

    Lower is better. Ceiling: the perfect copy p = y is the minimum also for grey targets, but
    it costs the targets' entropy, not 0: 0.0583633 on MNIST's training images. Read the value
    minus that. It hides nothing but is dominated by confident wrong values.

    Source: Keras 3.15 `binary_crossentropy`; the minimum follows from Gibbs' inequality.

    Example:
        >>> bce(np.array([[0.5, 1.0]]), np.array([[0.5, 1.0]])).round(4)
        array([0.3466])
    """
    y = target.reshape(len(target), -1).astype(np.float64)
    p = prediction.reshape(len(prediction), -1).astype(np.float64)
    cost = xlogy(y, np.maximum(p, _EPSILON)) + xlogy(1 - y, np.maximum(1 - p, _EPSILON))
    mean: NDArray[np.float64] = -cost.mean(axis=1)
    return mean
