"""Keeps the losses of a training that is watched, bounded however long it is."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from truecopy.rules.facts import TrainingFacts

# Enough for a curve; a training of millions of steps must not fill the memory or the JSON.
_MOST_STEPS: Final = 400


class StepLosses:
    """The losses of single steps, recovered from what Keras logs.

    Keras (3.15) logs after each step the mean over the epoch's rows so far. The loss of the
    step itself is the growth of the sum. A model with a `train_step` of its own may log
    anything, which is then kept as logged.

    Args:
        batch_size: Rows of a full batch; None: unknown, all batches count the same.
        rows: Rows of an epoch, so that the last, short batch weighs less; None: unknown.
        running: Whether what is logged are means since the epoch's start.

    Example:
        >>> steps = StepLosses()
        >>> for step, mean in enumerate([4.0, 3.0, 2.0]):
        ...     steps.add(step, mean)
        >>> steps.kept
        [4.0, 2.0, 0.0]
    """

    def __init__(
        self, batch_size: int | None = None, rows: int | None = None, *, running: bool = True
    ) -> None:
        self.kept: list[float] = []
        self.count = 0
        self.diverged_at: int | None = None
        self.running = running
        self._batch_size, self._rows = batch_size, rows
        self.stride = 1
        self.begin_epoch()

    def go_on_from(self, earlier: "StepLosses") -> None:
        """Take over what an earlier call of `fit` on the same model gave."""
        self.kept, self.count = earlier.kept, earlier.count
        self.diverged_at, self.stride = earlier.diverged_at, earlier.stride

    def begin_epoch(self) -> None:
        """Start again with the means, as Keras does."""
        self._weight = self._total = 0.0
        self._last = -1

    def add(self, step: int, logged: float) -> None:
        """Take what was logged after step `step` of this epoch, counted from 0."""
        weight = self._weight_until(step)
        loss = logged
        if self.running and weight > self._weight:
            loss = (logged * weight - self._total) / (weight - self._weight)
        self._total, self._weight = logged * weight, weight
        self.count += max(1, step - self._last)  # several where Keras runs several at once
        self._last = step
        if not math.isfinite(loss) and self.diverged_at is None:
            self.diverged_at = self.count
        self._keep(loss)

    def _weight_until(self, step: int) -> float:
        """Return how many rows the epoch has seen after this step."""
        rows = float((step + 1) * (self._batch_size or 1))
        if self._rows is None or self._batch_size is None:
            return rows
        return min(rows, float(self._rows))

    def _keep(self, loss: float) -> None:
        if (self.count - 1) % self.stride == 0:
            self.kept.append(loss)
        if len(self.kept) > _MOST_STEPS:
            self.kept = self.kept[::2]
            self.stride *= 2


class Losses:
    """All losses of one training, which may be several calls of `fit` in a row."""

    def __init__(self) -> None:
        self.epochs: list[float] = []
        self.validation: list[float] = []
        self.rates: list[float] = []
        self.steps = StepLosses()
        self.planned = 0

    def end_epoch(self, logs: Mapping[str, Any]) -> None:
        """Take what Keras logged for a whole epoch."""
        name = name_loss(logs)
        if name is not None:
            self.epochs.append(float(logs[name]))
        if "learning_rate" in logs:  # the callbacks of Keras 3.15 that change it say so
            self.rates.append(float(logs["learning_rate"]))
        for key in (f"val_{name}", "val_loss"):  # Keras' own where only the step is the user's
            if key in logs:
                self.validation.append(float(logs[key]))
                break

    def facts(
        self,
        *,
        batch_size: int | None,
        complete: bool,
        early_stopping: bool,
        diverged_layer: str | None,
    ) -> TrainingFacts:
        """Return what was seen."""
        return TrainingFacts(
            losses=tuple(self.epochs),
            validation_losses=tuple(self.validation),
            step_losses=tuple(self.steps.kept),
            rates=tuple(self.rates),
            planned_epochs=self.planned,
            batch_size=batch_size,
            steps=self.steps.count,
            complete=complete,
            early_stopping=early_stopping,
            diverged_at=self.steps.diverged_at,
            diverged_layer=diverged_layer,
        )


def name_loss(logs: Iterable[str]) -> str | None:
    """Return which of the logged names is the loss that is trained on; None where none says so.

    That is 'loss'; else, from a step of the user's, a total loss, the first name with 'loss' in
    it, or the only one there is.

    Example:
        >>> name_loss(["kl_loss", "total_loss", "val_total_loss"])
        'total_loss'
        >>> name_loss(["mse", "mae"]) is None
        True
    """
    names = [name for name in logs if not name.startswith("val_")]
    losses = [name for name in names if "loss" in name]
    totals = [name for name in losses if "total" in name]
    chosen = [n for n in names if n == "loss"] or totals or losses
    return chosen[0] if chosen else names[0] if len(names) == 1 else None


def read_loss(logs: Mapping[str, Any] | Iterable[Any] | None) -> float | None:
    """Return the loss among logs, or the first value of a list; None where there is none."""
    if isinstance(logs, Mapping):
        name = name_loss(logs)
        value: Any = None if name is None else logs[name]
    elif isinstance(logs, list | tuple):
        value = logs[0] if logs else None
    else:
        value = logs
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None
