"""The progress bar of a training: loss, skill and time left, on standard error."""

import time
from typing import Any, Final, final

import keras
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

# Reading the loss waits for the step to end, so it is done a few times a second only.
_SECONDS_BETWEEN_UPDATES: Final = 0.25


@final
class ProgressBar(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Shows epochs, loss, and validation skill against the mean image, while Keras fits."""

    def __init__(self, *, label: str, mean_error: float, console: Console | None = None) -> None:
        super().__init__()
        self._label = label
        self._mean_error = mean_error
        self._console = console or Console(stderr=True)
        self._skill = ""
        self._loss = ""
        self._updated = 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        """Start the bar."""
        del logs
        epochs, steps = self.params["epochs"], self.params["steps"]
        self._steps = steps or 1
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
        )
        self._task = self._progress.add_task(self._label, total=epochs * self._steps, state="")
        self._epoch = 0
        self._progress.start()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note which epoch it is."""
        del logs
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Advance the bar a few times a second."""
        now = time.monotonic()
        if now - self._updated < _SECONDS_BETWEEN_UPDATES:
            return
        self._updated = now
        self._loss = f"loss {float(logs['loss']):.4g}"
        self._show(self._epoch * self._steps + batch + 1)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Show the epoch's loss and skill."""
        logs = logs or {}
        error = logs.get("val_mse")
        self._loss = f"loss {float(logs['loss']):.4g}"
        if error is not None and self._mean_error > 0:
            self._skill = f" skill {1 - error / self._mean_error:.3f}"
        self._show((epoch + 1) * self._steps)
        if not self._console.is_terminal:
            # A log file gets a line per epoch in place of a moving bar.
            self._console.print(self._describe(), highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Take the bar away, also after an error."""
        if hasattr(self, "_progress"):
            self._progress.stop()

    def _show(self, done: int) -> None:
        self._progress.update(self._task, completed=done, state=self._describe())

    def _describe(self) -> str:
        return f"epoch {self._epoch + 1}/{self.params['epochs']} {self._loss}{self._skill}"
