"""The state of a training after each epoch, and going on from it as if nothing had happened.

A checkpoint holds everything the next epoch depends on: weights, optimizer, the state of the
noise, what early stopping remembers, and the history. It is replaced whole, so that the
newest complete one is there whatever happens. It also holds what the run was told, and a
training that was told something else does not go on from it.
"""

import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, final

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.errors import ModelError, OutputFailed

History = dict[str, list[float]]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class State:
    """A training after an epoch.

    Attributes:
        epoch: How many epochs are done.
        told: What the run was told: settings, plan, data, versions; plain JSON.
        history: Keras' logs of the epochs done.
        variables: Weights, noise state and optimizer, in Keras' order.
        best: The best weights so far.
        best_loss: Their loss.
        best_epoch: The epoch that gave them, counted from 0.
        wait: How many epochs ago that was.
    """

    epoch: int
    told: Mapping[str, Any]
    history: History
    variables: list[NDArray[Any]]
    best: list[NDArray[Any]]
    best_loss: float
    best_epoch: int
    wait: int

    def save(self, path: Path) -> None:
        """Write the state to `path`, in place of an older one once it is complete.

        Raises:
            OutputFailed: It can't be written; the older one is intact.
        """
        plain = {
            "epoch": self.epoch,
            "told": self.told,
            "history": self.history,
            "best_loss": self.best_loss,
            "best_epoch": self.best_epoch,
            "wait": self.wait,
            "counts": [len(self.variables), len(self.best)],
        }
        arrays: dict[str, Any] = {
            f"a{i}": array for i, array in enumerate([*self.variables, *self.best])
        }
        arrays["plain"] = np.array(json.dumps(plain))
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                np.savez(file, **arrays)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            message = f"Can't write the checkpoint {str(path)!r}: {error.strerror or error}."
            raise OutputFailed(message) from error
        finally:
            temporary.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ModelError: There is no checkpoint at `path`, or it is broken.
        """
        if not path.is_file():
            message = f"There is no checkpoint {str(path)!r} to resume from."
            raise ModelError(message)
        try:
            with np.load(path, allow_pickle=False) as stored:
                plain = json.loads(str(stored["plain"]))
                variables, best = plain.pop("counts")
                arrays = [stored[f"a{i}"] for i in range(variables + best)]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            message = f"The checkpoint {str(path)!r} is incomplete or broken: {error}."
            raise ModelError(message) from error
        return cls(variables=arrays[:variables], best=arrays[variables:], **plain)

    def require_told(self, told: Mapping[str, Any], path: Path) -> None:
        """Refuse to go on with a run that is told something else.

        Raises:
            ModelError: Something differs; the message says what.
        """
        differing = [
            f"{name} was {self.told.get(name)!r}, is {told.get(name)!r}"
            for name in sorted({*self.told, *told})
            if self.told.get(name) != told.get(name)
        ]
        if differing:
            message = (
                f"The checkpoint {str(path)!r} is of another training: {'; '.join(differing)}. "
                "Resume with what it was started with, or start anew under another name."
            )
            raise ModelError(message)


@final
class KeepBest(keras.callbacks.EarlyStopping):  # type: ignore[misc]  # Keras ships no types
    """Keras' early stopping with the best weights kept, going on from a state where given."""

    def __init__(self, *, monitor: str, patience: int, state: State | None) -> None:
        super().__init__(monitor=monitor, mode="min", patience=patience, restore_best_weights=True)
        self._state = state

    def on_train_begin(self, logs: Any = None) -> None:
        """Take up what an interrupted training remembered; Keras forgets it here."""
        super().on_train_begin(logs)
        if self._state is not None:
            self.best, self.best_weights = self._state.best_loss, self._state.best
            self.best_epoch, self.wait = self._state.best_epoch, self._state.wait


@final
class Checkpoint(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Saves the state of a training after every epoch."""

    def __init__(
        self, path: Path, *, told: Mapping[str, Any], keep_best: KeepBest, history: History
    ) -> None:
        super().__init__()
        self._path = path
        self._told = told
        self._keep_best = keep_best
        self._history = {name: list(values) for name, values in history.items()}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Save; comes after `KeepBest` in the list of callbacks, so that it has decided."""
        logs = {name: float(value) for name, value in (logs or {}).items()}
        for name, value in logs.items():
            self._history.setdefault(name, []).append(value)
        if not np.isfinite([v for name, v in logs.items() if name.endswith("loss")]).all():
            return
        keep = self._keep_best
        State(
            epoch=epoch + 1,
            told=self._told,
            history=self._history,
            variables=read_variables(self.model),
            best=[np.asarray(weights) for weights in keep.best_weights],
            best_loss=float(keep.best),
            best_epoch=int(keep.best_epoch),
            wait=int(keep.wait),
        ).save(self._path)


def read_variables(trainer: Any) -> list[NDArray[Any]]:
    """Return copies of all that a step changes: weights, the noise's state, the optimizer's."""
    return [np.array(keras.ops.convert_to_numpy(v)) for v in _list_variables(trainer)]


def write_variables(trainer: Any, values: Sequence[NDArray[Any]]) -> None:
    """Put back what `read_variables` gave."""
    for variable, value in zip(_list_variables(trainer), values, strict=True):
        variable.assign(value)


def _list_variables(trainer: Any) -> list[Any]:
    trainer.optimizer.build(trainer.trainable_variables)
    return [*trainer.variables, *trainer.optimizer.variables]


def restore(trainer: Any, state: State) -> None:
    """Put a compiled model into a saved state.

    Raises:
        ModelError: The model has other variables.
    """
    shapes = [tuple(variable.shape) for variable in _list_variables(trainer)]
    if shapes != [array.shape for array in state.variables]:
        message = "The checkpoint has other weights than the model. Start anew."
        raise ModelError(message)
    write_variables(trainer, state.variables)
