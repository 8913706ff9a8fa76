"""The loss of a model as a function of arrays: what is charged for a prediction.

A Keras model can hold its loss in four places: in `compile`, in a `compute_loss` of the user's,
in what its layers add by `add_loss`, or in a `train_step` or `test_step` that only the user's code
understands. Whatever the place, the audit asks the same question of it: what would you charge for
this prediction?
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any, Final, final

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.audit.intervene import Spot, setting
from truecopy.audit.preserve import unchanged
from truecopy.audit.steploss import StepLoss, find_step
from truecopy.audit.subject import Subject
from truecopy.audit.tensors import to_float, to_tensor
from truecopy.audit.trace import Call, as_array, record

Array = NDArray[Any]

# Rows of a trial run.
_TRIED: Final = 4
_NOTHING_COMPILED: Final = "The model was compiled without a loss or not at all."


@dataclass(frozen=True, kw_only=True, slots=True)
class NoLoss:
    """Why a loss can't be asked: one sentence."""

    reason: str


class LossFunction(ABC):
    """What a model charges for predictions: call it with targets and predictions.

    Attributes:
        place: Where the loss is kept: 'compiled', 'compute-loss', 'added' or 'step'.
        cheap: Whether hundreds of questions cost little; a whole step is not cheap.
    """

    place: str
    cheap: bool = True

    @abstractmethod
    def charge(self, targets: Array, predictions: Array, inputs: Array) -> float:
        """Return the loss of `predictions` for the rows `inputs` and `targets`."""

    def __call__(self, targets: Array, predictions: Array, inputs: Array | None = None) -> float:
        """Return the loss; NaN where Keras itself raises an error.

        Args:
            targets: Shape (rows, ...).
            predictions: What the model is taken to answer, of the targets' or the output's shape.
            inputs: The rows that go with them, for losses that look at the input; by default
                the targets.
        """
        try:
            return self.charge(targets, predictions, targets if inputs is None else inputs)
        except Exception:  # noqa: BLE001 - the user's function may raise anything on odd numbers
            return float("nan")

    def per_row(self, targets: Array, predictions: Array) -> Array:
        """Return the loss of every row taken alone, shape (rows,)."""
        pairs = zip(targets[:, None], predictions[:, None], strict=True)
        return np.array([self(target, prediction) for target, prediction in pairs])


@final
class CompiledLoss(LossFunction):
    """The loss given to `compile`, reduced as Keras reduces it; what layers add is left out."""

    place = "compiled"

    def __init__(self, model: Any) -> None:
        self._held = model._compile_loss  # noqa: SLF001 - Keras 3.15 has no public way to it
        self._built: dict[tuple[int, int], Any] = {}

    def _renew(self) -> Any:
        """Return a new one: the model's own is built for shapes on its first call and stays so."""
        held = self._held
        return type(held)(
            held._user_loss,  # noqa: SLF001
            held._user_loss_weights,  # noqa: SLF001
            output_names=held.output_names,
        )

    def charge(self, targets: Array, predictions: Array, inputs: Array) -> float:
        """Return Keras' own figure."""
        del inputs
        ranks = (targets.ndim, predictions.ndim)
        if ranks not in self._built:
            self._built[ranks] = _compile(self._renew())
        return to_float(self._built[ranks](to_tensor(targets), to_tensor(predictions)))

    def resolve(self, targets: Array, predictions: Array) -> Any:
        """Return the one `keras.losses.Loss` that Keras made of what `compile` was given."""
        loss = self._renew()
        loss.build(to_tensor(targets[:1]), to_tensor(predictions[:1]))
        return loss._flat_losses[0].loss  # noqa: SLF001


def _compile(loss: Any) -> Callable[[Any, Any], Any]:
    """Return the loss as one program under JAX, where each step alone would be compiled anew."""
    if keras.backend.backend() != "jax":
        given: Callable[[Any, Any], Any] = loss
        return given
    import jax

    compiled = jax.jit(lambda y, p: loss(y, p, None))

    def charge(y: Any, p: Any) -> Any:
        try:
            return compiled(y, p)
        except jax.errors.JAXTypeError:  # written with NumPy, for run_eagerly=True
            return loss(y, p, None)

    return charge


@final
class OwnLoss(LossFunction):
    """A `compute_loss` of the user's."""

    place = "compute-loss"

    def __init__(self, model: Any) -> None:
        self._model = model
        self._output: Spot | None = None
        self._looked = False

    def charge(self, targets: Array, predictions: Array, inputs: Array) -> float:
        """Return what `compute_loss` says of these predictions, penalties included if it adds."""
        x, answer = to_tensor(inputs), to_tensor(predictions)
        if not self._looked:
            self._output, self._looked = find_output(self._model, x, targets.shape), True
        return ask_own(self._model, x, targets, answer, {}, self._output)


def ask_own(
    model: Any, x: Any, targets: Array, answer: Any, values: Mapping[Spot, Any], output: Spot | None
) -> float:
    """Return a user's `compute_loss` with the model's answer and some layers set to numbers.

    The model is called first: an override may read `self.losses`, or what comes with the answer
    in a tuple. It may also run the layers again, so they are held all the while.
    """
    held = {**values} if output is None else {**values, output: answer}
    with setting(held):
        given = model(x, training=True)
        alone = hasattr(given, "shape")
        shape = tuple(answer.shape)
        y_pred = (
            answer
            if alone
            else keras.tree.map_structure(
                lambda t: answer if tuple(getattr(t, "shape", ())) == shape else t, given
            )
        )
        # By position and without `training` where an override lacks it, as Keras 3.15 calls it.
        if "training" in signature(model.compute_loss).parameters:
            loss = model.compute_loss(x, to_tensor(targets), y_pred, None, training=True)
        else:
            loss = model.compute_loss(x, to_tensor(targets), y_pred, None)
    return to_float(loss)


def find_output(model: Any, x: Any, shape: tuple[int, ...]) -> Spot | None:
    """Return the outermost layer, last called, that gives something of the targets' shape."""
    recorded = record(model, x)
    for call in reversed(recorded.calls):
        for number, tensor in enumerate(call.outputs if call.layer is not model else ()):
            if tuple(tensor.shape[1:]) == shape[1:]:
                return Spot(call.layer, number)
    return None


@final
class AddedLoss(LossFunction):
    """What a model and its layers add by `add_loss`, where that is all the loss there is.

    What doesn't depend on the prediction, such as a KL term, is in it as a constant.

    Attributes:
        output: The spot that gives the copy.
    """

    place = "added"
    cheap = False

    def __init__(self, model: Any, output: Spot) -> None:
        self.output = output
        self._model = model
        # The same random numbers every time, so that only the prediction makes a difference.
        drawn = [v for v in model.non_trainable_variables if "int" in str(v.dtype)]
        self._states = [(v, keras.ops.convert_to_numpy(v.value).copy()) for v in drawn]
        self._compiled = _compile_added(model, output)

    def charge(self, targets: Array, predictions: Array, inputs: Array) -> float:
        """Return the sum of the losses after a call whose answer is `predictions`."""
        del targets  # such a loss compares with the inputs
        for variable, value in self._states:
            variable.assign(value)
        return to_float(self._compiled(to_tensor(inputs), to_tensor(predictions)))


def _compile_added(model: Any, output: Spot) -> Callable[[Any, Any], Any]:
    """Return the sum of what is added as a function of (inputs, answer), one program under JAX."""

    def call(x: Any, answer: Any) -> Any:
        with setting({output: answer}):
            return sum_added(model, x)

    if keras.backend.backend() != "jax":
        return call
    import jax

    # As Keras 3.15's JAX trainer calls it.
    mode = {"training": True} if model._call_has_training_arg else {}  # noqa: SLF001

    def run(state: tuple[list[Any], list[Any]], x: Any, answer: Any) -> Any:
        with setting({output: answer}):
            losses = model.stateless_call(*state, x, return_losses=True, **mode)[2]
        return sum(keras.ops.sum(loss) for loss in losses)

    compiled = jax.jit(run)

    def charge(x: Any, answer: Any) -> Any:
        weights = (model.trainable_variables, model.non_trainable_variables)
        try:
            return compiled(tuple([v.value for v in part] for part in weights), x, answer)
        except jax.errors.JAXTypeError:  # written with NumPy, for run_eagerly=True
            return call(x, answer)

    return charge


def sum_added(model: Any, x: Any) -> float:
    """Return all that a call in training mode leaves in `losses`."""
    model(x, training=True)
    return float(sum(to_float(keras.ops.sum(loss)) for loss in model.losses))


def find_added(subject: Subject) -> AddedLoss | NoLoss:
    """Return what layers add as a function of the prediction; a reason where it depends on none."""
    model, none = subject.model, NoLoss(reason=_NOTHING_COMPILED)
    if subject.inputs is None or getattr(model, "optimizer", None) is None:
        return none
    x = to_tensor(np.asarray(subject.inputs)[:_TRIED])
    try:
        with unchanged(model):
            recorded = record(model, x, training=True)
            copies = [t for t in keras.tree.flatten(recorded.output) if hasattr(t, "shape")]
            if not model.losses or not copies:
                return none
            for call in reversed(recorded.calls):
                spot = Spot(call.layer) if call.layer is not model else None
                if (
                    spot is not None
                    and _gives(call, copies[0])
                    and _hangs_on(model, x, spot, tuple(copies[0].shape))
                ):
                    return AddedLoss(model, spot)
    except Exception:  # noqa: BLE001 - a model without a `call`, or one that wants more
        return none
    return none


def _gives(call: Call, copy: Any) -> bool:
    """Say whether a call gave the very values of the copy."""
    given = call.outputs[0] if call.outputs else None
    return getattr(given, "shape", None) == copy.shape and np.array_equal(
        as_array(given), as_array(copy)
    )


def _hangs_on(model: Any, x: Any, spot: Spot, shape: tuple[int, ...]) -> bool:
    """Say whether what layers add changes with what a spot gives, and with nothing else."""
    loss = AddedLoss(model, spot)
    rows = keras.ops.convert_to_numpy(x)
    charged = [loss.charge(rows, np.full(shape, v, np.float32), rows) for v in (0.25, 0.25, 0.75)]
    return bool(np.isfinite(charged).all() and charged[0] == charged[1] != charged[2])


@final
class LossOfStep(LossFunction):
    """The loss in the logs of a `train_step` of the user's."""

    place = "step"
    cheap = False

    def __init__(self, step: StepLoss) -> None:
        self.step = step

    def charge(self, targets: Array, predictions: Array, inputs: Array) -> float:
        """Return the step's loss with the model's output replaced by `predictions`."""
        return self.step.charge(inputs, targets, {self.step.output: predictions})


def find_loss(subject: Subject) -> LossFunction | NoLoss:
    """Return the loss of the subject's model as a function, or why there is none."""
    model = subject.model
    if overrides(model, "train_step"):
        step = find_step(subject)
        return LossOfStep(step) if isinstance(step, StepLoss) else NoLoss(reason=step)
    if overrides(model, "compute_loss"):
        return OwnLoss(model)
    if getattr(model, "_compile_loss", None) is None:
        return find_added(subject)
    return CompiledLoss(model)


def overrides(model: Any, method: str) -> bool:
    """Say whether a method that Keras' trainer has is the user's own."""
    function = getattr(type(model), method, None)
    return function is not None and not (function.__module__ or "").startswith("keras.")
