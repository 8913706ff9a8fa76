"""What Keras itself reports for `metrics=["accuracy"]`, to the last bit of its float32.

Keras adds the rows' shares up in float32, batch by batch, in an order that its compiler
chooses: no formula of ours gives the same last digits on every backend and machine. So Keras
is asked: the model is evaluated, in batches of 32 rows as `model.evaluate` has them unless
told otherwise, in a shell that leaves the model's own compile state as it is.
"""

from collections.abc import Iterator
from typing import Any, Final, final

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.metrics.task import Task

# Keras' default, and a divisor of the task's batches: only the last one is short.
KERAS_BATCH: Final = 32


@final
class _Chain(keras.Model):  # type: ignore[misc]  # Keras ships no types
    """Models one after the other, sharing their weights; none: what goes in comes out."""

    def __init__(self, models: list[Any]) -> None:
        super().__init__(name="chain")  # TensorFlow takes no leading underscore
        self._chained = models

    def call(self, rows: Any) -> Any:
        """Return the last model's output."""
        for model in self._chained:
            rows = model(rows)
        return rows


def ask_keras(task: Task, *, rows: int) -> float:
    """Return the accuracy that `model.evaluate` gives for the rows of a task.

    A function that is no Keras model is asked for its copies, and Keras for their accuracy.

    Args:
        task: What is evaluated, in one more pass.
        rows: How many rows it has.
    """
    shell = _Chain(task.copier.keras_models())
    shell.compile(loss="mse", metrics=["accuracy"])  # TensorFlow and PyTorch want some loss
    steps = -(-rows // KERAS_BATCH)
    logs = shell.evaluate(_pairs(task), steps=steps, verbose=0, return_dict=True)
    return float(logs["accuracy"])


def _pairs(task: Task) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Give inputs and targets in the shapes and units that the model takes."""
    for first, seen, target in task.batches():
        inputs, wanted = task.copier.pair(seen, target, task.baselines.units)
        if not task.copier.keras_models():
            inputs = task.copy(seen, first)
        for start in range(0, len(inputs), KERAS_BATCH):
            rows = slice(start, start + KERAS_BATCH)
            yield np.asarray(inputs[rows], np.float32), np.asarray(wanted[rows], np.float32)
