"""The plan's losses as Keras takes them, and what a perfect copy costs in each."""

from collections.abc import Callable
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from truecopy.facts import PlanFacts
from truecopy.training.column_loss import ColumnLoss, mse

# Losses that are means over all values of a row, whatever its shape.
_MEANS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "mse": keras.losses.mean_squared_error,
    "binary_crossentropy": keras.losses.binary_crossentropy,
    "huber": keras.losses.huber,
    "poisson": keras.losses.poisson,
}


def choose_loss(plan: PlanFacts) -> Any:
    """Return the plan's loss: Keras' own name, or a function where Keras' own won't do."""
    if plan.columns:
        return ColumnLoss(plan.columns)
    if plan.loss.value == "binary_crossentropy" and plan.target_range is None:
        return unchecked_crossentropy
    if plan.loss.value == "categorical_crossentropy" and len(plan.groups) > 1:
        return grouped_crossentropy
    return plan.loss.value


def choose_metric(plan: PlanFacts) -> Any:
    """Return the mean squared error as Keras' `compile` takes it; without missing cells."""
    return mse if plan.columns else "mse"


def take_flat(loss: Any, *, rank: int) -> Any:
    """Return a loss that sees each row as a vector; `loss` itself where that changes nothing.

    A loss of Keras takes its mean over the last axis, and the rest later. Where that is the one
    channel of a grey image, XLA (JAX 0.10) computes it value by value on a CPU: the vanilla dense
    model on 28x28x1 trains half as fast as on vectors of 784. Equal but for float rounding.

    Args:
        loss: What `choose_loss` or `choose_metric` gives.
        rank: The number of axes of a batch.
    """
    function = _MEANS.get(loss) if isinstance(loss, str) else None
    if rank <= 2 or function is None:  # noqa: PLR2004 (rows, features)
        return loss

    def flat(target: Any, prediction: Any) -> Any:
        rows = [keras.ops.reshape(x, (keras.ops.shape(x)[0], -1)) for x in (target, prediction)]
        return function(*rows)

    flat.__name__ = str(loss)  # the metric's name in the history
    return flat


def unchecked_crossentropy(target: Any, prediction: Any) -> Any:
    """Binary cross-entropy also for targets outside [0, 1], where it has no lower bound.

    What Keras 3.15 computes on JAX and TensorFlow; on PyTorch it refuses such targets, and the
    recipe that shows what comes of them must run everywhere.
    """
    epsilon = keras.config.epsilon()
    p = keras.ops.clip(prediction, epsilon, 1 - epsilon)
    cost = target * keras.ops.log(p) + (1 - target) * keras.ops.log(1 - p)
    return -keras.ops.mean(cost, axis=-1)


def grouped_crossentropy(target: Any, prediction: Any) -> Any:
    """Categorical cross-entropy summed over groups: -sum(y log p), with p from 1e-7 up.

    Keras' own divides each row by its sum, which is the number of groups, not 1.
    """
    floor = keras.config.epsilon()
    logs = keras.ops.log(keras.ops.maximum(prediction, floor))
    return -keras.ops.sum(target * logs, axis=-1)


def perfect_loss(target: NDArray[np.float32], plan: PlanFacts) -> float | None:
    """Return the loss of a perfect copy of scaled rows; None where it has no lower bound.

    Binary cross-entropy outside [0, 1] has none.
    """
    y = target.astype(np.float64)
    if plan.loss.value == "binary_crossentropy":
        if y.min() < 0 or y.max() > 1:
            return None
        return float(-(xlogy(y, y) + xlogy(1 - y, 1 - y)).mean())
    if plan.loss.value == "poisson":
        # Keras 3.15 leaves out the constant log y!, as the loss' minimiser does not need it.
        return float((y - xlogy(y, y)).mean())
    return 0.0
