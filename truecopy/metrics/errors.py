"""How far the copy is from the original, value by value: MSE and MAE."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def mse(target: NDArray[Any], prediction: NDArray[Any]) -> NDArray[np.float64]:
    r"""Mean squared error of each row, in squared scaled units; 0 is a perfect copy.

    Formula: the mean over a row's values of (prediction - target)^2.

    Lower is better. Floor: the mean image has the variance of the data. It hides where the
    error sits: a few wrong strokes and a faint grey veil can cost the same.

    Source: textbook; equals `sklearn.metrics.mean_squared_error` averaged over rows.

    Example:
        >>> mse(np.array([[0.0, 1.0]]), np.array([[0.0, 0.5]]))
        array([0.125])
    """
    difference = _difference(target, prediction)
    # einsum sums the squares without a second array of the rows' size.
    squares: NDArray[np.float64] = np.einsum("nf,nf->n", difference, difference)
    mean: NDArray[np.float64] = squares / difference.shape[1]
    return mean


def mae(target: NDArray[Any], prediction: NDArray[Any]) -> NDArray[np.float64]:
    """Mean absolute error of each row, in scaled units; 0 is a perfect copy.

    Formula: the mean over a row's values of |prediction - target|.

    Lower is better. Floor: the best constant is the median of the data, which on mostly
    black images is a blank page. It hides outliers that an MSE would show.

    Source: textbook; equals `sklearn.metrics.mean_absolute_error` averaged over rows.

    Example:
        >>> mae(np.array([[0.0, 1.0]]), np.array([[0.0, 0.5]]))
        array([0.25])
    """
    absolute: NDArray[np.float64] = np.abs(_difference(target, prediction)).mean(axis=1)
    return absolute


def _difference(target: NDArray[Any], prediction: NDArray[Any]) -> NDArray[np.float64]:
    flat = prediction.reshape(len(prediction), -1).astype(np.float64)
    flat -= target.reshape(len(target), -1)
    return flat
