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
    np.square(difference, out=difference)
    mean: NDArray[np.float64] = difference.mean(axis=1, dtype=np.float64)
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
    difference = _difference(target, prediction)
    np.abs(difference, out=difference)
    mean: NDArray[np.float64] = difference.mean(axis=1, dtype=np.float64)
    return mean


def max_error(target: NDArray[Any], prediction: NDArray[Any]) -> NDArray[np.float64]:
    """Largest absolute error of each row, in scaled units; 0 is a perfect copy.

    Formula: the maximum over a row's values of |prediction - target|; the figure of a data set
    is the maximum over its rows, so it has no interval.

    Lower is better. Floor: the constant halfway between the smallest and the largest value, 0.5
    on data that fill [0, 1]; most copies get 1 there, as one missed pixel is enough. It hides
    everything but the worst value.

    Source: textbook; equals `sklearn.metrics.max_error` on one row.

    Example:
        >>> max_error(np.array([[0.0, 1.0]]), np.array([[0.0, 0.5]]))
        array([0.5])
    """
    largest: NDArray[np.float64] = np.abs(_difference(target, prediction)).max(axis=1)
    return largest.astype(np.float64)


def _difference(target: NDArray[Any], prediction: NDArray[Any]) -> NDArray[Any]:
    """Return prediction - target, flat, a new array in the dtype of the rows.

    In float32 each value is good to 7 digits; what is summed over a row is summed in float64.
    """
    difference: NDArray[Any] = prediction.reshape(len(prediction), -1) - target.reshape(
        len(target), -1
    )
    return difference
