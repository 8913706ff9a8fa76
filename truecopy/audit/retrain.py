"""Trains a program for a while and scores its copies of held-out rows."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.audit.change import Program
from truecopy.audit.rebuild import CannotRebuild, seeded
from truecopy.audit.rescale import Units
from truecopy.audit.tensors import squash

Array = NDArray[Any]

ROWS: Final = 10_000  # more would take longer and hardly move a skill of a few thousand rows
HELD_OUT: Final = 0.2  # of the rows
_MOST_HELD_OUT: Final = 2_000  # give a skill to within about 0.01
_FEWEST: Final = 4  # rows to train on and rows to judge by
# Programs of which no one said how long they train; the seconds end most of them earlier.
_EPOCHS: Final = 30
_PREDICTED: Final = 256  # rows at once
_IMAGE_RANK: Final = 3
# Compiling is no training: that much of a program's seconds is for steps, however long it took.
_FOR_STEPS: Final = 0.5
_CROWDED: Final = 3.0


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Trained:
    """What a trained program makes of held-out rows.

    `copies` are its outputs for the rows `held`, in its own units; it was trained on the rows
    `kept` for so many `steps`, which are `epochs` through them, in `seconds`.
    """

    copies: Array
    held: Array
    kept: Array
    steps: int
    epochs: float
    seconds: float


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Score:
    """How good the copies are: figures over held-out rows, in the units of the judge.

    `copies` are those in the judge's units and `meant` what they should be; `errors` are the mean
    squared errors of the held-out rows, `floor` that of the mean of the
    training targets; `skill` is 1 - mse / floor, minus infinity where the copies are not finite.
    """

    skill: float
    mse: float
    psnr: float | None
    copies: Array
    meant: Array
    errors: Array
    floor: float

    @property
    def figures(self) -> Mapping[str, float]:
        """Return the figures that a report shows."""
        known = {"skill": self.skill, "mse": self.mse}
        return known if self.psnr is None else {**known, "psnr": self.psnr}


def train(program: Program, *, seconds: float, steps: int | None, seed: int) -> Trained:
    """Train a program; its model is changed.

    Args:
        program: What is trained.
        seconds: After these the training ends.
        steps: After so many it ends as well; None: after the epochs of the user's program.
        seed: Draws the split and the order of rows: the same for all programs.

    Raises:
        CannotRebuild: There are too few rows.
    """
    held, kept = _split(len(program.inputs), seed)
    watch = Stopwatch()
    model = program.compile()
    batches = _Batches(program, kept, seed=seed)
    clock = _Clock(seconds=seconds, steps=steps)
    epochs = math.ceil(steps / len(batches)) if steps else program.epochs or _EPOCHS
    with seeded(seed), _faster(model):
        model.fit(batches, epochs=epochs, verbose=0, callbacks=[clock])
        copies = _read_logits(program, _predict(model, program.inputs[held]))
    return Trained(
        copies=copies,
        held=held,
        kept=kept,
        steps=clock.steps,
        epochs=clock.steps / len(batches),
        seconds=watch.elapsed(),
    )


def _split(total: int, seed: int) -> tuple[Array, Array]:
    order = np.random.default_rng(seed).permutation(total)
    count = min(int(total * HELD_OUT), _MOST_HELD_OUT)
    if min(count, total - count) < _FEWEST:
        raise CannotRebuild(f"{total} rows are too few to train on and to judge by")
    return order[:count], order[count:]


def score(trained: Trained, units: Units, judge: Program) -> Score:
    """Score the copies of a trained program.

    Args:
        trained: What is scored.
        units: Those the judge's are seen from: they turn the copies into the judge's units.
        judge: The program whose targets were meant.
    """
    copies = units.apply(trained.copies).astype("float64")
    meant = judge.targets[trained.held].astype("float64")
    mean = judge.targets[trained.kept].astype("float64").mean(axis=0)
    copies = np.reshape(copies, meant.shape) if copies.size == meant.size else copies
    errors = ((copies - meant) ** 2).mean(axis=tuple(range(1, meant.ndim)))
    floor = float(((mean - meant) ** 2).mean())
    mse = float(errors.mean())
    skill = 1 - mse / floor if floor > 0 else float("nan")
    span = float(meant.max() - meant.min())
    psnr = None
    if meant.ndim >= _IMAGE_RANK and mse > 0 and span > 0:
        psnr = float(10 * np.log10(span**2 / mse))
    skill = skill if np.isfinite(mse) else float("-inf")
    return Score(
        skill=skill,
        mse=mse,
        psnr=psnr,
        copies=copies,
        meant=meant,
        errors=errors,
        floor=floor,
    )


def _predict(model: Any, rows: Array) -> Array:
    """Run the model as `predict` does, whatever a `predict_step` of the user's gives."""
    parts = [
        keras.ops.convert_to_numpy(model(rows[start : start + _PREDICTED], training=False))
        for start in range(0, len(rows), _PREDICTED)
    ]
    copies: Array = np.concatenate(parts).astype("float64")
    return copies


def _read_logits(program: Program, copies: Array) -> Array:
    """Turn outputs that the loss takes for logits into the values that they stand for.

    A squashed output is left alone also where the loss takes it for logits: nobody would squash it
    again to look at it, and that the loss does is the fault.
    """
    loss = program.compiling.get("loss")
    logits = isinstance(loss, keras.losses.Loss) and loss.get_config().get("from_logits")
    if not logits or (copies.min() >= 0 and copies.max() <= 1):
        return copies
    if "categorical" in type(loss).__name__.lower():
        powers = np.exp(copies - copies.max(axis=-1, keepdims=True))
        shares: Array = powers / powers.sum(axis=-1, keepdims=True)
        return shares
    return squash(copies)


def _faster(model: Any) -> Any:
    """Speed a convolutional model up where that is possible: on JAX, on a CPU."""
    from contextlib import nullcontext

    if keras.backend.backend() != "jax":
        return nullcontext()
    from truecopy.training.acceleration import accelerate

    return accelerate(model)


@final
class Stopwatch:
    """Seconds as they would be on a machine with nothing else to do.

    Where others use the processor too, the seconds that this process got count; but never less
    than a third of those on the clock, by which the reader waits.
    """

    def __init__(self) -> None:
        self._started = time.monotonic(), time.process_time()

    def elapsed(self) -> float:
        """Return the seconds since this was made."""
        clock, process = self._started
        waited = time.monotonic() - clock
        return max(waited / _CROWDED, min(waited, time.process_time() - process))


@final
class _Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras ships no types
    """The rows in an order of their own seed, whole batches only: one shape, one compilation."""

    def __init__(self, program: Program, rows: Array, *, seed: int) -> None:
        super().__init__()
        self._program = program
        self._rows = rows
        self._size = min(program.batch_size, rows.size)
        self._generator = np.random.default_rng(seed)
        self._order = self._generator.permutation(rows)

    def __len__(self) -> int:
        return int(self._rows.size // self._size)

    def __getitem__(self, place: int) -> tuple[Array, Array]:
        rows = self._order[place * self._size : (place + 1) * self._size]
        return self._program.inputs[rows], self._program.targets[rows]

    def on_epoch_end(self) -> None:
        """Draw the next epoch's order."""
        self._order = self._generator.permutation(self._rows)


@final
class _Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """Ends a training after so many steps or so much time, and counts the steps."""

    def __init__(self, *, seconds: float, steps: int | None) -> None:
        super().__init__()
        self._seconds = seconds
        self._ends = seconds
        self._watch = Stopwatch()
        self._most = steps
        self.steps = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Stop where the budget is used up."""
        del batch, logs
        now = self._watch.elapsed()
        if self.steps == 0:
            self._ends = max(self._ends, now + _FOR_STEPS * self._seconds)
        self.steps += 1
        if self.steps == self._most or now > self._ends:
            self.model.stop_training = True
