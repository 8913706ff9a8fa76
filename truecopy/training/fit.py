"""Training with Keras' own `fit`: noise, validation, early stopping, one compilation.

What is trained is a thin wrapper around the model; the model itself never learns of noise,
scaling or speed-ups, so it is saved as it is.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.data.noise import Noise
from truecopy.data.plan import Plan
from truecopy.errors import Diverged, EmptyData
from truecopy.facts import RunFacts
from truecopy.models.networks import Networks
from truecopy.training.acceleration import accelerate
from truecopy.training.batches import TrainingBatches, ValidationBatches, split_rows
from truecopy.training.corruption import build_trainer
from truecopy.training.losses import choose_loss, perfect_loss
from truecopy.training.progress import ProgressBar

# Rows on which the loss of a perfect copy and the error of the mean image are estimated.
_SAMPLE_ROWS = 2_048


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """How to train: what `Autoencoder` was told, with every default filled in."""

    epochs: int
    batch_size: int
    learning_rate: float
    validation: float
    patience: int
    seed: int
    label: str
    quiet: bool


def train(
    networks: Networks,
    rows: NDArray[Any],
    *,
    plan: Plan,
    noise: Noise | None,
    settings: Settings,
    callbacks: Sequence[Any] = (),
) -> RunFacts:
    """Fit `networks` to reconstruct clean rows from (noisy) rows, in place.

    Args:
        networks: What to train; holds the weights of the best epoch afterwards.
        rows: All rows, shape (rows, ...), in the user's units; an array or a memory map.
        plan: Gives scaling and loss.
        noise: Corrupts the inputs, never the targets.
        settings: Epochs, batch size and so on.
        callbacks: Further Keras callbacks.

    Returns:
        What was trained and how it went.

    Raises:
        Diverged: The loss became NaN or infinite; the best weights so far are kept.
        EmptyData: No rows are left to train on.
    """
    training, validation, validation_batch = split_rows(
        len(rows), settings.validation, seed=settings.seed
    )
    if not len(training):
        message = f"All {len(rows)} rows went into validation. Lower 'validation' or add rows."
        raise EmptyData(message)
    batch_size = min(settings.batch_size, len(training))
    scaling = plan.scaling
    batches = TrainingBatches(rows, training, scaling, batch_size=batch_size, seed=settings.seed)
    held_out = None
    if len(validation):
        held_out = ValidationBatches(
            rows, validation, scaling, batch_size=validation_batch, noise=noise, seed=settings.seed
        )
    sample = scaling.apply(rows[training[:: -(-len(training) // _SAMPLE_ROWS)]])
    trainer = build_trainer(networks.model, noise, seed=settings.seed)
    _compile(trainer, plan, settings.learning_rate)
    history, seconds = _fit(trainer, batches, held_out, sample, settings, callbacks)
    best = _best_epoch(history)
    return RunFacts(
        model=networks.model.name,
        latent=networks.latent,
        parameters=int(networks.model.count_params()),
        rows=len(training),
        validation_rows=len(validation),
        epochs=len(history["loss"]),
        best_epoch=best,
        batch_size=batch_size,
        optimizer="adam",
        learning_rate=settings.learning_rate,
        noise=None if noise is None else str(noise),
        seed=settings.seed,
        stopped=_why_stopped(history, settings),
        seconds=seconds,
        loss_floor=perfect_loss(sample, plan.facts),
        history=history,
        versions=_versions(),
    )


def _compile(trainer: Any, plan: Plan, learning_rate: float) -> None:
    loss = choose_loss(plan.facts)
    trainer.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=loss,
        # The skill shown while training needs the MSE, whatever the loss.
        metrics=["mse"],
    )


def _fit(
    trainer: Any,
    batches: TrainingBatches,
    held_out: ValidationBatches | None,
    sample: NDArray[np.float32],
    settings: Settings,
    callbacks: Sequence[Any],
) -> tuple[dict[str, tuple[float, ...]], float]:
    """Run Keras' fit; return the history and the seconds it took."""
    watch = _StopWhenDiverged(trainer.get_weights())
    monitor = "val_loss" if held_out is not None else "loss"
    keep_best = keras.callbacks.EarlyStopping(
        monitor=monitor, mode="min", patience=settings.patience, restore_best_weights=True
    )
    own: list[Any] = [watch, keep_best]
    bar = None
    if not settings.quiet:
        bar = ProgressBar(label=settings.label, mean_error=float(sample.var(axis=0).mean()))
        own.append(bar)
    started = time.perf_counter()
    try:
        with accelerate(trainer):
            trainer.fit(
                batches,
                validation_data=held_out,
                epochs=settings.epochs,
                # The batches shuffle themselves; Keras' own shuffling uses the global seed.
                shuffle=False,
                verbose=0,
                callbacks=[*own, *callbacks],
            )
    finally:
        if bar is not None:
            bar.close()
    if watch.diverged_at is not None:
        trainer.set_weights(keep_best.best_weights or watch.initial_weights)
        message = (
            f"The loss became NaN or infinite in epoch {watch.diverged_at} (learning rate "
            f"{settings.learning_rate:g}). The best weights so far were kept. "
            "Lower the learning rate."
        )
        raise Diverged(message)
    history = {
        name: tuple(float(value) for value in values)
        for name, values in trainer.history.history.items()
    }
    return history, time.perf_counter() - started


class _StopWhenDiverged(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Ends training after an epoch whose loss is not finite."""

    def __init__(self, weights: list[NDArray[Any]]) -> None:
        super().__init__()
        self.initial_weights = weights
        self.diverged_at: int | None = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Check the losses of the epoch."""
        losses = [value for name, value in (logs or {}).items() if name.endswith("loss")]
        if not np.isfinite(losses).all():
            self.diverged_at = epoch + 1
            self.model.stop_training = True


def _best_epoch(history: dict[str, tuple[float, ...]]) -> int:
    losses = history.get("val_loss", history["loss"])
    return int(np.argmin(losses)) + 1


def _why_stopped(history: dict[str, tuple[float, ...]], settings: Settings) -> str:
    epochs = len(history["loss"])
    if epochs == settings.epochs:
        return f"all {epochs} epochs done"
    return f"no better epoch in {settings.patience} epochs"


def _versions() -> dict[str, str]:
    """Return the versions a result depends on; the backend's under its own name."""
    backend = keras.backend.backend()
    ours = {name: version(name) for name in ("truecopy", "keras", "numpy")}
    # Keras has imported the backend; its package may be called otherwise (tensorflow-cpu).
    return {"backend": backend, **ours, backend: str(sys.modules[backend].__version__)}
