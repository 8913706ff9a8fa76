"""Alters layers of a copied model in place: activations, penalties, rates.

Where the output comes from is asked of the numbers: the model runs on a few rows, and the
operation whose values are the output's is the one, wherever it stands.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
from keras.src.layers.layer import Layer
from keras.src.ops.operation import Operation
from numpy.typing import NDArray

from truecopy.audit.rebuild import CannotRebuild

Array = NDArray[Any]

# Enough rows that an operation which only moves values is told from one that computes.
_ROWS: Final = 4
# A term that grows by this when rows are given twice is a sum over them (2; a mean stays at 1).
_SUM: Final = 1.5
# Layers and operations that are an activation and nothing else.
_ACTIVATIONS: Final = frozenset(
    {"Activation", "Softmax", "ReLU", "LeakyReLU", "ELU", "PReLU", "Lambda", "LogSoftmax"}
)


@dataclass(frozen=True, eq=False, slots=True)
class _Call:
    """One call of a layer or operation that calls no other: what came in and what came out."""

    operation: Any
    inputs: tuple[Array, ...]
    output: Array


def set_output_activation(model: Any, inputs: Array, activation: str) -> None:
    """Make `activation` the last thing the model does.

    A layer that is nothing but an activation, or a normalisation without weights, is replaced, and
    the one that feeds it gets none.

    Raises:
        CannotRebuild: What makes the output can't be found or reached.
    """
    calls, output = _trace(model, inputs[:_ROWS])
    last = next((n for n in reversed(range(len(calls))) if _makes(calls[n], output)), None)
    if last is None:
        _finish_differently(model, calls, output, activation)
        return
    activate(calls[last].operation, activation)
    while last is not None and _is_replaceable(calls[last].operation):
        last = _find_source(calls, last)
        if last is not None:
            _silence(calls[last].operation)


def set_activation(model: Any, names: list[str], activation: str) -> None:
    """Give the named layers another activation.

    Raises:
        CannotRebuild: There is no layer of that name.
    """
    for layer in find_layers(model, names):
        activate(layer, activation)


def scale_penalties(model: Any, inputs: Array, by: float, *, weights: bool = True) -> None:
    """Multiply all that layers add to the loss: `add_loss`, activity and weight regularisers.

    Args:
        model: Changed in place.
        inputs: Rows to see whether layers add anything.
        by: The factor.
        weights: Whether the regularisers of weights count too.

    Raises:
        CannotRebuild: Layers add nothing: the term is in the loss or in the model's own step.
    """
    for layer in _find_adding(model, inputs):
        # Not `setattr`: a Keras layer tracks what is assigned to it.
        vars(layer)["add_loss"] = _scale_first(layer.add_loss, lambda _: by)
    for variable in model.variables if weights else ():
        regularizer = getattr(variable, "regularizer", None)
        if regularizer is not None:
            variable.regularizer = _scale_result(regularizer, by)


def average_penalties(model: Any, inputs: Array) -> None:
    """Divide what layers add by `add_loss` as a sum over rows by the rows of the batch.

    A sum is what doubles where the rows are given twice: what is averaged already is left alone.

    Raises:
        CannotRebuild: Layers add no sum: the term is in the loss or in the model's own step.
    """
    few = inputs[:_ROWS]
    once, twice = (_add_up_losses(model, rows) for rows in (few, np.concatenate([few, few])))
    pairs = zip(_find_adding(model, inputs), once, twice, strict=True)
    summing = [layer for layer, first, second in pairs if abs(second) > _SUM * abs(first)]
    if not summing:
        raise CannotRebuild("no layer adds a sum over rows to the loss")
    for layer in summing:
        _average(layer)


def _average(layer: Any) -> None:
    """Divide what a layer adds by the rows that its call is given."""
    outer = layer.call
    rows: list[Any] = []

    def called(*args: Any, **kwargs: Any) -> Any:
        rows[:] = [keras.ops.shape(keras.tree.flatten((args, kwargs))[0])[0]]
        return outer(*args, **kwargs)

    def share(loss: Any) -> Any:
        return 1 / keras.ops.cast(rows[0], keras.ops.convert_to_tensor(loss).dtype)

    vars(layer).update(call=called, add_loss=_scale_first(layer.add_loss, share))


def _add_up_losses(model: Any, rows: Array) -> list[float]:
    """Return what each layer itself adds to the loss of these rows."""
    _trace(model, rows)
    added = [layer._get_own_losses() for layer in model._flatten_layers()]  # noqa: SLF001
    return [float(sum(float(part) for part in losses)) for losses in added]


def _find_adding(model: Any, inputs: Array) -> list[Any]:
    """Return the layers of a model; raise where none adds to the loss."""
    _trace(model, inputs[:_ROWS])
    if not model.losses:
        raise CannotRebuild("the term is not added by a layer but by the model's own code")
    return list(model._flatten_layers())  # noqa: SLF001  (Keras 3.15 has no public walk)


def set_attribute(model: Any, names: list[str], kind: str, attribute: str, value: float) -> None:
    """Set an attribute such as a rate or a momentum, of the named layers or of all of a kind."""
    layers = find_layers(model, names) if names else list(model._flatten_layers())  # noqa: SLF001
    chosen = [layer for layer in layers if kind in type(layer).__name__]
    if not chosen:
        raise CannotRebuild(f"there is no {kind} layer")
    for layer in chosen:
        setattr(layer, attribute, value)


def find_layers(model: Any, names: list[str]) -> list[Any]:
    """Return the layers of these names, also of nested models.

    Raises:
        CannotRebuild: There is no layer of one of the names.
    """
    known: dict[str, Any] = {}
    for layer in model._flatten_layers():  # noqa: SLF001
        known.setdefault(layer.name, layer)
    missing = [name for name in names if name not in known]
    if missing:
        raise CannotRebuild(f"there is no layer {missing[0]!r}")
    return [known[name] for name in names]


def activate(operation: Any, activation: str) -> None:
    """Make `activation` what an operation applies last."""
    function = keras.activations.get(activation)
    inner = getattr(operation, "cell", None) or getattr(operation, "layer", None)
    if inner is not None:
        activate(inner, activation)
    elif callable(getattr(operation, "activation", None)):
        operation.activation = function
    elif _is_replaceable(operation):
        vars(operation)["call"] = _only_first(function)
    elif activation != "linear":
        vars(operation)["call"] = _then(operation.call, function)


def is_activation(operation: Any) -> bool:
    """Say whether an operation is an activation and nothing else."""
    kind = type(operation)
    return kind.__name__ in _ACTIVATIONS or kind.__module__ == "keras.src.ops.nn"


def _is_replaceable(operation: Any) -> bool:
    """Say whether an operation only shapes what it is given, and has nothing to learn."""
    normalises = type(operation).__name__.endswith("Normalization")
    return is_activation(operation) or (normalises and not getattr(operation, "weights", ()))


def _silence(operation: Any) -> None:
    inner = getattr(operation, "layer", None) or operation
    if callable(getattr(inner, "activation", None)) or _is_replaceable(inner):
        activate(inner, "linear")


def _finish_differently(model: Any, calls: list[_Call], output: Array, activation: str) -> None:
    """Where the model's own `call` works on what its last layer gave: leave that work out."""
    last = next((call for call in reversed(calls) if call.output.shape == output.shape), None)
    if last is None or not isinstance(last.operation, Layer) or last.operation is model:
        message = "the output is computed in the model's own code, which can't be changed"
        raise CannotRebuild(message)
    function = keras.activations.get(activation)
    seen: list[Any] = []
    inner, outer = last.operation.call, model.call

    def noted(*args: Any, **kwargs: Any) -> Any:
        seen[:] = [inner(*args, **kwargs)]
        return seen[0]

    def called(*args: Any, **kwargs: Any) -> Any:
        outer(*args, **kwargs)
        return function(seen.pop())

    vars(last.operation)["call"] = noted
    vars(model)["call"] = called


def _makes(call: _Call, output: Array) -> bool:
    """Whether these are the output's values, and are not those that came in already."""
    return _same(call.output, output) and not any(_same(a, output) for a in call.inputs)


def _find_source(calls: list[_Call], place: int) -> int | None:
    """Return which earlier call computed what went into this one."""
    for array in calls[place].inputs:
        for earlier in reversed(range(place)):
            if _makes(calls[earlier], array):
                return earlier
    return None


def _same(one: Array, two: Array) -> bool:
    """Whether two arrays hold the same values, in whatever shape and order."""
    if one.size != two.size:
        return False
    return bool(np.array_equal(np.sort(one, axis=None), np.sort(two, axis=None)))


def _trace(model: Any, rows: Array) -> tuple[list[_Call], Array]:
    """Run the model on rows and give each innermost call, in order, and the output."""
    calls: list[_Call] = []
    try:
        with _watching(calls):
            given = keras.tree.flatten(model(keras.ops.convert_to_tensor(rows), training=False))
    except Exception as error:  # (the model's code is the user's)
        message = f"the model can't be called on a few rows: {type(error).__name__}: {error}"
        raise CannotRebuild(message) from error
    copies = [_to_array(tensor) for tensor in given if _is_tensor(tensor)]
    fitting = [copy for copy in copies if copy.size == np.size(rows)]
    return calls, (fitting or copies)[0]


@contextmanager
def _watching(calls: list[_Call]) -> Iterator[None]:
    """Note the calls of all layers and operations that call no other, while they run."""
    # What is running, outermost first, each with the number of calls made inside it.
    running: list[list[Any]] = [[None, 0]]
    originals = {Operation: Operation.__call__, Layer: Layer.__call__}

    def watch(original: Callable[..., Any]) -> Callable[..., Any]:
        def called(self: Any, *args: Any, **kwargs: Any) -> Any:
            if running[-1][0] is self:  # a layer's call goes on to that of `Operation`
                return original(self, *args, **kwargs)
            running[-1][1] += 1
            running.append([self, 0])
            try:
                output = original(self, *args, **kwargs)
            finally:
                _, inside = running.pop()
            if inside == 0 and _is_tensor(output):
                arrays = tuple(_to_array(a) for a in keras.tree.flatten(args) if _is_tensor(a))
                calls.append(_Call(self, arrays, _to_array(output)))
            return output

        return called

    for kind, original in originals.items():
        kind.__call__ = watch(original)
    try:
        yield
    finally:
        for kind, original in originals.items():
            kind.__call__ = original


def _is_tensor(value: Any) -> bool:
    return isinstance(value, np.ndarray) or keras.ops.is_tensor(value)


def _to_array(value: Any) -> Array:
    array: Array = keras.ops.convert_to_numpy(value)
    return array


def _only_first(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(values: Any, *_: Any, **__: Any) -> Any:
        return function(values)

    return call


def _then(first: Callable[..., Any], second: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return second(first(*args, **kwargs))

    return call


def _scale_first(function: Callable[..., Any], by: Callable[[Any], Any]) -> Callable[..., Any]:
    def add_loss(loss: Any) -> Any:
        return function(keras.tree.map_structure(lambda part: by(part) * part, loss))

    return add_loss


def _scale_result(function: Callable[..., Any], by: float) -> Callable[..., Any]:
    def penalty(values: Any) -> Any:
        return by * function(values)

    return penalty
