"""What whole rows the output can give, where its values hang together.

A normalisation, a pooling or anything else without weights after the last layer may tie the values
of a row to each other, so that bounds of single values don't say what can be reached. So the
numbers that go into it are set free and fitted to the targets: what is left, no training removes.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.audit.lossfunction import NoLoss, find_loss
from truecopy.audit.output import find_last_weighted
from truecopy.audit.preserve import unchanged
from truecopy.audit.subject import Subject
from truecopy.audit.tensors import to_tensor
from truecopy.audit.trace import Call, Recorded, as_array, overriding
from truecopy.rules.facts import ContractFacts

Array = NDArray[Any]

_ROWS: Final = 32
# Adam's steps, large ones first: a bounded value is moved from one end to the other in dozens.
_STEPS: Final = (300, 100)
_RATES: Final = (0.1, 0.01)
# Two starts that end further apart than this have not arrived, and nothing is known.
_AGREE: Final = 0.05
# Of what the mean target costs more than a copy: less is what a search leaves.
_MATTERS: Final = 0.01
# Beyond all other numbers, so that what looks at the largest one of a row moves as well.
_PUSH: Final = 10.0


def add_tied(contract: ContractFacts, subject: Subject, recorded: Recorded) -> ContractFacts:
    """Return the contract with what remains because the output's values hang together.

    It is as it was where they don't, or where the loss asks for nothing that is out of reach.
    """
    loss = find_loss(subject)
    inputs, targets = (np.asarray(r)[:_ROWS] for r in (subject.inputs, subject.targets))
    one_output = len(keras.tree.flatten(recorded.output)) == 1
    known = contract.unavoidable_share >= _MATTERS  # by the bounds of single values
    if known or isinstance(loss, NoLoss) or not one_output or not np.isfinite(targets).all():
        return contract
    reached = reach_targets(subject.model, inputs, targets, recorded)
    if reached is None:
        return contract
    mean = np.broadcast_to(targets.mean(axis=0), targets.shape)
    losses = [loss(targets, p.astype(np.float32), inputs) for p in (targets, reached, mean)]
    least, trivial = (float(np.square(targets - p).mean()) for p in (reached, mean))
    # A cosine doesn't mind the length that a normalised row can't have.
    if not losses[1] - losses[0] > _MATTERS * abs(losses[2] - losses[0]) or trivial <= 0:
        return contract
    return replace(contract, tied=True, unavoidable=least, unavoidable_share=least / trivial)


def reach_targets(model: Any, rows: Array, targets: Array, recorded: Recorded) -> Array | None:
    """Return the outputs nearest to the targets, in mean squared error, that the model can give.

    Args:
        model: With one output; it is left as it was.
        rows: Its inputs; at most 32 are looked at.
        targets: The same rows.
        recorded: A run of the model.

    Returns:
        Shape (rows looked at, ...); None where each output value is one number's own, where what
        is set free isn't found, or where two searches disagree.
    """
    last = find_last_weighted(recorded)
    rows, targets = rows[:_ROWS], targets[:_ROWS]
    if last is None or not _is_tied(model, rows, last):
        return None
    found = [_fit(model, rows, targets, last, seed) for seed in (0, 1)]
    if any(reached.shape != targets.shape for reached in found):
        return None
    left = [float(np.square(targets - reached).mean()) for reached in found]
    near = min(left) > (1 - _AGREE) * max(left)
    return found[int(np.argmin(left))] if near else None


def _is_tied(model: Any, rows: Array, last: Call) -> bool:
    """Say whether one number that the last layer gives moves several values of the output."""
    shape = (len(rows), *last.outputs[0].shape[1:])
    draw = np.random.default_rng(0)
    values = draw.standard_normal(shape).astype(np.float32)
    moved = values.copy().reshape(len(rows), -1)
    places = draw.integers(moved.shape[1], size=len(rows))
    moved[np.arange(len(rows)), places] += _PUSH
    with unchanged(model):
        plain, other = (
            _run_with(model, rows, last, to_tensor(v)) for v in (values, moved.reshape(shape))
        )
    if plain.shape[0] != len(rows):
        return False
    changed = (plain != other).reshape(len(rows), -1).sum(axis=1)
    return bool(np.median(changed) > 1)


def _run_with(model: Any, rows: Array, last: Call, values: Any) -> Array:
    with overriding({last.layer: lambda _: values}):
        return as_array(keras.tree.flatten(model(to_tensor(rows), training=False))[0])


def _fit(model: Any, rows: Array, targets: Array, last: Call, seed: int) -> Array:
    """Return the outputs after numbers in the last layer's place were fitted to the targets."""
    shape = (len(rows), *last.outputs[0].shape[1:])
    start = np.random.default_rng(seed).standard_normal(shape)
    with unchanged(model):
        free = _Free(model, start, last.layer)
        x, y = to_tensor(rows), to_tensor(targets)
        free.compile(optimizer="adam", loss="mean_squared_error")
        for steps, rate in zip(_STEPS, _RATES, strict=True):
            free.optimizer.learning_rate = rate
            for _ in range(steps):
                free.train_on_batch(x, y)
        return as_array(free(x))


class _Free(keras.Model):  # type: ignore[misc]  # Keras ships no types
    """A model whose last layer gives numbers that are trained, whatever comes in."""

    def __init__(self, model: Any, start: Array, layer: Any) -> None:
        super().__init__(name="free")  # TensorFlow takes no leading underscore
        # In a function, so that Keras doesn't take the user's model for a part to train.
        self._run: Callable[[Any], Any] = lambda x: keras.tree.flatten(model(x, training=False))[0]
        self._find: Callable[[], Any] = lambda: layer
        self.numbers = self.add_weight(
            shape=start.shape,
            initializer=lambda _, dtype: keras.ops.convert_to_tensor(start, dtype),
        )

    def call(self, x: Any) -> Any:
        with overriding({self._find(): lambda _: self.numbers + 0.0}):
            return self._run(x)
