"""The loss that only a `train_step` of the user's knows, read from the logs it returns.

The step is run on rows with the model's output set to chosen numbers. Under JAX it is a function
of the state and changes nothing; under TensorFlow and PyTorch it updates the weights, which are
put back.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, final

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.audit.intervene import Spot, setting
from truecopy.audit.preserve import unchanged
from truecopy.audit.recorded_losses import name_loss
from truecopy.audit.recording import has_own_step
from truecopy.audit.subject import Subject
from truecopy.audit.tensors import to_float, to_tensor
from truecopy.audit.trace import overriding

Array = NDArray[Any]
Pack = Callable[[Any, Any], Any]

# Rows of the trial run; not 2, which a step that wants (x, y) could unpack by accident.
_ROWS: Final = 4
_REPLACED: Final = ("train_step", "train_function")


@final
class StepLoss:
    """The loss in the logs of a user's `train_step`.

    Attributes:
        output: The spot whose value the step takes for the model's answer.
        pack: Makes of x and y what the step takes.
    """

    def __init__(self, model: Any, pack: Pack, output: Spot) -> None:
        self.output = output
        self.pack, self._model = pack, model
        self._compiled: dict[Any, Any] = {}

    def charge(self, inputs: Array, targets: Array, values: Mapping[Spot, Any]) -> float:
        """Return the step's loss on rows, with what some layers give set to `values`."""
        spots = tuple(values)
        x, y, chosen = (
            to_tensor(inputs),
            to_tensor(targets),
            [to_tensor(v) for v in values.values()],
        )
        if keras.backend.backend() != "jax":
            with unchanged(self._model), setting(dict(zip(spots, chosen, strict=True))):
                return to_float(_read_loss(_run_step(self._model, self.pack(x, y))))
        if spots not in self._compiled:
            self._compiled[spots] = self._compile(spots)
        return to_float(self._compiled[spots](_state(self._model), x, y, chosen))

    def _compile(self, spots: tuple[Spot, ...]) -> Any:
        import jax

        def run(state: Any, x: Any, y: Any, chosen: list[Any]) -> Any:
            with setting(dict(zip(spots, chosen, strict=True))):
                logs, _ = self._model.train_step(state, self.pack(x, y))
            return _read_loss(logs)

        return jax.jit(run)


def find_step(subject: Subject) -> StepLoss | str:
    """Return the loss of the user's `train_step`; a sentence where it can't be had."""
    model = subject.model
    if subject.inputs is None or subject.targets is None:
        return "No rows were given, so the train_step was not tried."
    x, y = to_tensor(subject.inputs[:_ROWS]), to_tensor(subject.targets[:_ROWS])
    reason = "The model has no optimizer, so its train_step was not tried."
    for pack in _packs(subject) if getattr(model, "optimizer", None) is not None else ():
        calls: list[tuple[Any, int]] = []
        try:
            with unchanged(model), overriding(_watch(model, calls, tuple(y.shape))):
                logs = _dry_run(model, pack(x, y))
            _read_loss(logs)
        except Exception as error:  # noqa: BLE001 - the user's step may raise anything
            reason = f"The model's train_step raised {type(error).__name__}: {error}"
            continue
        if calls:
            return StepLoss(model, pack, Spot(*calls[-1]))
        reason = "No layer that the train_step calls gives an output of the targets' shape."
    return reason


@contextmanager
def handed_as_by_fit(subject: Subject) -> Iterator[None]:
    """Let `train_on_batch` give the user's `train_step` what `fit` gives it.

    In Keras 3.15 that is x, or (x, y), where `train_on_batch` gives (x, y, None): too much to
    unpack for a step that was written for `fit`.
    """
    model = subject.model
    found = find_step(subject) if has_own_step(model) else ""
    if isinstance(found, str):
        yield
        return
    own, pack = model.train_step, found.pack

    def step(*given: Any) -> Any:
        *state, data = given
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        return own(*state, pack(x, y))

    kept = {name: vars(model)[name] for name in _REPLACED if name in vars(model)}
    vars(model).update(train_step=step, train_function=None)
    try:
        yield
    finally:
        for name in _REPLACED:
            vars(model).pop(name)
        vars(model).update(kept)


def _packs(subject: Subject) -> list[Pack]:
    """Return the ways in which `fit` may hand rows on: Keras 3.15 gives x alone without y."""
    both: Pack = lambda x, y: (x, y)  # noqa: E731
    alone: Pack = lambda x, y: x  # noqa: E731, ARG005
    same = subject.targets is subject.inputs or np.array_equal(
        np.asarray(subject.inputs), np.asarray(subject.targets), equal_nan=True
    )
    return [both, alone] if not same else [alone, both]


def _watch(model: Any, calls: list[tuple[Any, int]], shape: tuple[int, ...]) -> dict[Any, Any]:
    """Return pass-through replacements that note who gives a tensor of the targets' shape."""

    def note(layer: Any) -> Callable[[Any], Any]:
        def look(given: Any) -> Any:
            for number, tensor in enumerate(keras.tree.flatten(given)):
                if tuple(getattr(tensor, "shape", ())) == shape:
                    calls.append((layer, number))
            return given

        return look

    return {layer: note(layer) for layer in model._flatten_layers()}  # noqa: SLF001


def _dry_run(model: Any, data: Any) -> Any:
    """Run the step once; under JAX only its shapes."""
    if keras.backend.backend() != "jax":
        return _run_step(model, data)
    import jax

    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)

    def run(*given: Any) -> Any:  # new each time: JAX doesn't trace again what it has traced
        return model.train_step(*given)

    return jax.eval_shape(run, _state(model), data)[0]


def _run_step(model: Any, data: Any) -> Any:
    model.reset_metrics()
    return model.train_step(data)


def _state(model: Any) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Return what Keras 3.15's JAX trainer hands to a `train_step`, with metrics at 0."""
    return (
        [v.value for v in model.trainable_variables],
        [v.value for v in model.non_trainable_variables],
        [v.value for v in model.optimizer.variables],
        [keras.ops.zeros_like(v.value) for v in model.metrics_variables],
    )


def _read_loss(logs: Mapping[str, Any]) -> Any:
    name = name_loss(logs)
    if name is None:
        raise KeyError(f"the step's logs {list(logs)} have no loss")
    return logs[name]
