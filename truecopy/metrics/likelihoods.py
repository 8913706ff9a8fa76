"""What the copy costs as a probability of the original, one function per kind of data.

Binary cross-entropy and its excess for values in [0, 1], Poisson deviance for counts,
cross-entropy for one-hot groups, Gaussian likelihood for real values.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import kl_div, xlogy

from truecopy.errors import InvalidArgument
from truecopy.metrics.bounds import refuse_outside

# Keras' epsilon: probabilities below it are charged as if they were it.
_EPSILON: Final = 1e-7
_UNIT_HINT: Final = "Divide by the largest value, or use mse, which is defined on any data."


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
    refuse_outside(target, (0.0, 1.0), hint=_UNIT_HINT)
    cost = _bernoulli_cost(target, prediction)
    mean: NDArray[np.float64] = cost.reshape(len(cost), -1).mean(axis=1, dtype=np.float64)
    return mean


def bce_excess(target: NDArray[Any], prediction: NDArray[Any]) -> NDArray[np.float64]:
    """What a copy's binary cross-entropy costs above a perfect copy's, in nats per value.

    Formula: the mean over a row's values of y log(y / p) + (1 - y) log((1 - y) / (1 - p)): the
    BCE minus the targets' entropy, or KL(Bernoulli(y) || Bernoulli(p)), with p and 1 - p as in
    bce. In float32 it is good to about 1e-7 nats per value. Targets in [0, 1].

    Lower is better. Ceiling: 0, whatever the targets: unlike the BCE, it compares across data
    sets. Floor: the mean image. It hides nothing but is dominated by confident wrong values.

    Source: Kullback & Leibler 1951; that it is never negative is Gibbs' inequality.

    Example:
        >>> grey = np.array([[0.5, 1.0]])
        >>> bce_excess(grey, grey), bce_excess(grey, np.array([[0.5, 0.5]])).round(4)
        (array([0.]), array([0.3466]))
    """
    refuse_outside(target, (0.0, 1.0), hint=_UNIT_HINT)
    excess = value_excess(target, prediction)
    mean: NDArray[np.float64] = excess.reshape(len(excess), -1).mean(axis=1, dtype=np.float64)
    return mean


def value_excess(target: NDArray[Any], prediction: NDArray[Any]) -> NDArray[Any]:
    """Return the binary cross-entropy of each value above that of its perfect copy."""
    excess: NDArray[Any] = _bernoulli_cost(target, prediction)
    excess -= _bernoulli_cost(target, target)
    return excess


def _bernoulli_cost(target: NDArray[Any], prediction: NDArray[Any]) -> NDArray[Any]:
    """Return -(y log p + (1 - y) log(1 - p)) of each value, in the dtype of the rows.

    In place: ten times as fast as the formula as written, in arrays that stay in the cache.
    What rounding takes from 1 - p is put back, as in log(q + lost) = log q + lost / q: a
    sigmoid's outputs lie so close to 0 that it would be most of the cost.
    """
    p = np.clip(prediction, _EPSILON, 1)
    q = np.subtract(1, prediction, dtype=p.dtype)
    lost = np.subtract(1, q, dtype=p.dtype)
    lost -= prediction
    np.clip(q, _EPSILON, 1, out=q)
    lost /= q
    np.log(p, out=p)
    np.log(q, out=q)
    q += lost
    p *= target
    q *= np.subtract(1, target, out=lost)
    p += q
    cost: NDArray[Any] = np.negative(p, out=p)
    return cost


def poisson_deviance(target: NDArray[Any], prediction: NDArray[Any]) -> NDArray[np.float64]:
    """Poisson deviance of each row: what a copy of counts costs above a perfect one.

    Formula: the mean over a row's values of 2 (y log(y / p) - y + p), with 0 log 0 = 0 and p
    counted as no smaller than 1e-7 or, where that is smaller, the target. Targets from 0 up.

    Lower is better. Ceiling: 0. Floor: the mean row; data that are Poisson around it score
    about 1. It hides the size of what was missed: an error counts relative to the expected
    count.

    Source: McCullagh & Nelder 1989; equals `sklearn.metrics.mean_poisson_deviance` of each
    row where that is defined, p > 0.

    Example:
        >>> poisson_deviance(np.array([[0.0, 2.0]]), np.array([[1.0, 2.0]]))
        array([1.])
    """
    refuse_outside(target, (0.0, np.inf), hint="Counts are 0 or more.")
    y, p = _flat(target, prediction)
    deviance = 2 * kl_div(y, np.maximum(p, np.minimum(y, _EPSILON)))
    mean: NDArray[np.float64] = deviance.mean(axis=1)
    return mean


def cross_entropy(target: NDArray[Any], prediction: NDArray[Any]) -> NDArray[np.float64]:
    """Cross-entropy of each one-hot row in nats, summed over its groups of choices.

    Formula: the sum over a row's values of -y log p, with p no smaller than 1e-7 (Keras'
    epsilon) and 0 log 0 = 0. The p of one group are taken to sum to 1, as a softmax gives them.

    Lower is better. Ceiling: 0 for one-hot targets. Floor: the choices' frequencies, which
    cost their entropy. It hides nothing but is dominated by confident wrong choices. On values
    that are no probabilities it measures nothing: on pictures, p = 1 everywhere costs 0.

    Source: Keras 3.15 `categorical_crossentropy`, which for one group per row it equals.

    Example:
        >>> cross_entropy(np.array([[0.0, 1.0, 0.0]]), np.array([[0.25, 0.5, 0.25]])).round(4)
        array([0.6931])
    """
    y, p = _flat(target, prediction)
    total: NDArray[np.float64] = -xlogy(y, np.maximum(p, _EPSILON)).sum(axis=1)
    # The sum of no costs is -0 after the minus sign.
    return total + 0.0


def gaussian_nll(
    target: NDArray[Any], prediction: NDArray[Any], *, scale: float
) -> NDArray[np.float64]:
    """Negative log-likelihood of each row under Gaussian noise, in nats per value.

    Formula: the mean over a row's values of log(scale sqrt(2 pi)) + (y - p)^2 / (2 scale^2),
    where `scale` is the noise's standard deviation in scaled units. Data don't tell it, so no
    scorecard has this figure: call `truecopy.metrics.likelihoods.gaussian_nll` with a scale that
    you know, such as a sensor's.

    Lower is better; it can be negative. Ceiling: log(scale sqrt(2 pi)), a perfect copy. Floor:
    the mean row. At a fixed scale it ranks copies as the MSE does and hides the same.

    Source: textbook; minus the mean of `scipy.stats.norm.logpdf`.

    Example:
        >>> gaussian_nll(np.array([[0.0, 1.0]]), np.array([[0.0, 0.0]]), scale=1.0).round(4)
        array([1.1689])
    """
    if not scale > 0:
        raise InvalidArgument("scale", "gaussian_nll", "above 0", got=scale)
    y, p = _flat(target, prediction)
    squares: NDArray[np.float64] = ((y - p) ** 2).mean(axis=1)
    nats: NDArray[np.float64] = 0.5 * np.log(2 * np.pi * scale**2) + squares / (2 * scale**2)
    return nats


def _flat(
    target: NDArray[Any], prediction: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return targets and predictions as (rows, values) in float64."""
    y = target.reshape(len(target), -1).astype(np.float64)
    return y, prediction.reshape(len(prediction), -1).astype(np.float64)
