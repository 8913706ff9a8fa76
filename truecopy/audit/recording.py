"""A Keras callback that keeps the losses and ends a training when its time is over."""

import time
from typing import Any

import keras
import numpy as np

from truecopy.audit.constants import Numbers, read_numbers
from truecopy.audit.ending import TimeIsOver
from truecopy.audit.feeding import to_array
from truecopy.audit.recorded_losses import Losses, StepLosses, read_loss
from truecopy.audit.subject import Array


class Recorder(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Keeps losses per step and epoch in `losses`, weights and numbers before the first step.

    Args:
        losses: Where they are kept.
        deadline: When to end the training, on `time.monotonic`'s clock; None: never.
        rows: Rows of an epoch, where known.
        batch_size: Rows of a batch, where known.
    """

    def __init__(
        self,
        losses: Losses,
        *,
        deadline: float | None = None,
        rows: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        super().__init__()
        self.losses = losses
        self.initial_weights: list[Array] | None = None
        self.numbers: Numbers = {}
        self.deadline = deadline
        self.rows, self.batch_size = rows, batch_size

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002 (Keras' signature)
        """Keep the weights: the model is built by now, and no step has been made."""
        self.initial_weights = copy_weights(self.model)
        kept = self.losses.steps
        steps = StepLosses(self.batch_size, self.rows, running=not has_own_step(self.model))
        steps.go_on_from(kept)
        self.losses.steps = steps

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Start again with the running means."""
        self.losses.steps.begin_epoch()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Keep the numbers that the step is compiled with, after the callbacks before this one."""
        if batch == 0:
            self.numbers = self.numbers or read_numbers(self.model)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Keep the step's loss."""
        loss = read_loss(logs)
        if loss is not None:
            self.losses.steps.add(batch, loss)
        self._check_time()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """A validation can take long as well."""
        self._check_time()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Keep the epoch's losses."""
        self.losses.end_epoch(logs or {})

    def _check_time(self) -> None:
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise TimeIsOver


def has_own_step(model: Any) -> bool:
    """Tell whether the model's class has a `train_step` of the user's."""
    owner = next(kind for kind in type(model).__mro__ if "train_step" in vars(kind))
    return not owner.__module__.startswith("keras.")


def copy_weights(model: Any) -> list[Array] | None:
    """Return copies of all weights; None for a model that isn't built or holds words."""
    if not model.built or not all(map(is_numeric, model.weights)):
        return None
    return [to_array(weight.value) for weight in model.weights]


def is_numeric(weight: Any) -> bool:
    """Tell whether a weight holds numbers: a vocabulary holds text."""
    return str(weight.dtype) != "string"


def first_broken_layer(model: Any) -> str | None:
    """Return the first layer whose weights are not finite; None where all are."""
    for layer in model.layers:
        for weight in layer.weights:
            if is_numeric(weight) and not np.isfinite(_floats(weight)).all():
                return str(layer.name)
    return None


def _floats(weight: Any) -> Array:
    return to_array(weight.value).astype("float32")
