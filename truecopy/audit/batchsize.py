"""Does the loss grow with the batch? The same rows, once and twice."""

from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.audit.lossfunction import LossFunction
from truecopy.audit.tensors import to_float, to_tensor

Array = NDArray[Any]

# As few as `likeness` takes: under JAX every other number of rows is compiled anew.
_ROWS: Final = 4
# Below this a penalty is nothing but rounding, and a ratio of two such numbers says nothing.
_NOTHING: Final = 1e-9


def measure_scaling(
    loss: LossFunction, model: Any, inputs: Array, targets: Array, seen: Array | None
) -> tuple[float | None, float | None]:
    """Return the loss of a batch given twice divided by that of the batch: whole, and penalties.

    Weight penalties, which don't depend on rows, are left out. A ratio is 1 for means over rows
    and 2 for sums; None where there is nothing to divide. The model must have been called.
    """
    inputs, targets = inputs[:_ROWS], targets[:_ROWS]
    mean = np.broadcast_to(targets.mean(axis=0), targets.shape)
    guess = mean.astype(np.float32) if seen is None else seen[:_ROWS]
    once, twice = (_measure(loss, model, inputs, targets, guess, n) for n in (1, 2))
    return _ratio(once[0], twice[0]), _ratio(once[1], twice[1])


def _measure(
    loss: LossFunction, model: Any, inputs: Array, targets: Array, guess: Array, times: int
) -> tuple[float, float]:
    x, y, p = (np.concatenate([rows] * times) for rows in (inputs, targets, guess))
    penalty = activity_penalty(model, x) if _adds_losses(model) else 0.0
    charged = loss(y, p, x)
    return charged + (penalty if loss.place == "compiled" else 0.0), penalty


def _adds_losses(model: Any) -> bool:
    """Say whether the last call left more losses than weights are penalised."""
    regularised = [v for v in model.trainable_variables if getattr(v, "regularizer", None)]
    return len(model.losses) > len(regularised)


def activity_penalty(model: Any, inputs: Array) -> float:
    """Return what layers add to the loss for these rows in inference mode, without weights'."""
    try:
        model(to_tensor(inputs), training=False)
        added = sum(to_float(keras.ops.sum(loss)) for loss in model.losses)
    except Exception:  # noqa: BLE001 - models without a `call` add nothing by being called
        return 0.0
    return added - weight_penalty(model)


def weight_penalty(model: Any) -> float:
    """Return what weight regularisers add to the loss."""
    regularised = [v for v in model.trainable_variables if getattr(v, "regularizer", None)]
    return sum(to_float(v.regularizer(v)) for v in regularised)


def _ratio(once: float, twice: float) -> float | None:
    if not np.isfinite([once, twice]).all() or abs(once) < _NOTHING:
        return None
    return twice / once
