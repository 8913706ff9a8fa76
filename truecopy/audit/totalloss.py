"""The whole loss of a batch, penalties included, while some layers give chosen numbers."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from truecopy.audit.batchsize import weight_penalty
from truecopy.audit.intervene import Spot, setting
from truecopy.audit.lossfunction import (
    AddedLoss,
    LossFunction,
    LossOfStep,
    NoLoss,
    ask_own,
    find_loss,
    find_output,
    overrides,
    sum_added,
)
from truecopy.audit.steploss import StepLoss
from truecopy.audit.subject import Subject
from truecopy.audit.tensors import to_tensor

Array = NDArray[Any]

# The answer that is held: a probability, a logit and a value alike.
_ANSWER: Final = 0.5


class TotalLoss(ABC):
    """The loss of rows with chosen layer outputs and the model's answer held at one number."""

    @abstractmethod
    def measure(self, values: Mapping[Spot, Array]) -> float:
        """Return the whole loss; raises what the user's code raises."""


@final
class TotalOfCall(TotalLoss):
    """What a call of the model leaves in `losses`, or what its own `compute_loss` says.

    Args:
        model: It is called.
        inputs: The rows.
        targets: The same rows.
        output: The spot that gives the copy, where that is known and what is added depends on it.
    """

    def __init__(self, model: Any, inputs: Array, targets: Array, output: Spot | None) -> None:
        self._model, self._inputs, self._targets = model, to_tensor(inputs), targets
        self._answer = to_tensor(np.full(targets.shape, _ANSWER, np.float32))
        self._output = output
        self._own = overrides(model, "compute_loss")
        if self._own:
            self._output = find_output(model, self._inputs, targets.shape)

    def measure(self, values: Mapping[Spot, Array]) -> float:
        """Return the loss of one call in training mode."""
        held = {spot: to_tensor(value) for spot, value in values.items()}
        if self._own:
            return ask_own(
                self._model, self._inputs, self._targets, self._answer, held, self._output
            )
        if self._output is not None:
            held[self._output] = self._answer
        with setting(held):
            added = sum_added(self._model, self._inputs)
        return added - weight_penalty(self._model)


@final
class TotalOfStep(TotalLoss):
    """The loss in the logs of the user's own `train_step`."""

    def __init__(self, step: StepLoss, inputs: Array, targets: Array) -> None:
        self._step, self._inputs, self._targets = step, inputs, targets
        self._answer = np.full(targets.shape, _ANSWER, np.float32)

    def measure(self, values: Mapping[Spot, Array]) -> float:
        """Return the loss of one step."""
        held = {**values, self._step.output: self._answer}
        return self._step.charge(self._inputs, self._targets, held)


def find_total(
    subject: Subject, inputs: Array, targets: Array
) -> tuple[TotalLoss, LossFunction | NoLoss]:
    """Return the whole loss on rows, and the loss of a prediction alone.

    The loss given to `compile` is a constant where the answer is held, so it is left out of the
    whole one.
    """
    alone = find_loss(subject)
    if isinstance(alone, LossOfStep):
        return TotalOfStep(alone.step, inputs, targets), alone
    output = alone.output if isinstance(alone, AddedLoss) else None
    return TotalOfCall(subject.model, inputs, targets, output), alone
