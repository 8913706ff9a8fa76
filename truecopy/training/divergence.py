"""Where a training stopped being finite: the step, and the first layer at fault.

An epoch's loss is looked at when the epoch is done, which costs nothing. Only if it is not finite
is that epoch taken again from its beginning, step by step: the same rows, order and noise.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.training.batches import TrainingBatches, ValidationBatches
from truecopy.training.checkpoint import read_variables, write_variables


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Divergence:
    """The first step after which the loss or a weight is not finite.

    Attributes:
        epoch: Counted from 1.
        step: Counted from 1 within the epoch; None where all steps are finite: then it is a
            held-out row, or the processor doesn't give the same result twice.
        layer: The path of the first layer that is not finite; None where it is the loss alone.
        what: What of the layer is not finite: 'output' or 'weights'.
        learning_rate: That of the step.
        before: All weights of the trainer before the step.
        best: Those of the best epoch before, where there was one.
    """

    epoch: int
    step: int | None
    layer: str | None
    what: str
    learning_rate: float
    before: list[NDArray[Any]]
    best: list[NDArray[Any]]

    def describe(self, steps: int) -> str:
        """Return what happened, as a sentence; `steps` make an epoch."""
        when = f"in epoch {self.epoch}"
        if self.step is None:
            when += ", on held-out rows"
        else:
            when += f", at step {self.step} of {steps}"
        where = "all outputs are finite, their loss isn't"
        if self.layer is not None:
            where = f"the first {self.what} that are not finite: those of layer {self.layer!r}"
        return (
            f"The loss became NaN or infinite {when} (learning rate {self.learning_rate:g}; "
            f"{where})."
        )


@final
class StopWhenDiverged(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Ends training after an epoch whose loss is not finite; must be the last of the callbacks.

    Attributes:
        epoch: The number of that epoch, from 0; None while all is well.
        before: All variables as that epoch found them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.epoch: int | None = None
        self.before: list[NDArray[Any]] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Remember where the epoch starts from."""
        del epoch, logs
        self.before = read_variables(self.model)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Check the losses of the epoch."""
        losses = [value for name, value in (logs or {}).items() if name.endswith("loss")]
        if not np.isfinite(losses).all():
            self.epoch = epoch
            self.model.stop_training = True


def find_divergence(
    trainer: Any,
    watch: StopWhenDiverged,
    batches: TrainingBatches,
    held_out: ValidationBatches | None,
) -> Divergence:
    """Take the epoch that diverged again; `trainer` is left with the weights before that step.

    Args:
        trainer: What was fitted, still compiled.
        watch: Has seen the epoch end.
        batches: What it trained on.
        held_out: What it validated on.
    """
    epoch = watch.epoch or 0
    best = trainer.get_weights()
    write_variables(trainer, watch.before)
    rate = float(keras.ops.convert_to_numpy(trainer.optimizer.learning_rate))
    batches.start(epoch)
    step, layer, what = _retrace(trainer, batches)
    if step is None and held_out is not None:
        seen = (held_out[number][0] for number in range(len(held_out)))
        layers = (_find_output(trainer, rows, training=False) for rows in seen)
        layer = next((layer for layer in layers if layer is not None), None)
    return Divergence(
        epoch=epoch + 1,
        step=step,
        layer=layer,
        what=what,
        learning_rate=rate,
        before=trainer.get_weights(),
        best=best,
    )


def _retrace(trainer: Any, batches: TrainingBatches) -> tuple[int | None, str | None, str]:
    """Return the first step that is not finite, the layer, and what of it isn't; undo that step."""
    for step in range(len(batches)):
        before = read_variables(trainer)
        seen, wanted = batches[step]
        loss = float(np.ravel(trainer.train_on_batch(seen, wanted))[0])
        layer = _find_weights(trainer)
        if np.isfinite(loss) and layer is None:
            continue
        write_variables(trainer, before)
        if np.isfinite(loss):
            return step + 1, layer, "weights"
        layer = _find_output(trainer, seen, training=True)
        # Also the state of the noise, and the means of a normalisation.
        write_variables(trainer, before)
        return step + 1, layer, "outputs"
    return None, None, "outputs"


def _find_weights(trainer: Any) -> str | None:
    """Return the first layer whose weights are not all finite."""
    for path, layer in _list_layers(trainer.layers[-1]):
        if not all(np.isfinite(weights).all() for weights in layer.get_weights()):
            return path
    return None


def _find_output(trainer: Any, seen: NDArray[Any], *, training: bool) -> str | None:
    """Return the first layer, as they are called, whose output for a batch is not finite."""
    found: list[str] = []
    with _watched(list(_list_layers(trainer.layers[-1])), found):
        trainer(seen, training=training)
    return found[0] if found else None


@contextmanager
def _watched(layers: Sequence[tuple[str, Any]], found: list[str]) -> Iterator[None]:
    """Note in `found`, in turn, the layers whose outputs are not finite."""

    def watch(path: str, call: Any) -> Any:
        def watched(*args: Any, **named: Any) -> Any:
            output = call(*args, **named)
            arrays = map(keras.ops.convert_to_numpy, keras.tree.flatten(output))
            if not all(np.isfinite(array).all() for array in arrays):
                found.append(path)
            return output

        return watched

    for path, layer in layers:
        # Not `setattr`: a Keras layer tracks what is assigned to it.
        vars(layer)["call"] = watch(path, layer.call)
    try:
        yield
    finally:
        for _, layer in layers:
            del vars(layer)["call"]


def _list_layers(model: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give the layers of a model and of the models in it, each with its path.

    Of a trainer the network is the last layer.
    """
    for layer in model.layers:
        here = f"{path}/{layer.name}".lstrip("/")
        if isinstance(layer, keras.Model):
            yield from _list_layers(layer, here)
        else:
            yield here, layer
