"""What every layer of a model takes and gives, seen by running the model on rows.

Keras 3.15 sends every call of every layer, of functional, sequential and subclassed models alike,
through `keras.layers.Layer.__call__`. Wrapping it while the model runs eagerly shows the values
themselves, whatever the layers are; replacing what a layer gives is an intervention, which works
while a step is being traced, too.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import get_ident
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Replacement = Callable[[Any], Any]

# These call their cell or layer once a step, on most backends in a trace without values.
_ATOMIC = (keras.layers.RNN, keras.layers.Bidirectional, keras.layers.TimeDistributed)


@dataclass(eq=False, slots=True)
class Call:
    """One call of one layer.

    Attributes:
        layer: The layer.
        depth: 0 for the model itself, 1 for its layers, and so on.
        inputs: The tensors it took, flattened.
        outputs: The tensors it gave, flattened.
        inside: Whether other layers were called by it.
    """

    layer: Any
    depth: int
    inputs: tuple[Any, ...] = ()
    outputs: tuple[Any, ...] = ()
    inside: bool = False

    def output(self, number: int = 0) -> Array:
        """Return what it gave as an array."""
        return as_array(self.outputs[number])


@dataclass(eq=False, slots=True)
class Recorded:
    """All calls of one run of a model, in the order in which they ended.

    Attributes:
        calls: The calls, the model's own last.
        output: What the model gave, as it gave it.
    """

    calls: list[Call] = field(default_factory=list)
    output: Any = None

    def leaves(self) -> list[Call]:
        """Return the calls of layers that called no other layer."""
        return [call for call in self.calls if not call.inside]

    def source(self, tensor: Any) -> Call | None:
        """Return the innermost call that gave `tensor` itself; None if it came from elsewhere."""
        for call in self.calls:
            if any(given is tensor for given in call.outputs):
                return call
        return None

    def users(self, call: Call) -> list[Call]:
        """Return the calls that took what `call` gave."""
        return [c for c in self.calls if any(t is g for t in c.inputs for g in call.outputs)]


def as_array(tensor: Any) -> Array:
    """Return a tensor of any backend as an array."""
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def kernels_of(layer: Any) -> list[Any]:
    """Return the weights of a layer that were made to be trained, also where they are frozen now.

    Keras 3.15 keeps them apart from those that never are, as a normalisation's averages.
    """
    inner = layer._flatten_layers()  # noqa: SLF001
    return [weight for one in inner for weight in one._trainable_variables]  # noqa: SLF001


def record(model: Any, inputs: Any, *, training: bool = False) -> Recorded:
    """Run `model` eagerly on rows and return all that its layers took and gave.

    The model's state (moving averages, seeds) moves as in any call: see `preserve.unchanged`.
    """
    recorded = Recorded()
    stack: list[Call] = []

    def around(layer: Any, go: Callable[[], Any], args: Any) -> Any:
        call = Call(layer, len(stack), inputs=_tensors(args))
        stack.append(call)
        try:
            given = go()
        finally:
            stack.pop()
        call.outputs = _tensors(given)
        if not any(isinstance(outer.layer, _ATOMIC) for outer in stack) and _has_values(call):
            for outer in stack[-1:]:
                outer.inside = True
            recorded.calls.append(call)
        return given

    with _calls_go_through(around):
        recorded.output = model(inputs, training=training)
    return recorded


@contextmanager
def overriding(replacements: Mapping[Any, Replacement]) -> Iterator[None]:
    """Replace what layers give while the block runs, eagerly or in a trace.

    Args:
        replacements: For a layer (the object), the function that turns what it gave into what
            it shall give.
    """
    by_id = {id(layer): replace for layer, replace in replacements.items()}

    def around(layer: Any, go: Callable[[], Any], args: Any) -> Any:
        del args
        given = go()
        replace = by_id.get(id(layer))
        return given if replace is None else replace(given)

    with _calls_go_through(around):
        yield


def _tensors(structure: Any) -> tuple[Any, ...]:
    return tuple(t for t in keras.tree.flatten(structure) if hasattr(t, "shape"))


def _has_values(call: Call) -> bool:
    """Say whether a call computed something: Keras also calls layers to learn shapes."""
    kinds = {type(tensor) for tensor in (*call.inputs, *call.outputs)}
    return not any(issubclass(k, keras.KerasTensor) or "Tracer" in k.__name__ for k in kinds)


@contextmanager
def _calls_go_through(around: Callable[[Any, Callable[[], Any], Any], Any]) -> Iterator[None]:
    """Send every layer call of this thread through `around(layer, go, args)`."""
    original = keras.layers.Layer.__call__
    thread = get_ident()

    def wrapped(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if get_ident() != thread:
            return original(layer, *args, **kwargs)
        return around(layer, lambda: original(layer, *args, **kwargs), (args, kwargs))

    keras.layers.Layer.__call__ = wrapped
    try:
        yield
    finally:
        keras.layers.Layer.__call__ = original
