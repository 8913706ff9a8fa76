"""Training with Keras' own `fit`: noise, validation, early stopping, one compilation.

What is trained is a thin wrapper around the model; the model itself never learns of noise,
scaling or speed-ups, so it is saved as it is.
"""

import hashlib
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.data.noise import Noise
from truecopy.data.plan import Plan
from truecopy.data.split import Split
from truecopy.facts import RunFacts
from truecopy.models.networks import Networks
from truecopy.training.acceleration import accelerate
from truecopy.training.batches import Hiding, TrainingBatches, ValidationBatches
from truecopy.training.checkpoint import Checkpoint, History, KeepBest, State, restore
from truecopy.training.corruption import build_trainer
from truecopy.training.divergence import Divergence, StopWhenDiverged, find_divergence
from truecopy.training.grouping import group_steps
from truecopy.training.losses import choose_loss, choose_metric, perfect_loss, take_flat
from truecopy.training.memory import refuse_large_batches
from truecopy.training.progress import ProgressBar

# Rows on which the loss of a perfect copy and the error of the mean image are estimated.
_SAMPLE_ROWS = 2_048


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """How to train: what `Autoencoder` was told, with every default filled in.

    `schedule` is 'constant', or 'cosine': `learning_rate` falls to nearly 0 over the epochs along
    half a cosine (Loshchilov & Hutter 2017, SGDR, without restarts). `checkpoint` is a file for
    the state after every epoch; `resume` goes on from it.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    schedule: str
    validation: float
    patience: int
    seed: int
    label: str
    quiet: bool
    checkpoint: Path | None = None
    resume: bool = False


def train(
    networks: Networks,
    rows: NDArray[Any],
    split: Split,
    *,
    plan: Plan,
    noise: Noise | None,
    settings: Settings,
    hiding: Hiding | None = None,
    callbacks: Sequence[Any] = (),
) -> RunFacts:
    """Fit `networks` to reconstruct clean rows from (noisy) rows, in place.

    Args:
        networks: What to train; holds the weights of the best epoch afterwards.
        rows: All rows, shape (rows, ...), in the user's units; an array or a memory map.
        split: Which of them train.
        plan: Gives scaling and loss.
        noise: Corrupts the inputs, never the targets.
        settings: Epochs, batch size and so on.
        hiding: Fills in a table's missing cells; None: there are none.
        callbacks: Further Keras callbacks.

    Returns:
        What was trained and how it went; `diverged` where the loss became NaN or infinite:
        then `networks` has the weights of the best epoch before, or of the step before.

    Raises:
        ModelError: There is no checkpoint to resume from, or it is of another training.
    """
    told = _tell(networks, rows, plan, noise, settings)
    state = None
    if settings.resume and settings.checkpoint is not None:
        state = State.load(settings.checkpoint)
        state.require_told(told, settings.checkpoint)
    epoch = 0 if state is None else state.epoch
    batches, held_out = _make_batches(rows, split, plan, noise, settings, hiding, epoch)
    trainer = build_trainer(networks.model, noise, seed=settings.seed)
    batches.together = group_steps(trainer, batches.batch_size, callbacks)
    _compile(trainer, plan, settings.learning_rate, batches.together)
    if state is not None:
        restore(trainer, state)
    sample = batches.sample(_SAMPLE_ROWS)
    own = _own_callbacks(held_out, settings, told, state, sample)
    started = time.perf_counter()
    history, found = _fit(trainer, batches, held_out, settings, [*own, *callbacks], state)
    if found is not None:
        networks.model.set_weights(found.best if history.get("loss") else found.before)
    return RunFacts(
        model=networks.model.name,
        latent=networks.latent,
        parameters=int(networks.model.count_params()),
        rows=batches.rows,
        validation_rows=0 if held_out is None else held_out.rows,
        epochs=len(history.get("loss", ())),
        best_epoch=_best_epoch(history),
        batch_size=batches.batch_size,
        optimizer="adam",
        learning_rate=settings.learning_rate,
        schedule=settings.schedule,
        noise=None if noise is None else str(noise),
        seed=settings.seed,
        stopped=_why_stopped(history, settings, found, steps=len(batches)),
        diverged=found is not None,
        seconds=time.perf_counter() - started,
        loss_floor=perfect_loss(sample, plan.facts),
        history=history,
        versions=_versions(),
    )


def _make_batches(
    rows: NDArray[Any],
    split: Split,
    plan: Plan,
    noise: Noise | None,
    settings: Settings,
    hiding: Hiding | None,
    epoch: int,
) -> tuple[TrainingBatches, ValidationBatches | None]:
    """Return the batches to train on from `epoch` on, and those that find the best epoch."""
    seed, scaling = settings.seed, plan.scaling
    batches = TrainingBatches(
        rows,
        split.training,
        scaling,
        batch_size=min(settings.batch_size, len(split.training)),
        seed=seed,
        epoch=epoch,
        hiding=hiding,
    )
    if not len(split.held_out):
        return batches, None
    held_out = ValidationBatches(
        rows,
        split.held_out,
        scaling,
        batch_size=split.batch,
        noise=noise,
        seed=seed,
        hiding=hiding,
    )
    return batches, held_out


def _own_callbacks(
    held_out: ValidationBatches | None,
    settings: Settings,
    told: dict[str, Any],
    state: State | None,
    sample: NDArray[np.float32],
) -> list[Any]:
    """Return what watches every training: early stopping, checkpoint, progress bar."""
    monitor = "loss" if held_out is None else "val_loss"
    keep_best = KeepBest(monitor=monitor, patience=settings.patience, state=state)
    callbacks: list[Any] = [keep_best]
    if settings.schedule == "cosine":
        callbacks.append(keras.callbacks.LearningRateScheduler(_fall_along_cosine(settings)))
    if settings.checkpoint is not None:
        done: History = {} if state is None else state.history
        checkpoint = Checkpoint(settings.checkpoint, told=told, keep_best=keep_best, history=done)
        callbacks.append(checkpoint)
    if not settings.quiet:
        # The mean squared error of the mean image: where skill starts.
        floor = float(sample.var(axis=0).mean())
        callbacks.append(ProgressBar(label=settings.label, mean_error=floor))
    return callbacks


def _fall_along_cosine(settings: Settings) -> Callable[..., float]:
    """Return Keras' kind of schedule: from an epoch's number, from 0, to its learning rate."""
    peak, epochs = settings.learning_rate, settings.epochs
    return lambda epoch, _=None: peak * (1 + math.cos(math.pi * epoch / epochs)) / 2


def _compile(trainer: Any, plan: Plan, learning_rate: float, group: int) -> None:
    rank = len(trainer.output_shape)
    trainer.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=take_flat(choose_loss(plan.facts), rank=rank),
        # The skill shown after an epoch needs the MSE of held-out rows, whatever the loss.
        metrics=[take_flat(choose_metric(plan.facts), rank=rank)],
        steps_per_execution=group,
    )


def _fit(
    trainer: Any,
    batches: TrainingBatches,
    held_out: ValidationBatches | None,
    settings: Settings,
    callbacks: Sequence[Any],
    state: State | None,
) -> tuple[dict[str, tuple[float, ...]], Divergence | None]:
    """Run Keras' fit, from `state` on where there is one.

    Returns:
        The history of all epochs; and, if the last one diverged, where. It is then left out.
    """
    watch, found = StopWhenDiverged(), None
    first = 0 if state is None else state.epoch
    # Interrupted after its last epoch, a training has none left to do.
    ended = state is not None and state.wait >= settings.patience
    try:
        with accelerate(trainer), refuse_large_batches(trainer, batches.batch_size):
            trainer.fit(
                batches,
                validation_data=held_out,
                epochs=first if ended else max(first, settings.epochs),
                initial_epoch=first,
                # The batches shuffle themselves; Keras' own shuffling uses the global seed.
                shuffle=False,
                verbose=0,
                callbacks=[*callbacks, watch],
            )
            logged = trainer.history.history
            if watch.epoch is not None:
                found = find_divergence(trainer, watch, batches, held_out)
    finally:
        for callback in callbacks:
            if isinstance(callback, ProgressBar):
                callback.close()
    last = None if found is None else -1
    new = {name: tuple(map(float, values[:last])) for name, values in logged.items()}
    done: History = {} if state is None else state.history
    return {name: (*done.get(name, ()), *new.get(name, ())) for name in {**done, **new}}, found


def _tell(
    networks: Networks, rows: NDArray[Any], plan: Plan, noise: Noise | None, settings: Settings
) -> dict[str, Any]:
    """Return what a resumed training must share with the one that it resumes.

    The number of epochs may change: going on for longer is what one resumes for.
    """
    # Some rows stand for all of them: reading every one again would take as long as an epoch.
    some = np.ascontiguousarray(rows[:: max(1, len(rows) // 64)])
    return {
        "model": networks.model.name,
        "parameters": int(networks.model.count_params()),
        "rows": [int(n) for n in rows.shape],
        "data": hashlib.sha256(some.tobytes()).hexdigest()[:16],
        "scaling": plan.facts.scaling.value,
        "loss": plan.facts.loss.value,
        "noise": None if noise is None else str(noise),
        "batch_size": settings.batch_size,
        "learning_rate": settings.learning_rate,
        "schedule": settings.schedule,
        "validation": settings.validation,
        "patience": settings.patience,
        "seed": settings.seed,
        "versions": _versions(),
    }


def _best_epoch(history: Mapping[str, Sequence[float]]) -> int:
    """Return the number of the best epoch, from 1; 0 where none is done."""
    losses = history.get("val_loss", history.get("loss", ()))
    return int(np.argmin(losses)) + 1 if losses else 0


def _why_stopped(
    history: Mapping[str, Sequence[float]],
    settings: Settings,
    found: Divergence | None,
    *,
    steps: int,
) -> str:
    epochs, best = len(history.get("loss", ())), _best_epoch(history)
    if found is not None:
        kept = f"of epoch {best}" if best else "from before"
        return f"{found.describe(steps)} Kept are the weights {kept}. Lower the learning rate."
    if epochs == settings.epochs:
        return f"all {epochs} epochs done"
    return f"no better epoch in {settings.patience} epochs"


def _versions() -> dict[str, str]:
    """Return the versions a result depends on; the backend's under its own name."""
    backend = keras.backend.backend()
    ours = {name: version(name) for name in ("truecopy", "keras", "numpy")}
    # Keras has imported the backend; its package may be called otherwise (tensorflow-cpu).
    return {"backend": backend, **ours, backend: str(sys.modules[backend].__version__)}
