"""What Keras itself reports for `metrics=["accuracy"]`, to the last bit of its float32.

Keras adds the rows' shares up in float32, batch by batch, in an order that its compiler
chooses: no formula of ours gives the same last digits on every backend and machine. So Keras
is handed the copies, in batches of 32 rows as `model.evaluate` has them unless told otherwise.
"""

from typing import Any, Final, final

import keras
import numpy as np
from numpy.typing import NDArray

# Keras' default, and a divisor of the task's batches: only the last one is short.
KERAS_BATCH: Final = 32


@final
class _AsItIs(keras.Model):  # type: ignore[misc]  # Keras ships no types
    """Gives what it is given, so that Keras scores copies that were made already."""

    def __init__(self) -> None:
        super().__init__(name="as_it_is")  # TensorFlow takes no leading underscore

    def call(self, rows: Any) -> Any:
        """Return the rows."""
        return rows

    def reset_metrics(self) -> None:
        """Go on adding up: Keras 3.15 would start anew with each `test_on_batch`."""


@final
class KerasAccuracy:
    """The accuracy that `model.evaluate` gives for the rows so far, in Keras' own float32.

    Copies made in other batches than Keras' can differ by a float32's last digit, and count
    otherwise where that lies between them and the threshold.
    """

    def __init__(self) -> None:
        self._shell = _AsItIs()
        self._shell.compile(loss="mse", metrics=["accuracy"])  # TensorFlow wants some loss
        self.value = 0.0

    def update(self, target: NDArray[Any], output: NDArray[Any]) -> None:
        """Take in more rows: targets and outputs in the units and shape of the model's output."""
        for start in range(0, len(target), KERAS_BATCH):
            wanted, given = (
                np.asarray(rows[start : start + KERAS_BATCH], np.float32)
                for rows in (target, output)
            )
            logs = self._shell.test_on_batch(given, wanted, return_dict=True)
            self.value = float(logs["accuracy"])
