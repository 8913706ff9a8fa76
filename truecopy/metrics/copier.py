"""Anything that copies rows, seen the same way: user rows in, copies in common units out."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from truecopy.data.plan import Plan
from truecopy.data.scaling import Scaling
from truecopy.errors import ModelError, ShapeMismatch
from truecopy.models.networks import predict

Rows = NDArray[np.float32]


class Copier(ABC):
    """What is evaluated: its name, its latent width (None if unknown), and how it copies."""

    name: str
    latent: int | None

    @abstractmethod
    def copy(self, seen: Rows, units: Plan) -> NDArray[Any]:
        """Return the copy of `seen` rows; both in the scaled units of `units`."""

    def accuracy_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the row shape in which Keras would compute its accuracy."""
        return shape


@final
class TrainedCopier(Copier):
    """An `Autoencoder`: its own scaling in, its own scaling undone."""

    def __init__(self, autoencoder: Any) -> None:
        self._model = autoencoder.model_
        self._scaling: Scaling = autoencoder.plan_.scaling
        self._shape = tuple(autoencoder.model_.input_shape[1:])
        self.name = autoencoder.run_.model
        self.latent = autoencoder.run_.latent

    def copy(self, seen: Rows, units: Plan) -> NDArray[Any]:
        """Return the copy, by way of the user's units where the model has other ones."""
        _require_shape(self._shape, seen.shape[1:], self.name)
        same = self._scaling.to_dict() == units.scaling.to_dict()
        if same:
            return predict(self._model, seen)
        output = predict(self._model, self._scaling.apply(units.scaling.undo(seen)))
        return units.scaling.apply(self._scaling.undo(output))


@final
class KerasCopier(Copier):
    """Any Keras model that takes and gives scaled rows, flat or in their shape."""

    def __init__(self, model: Any, *, name: str) -> None:
        self._model = model
        self._shape = tuple(model.input_shape[1:])
        self._output_shape = tuple(model.output_shape[1:])
        self.name = name
        self.latent = _narrowest(model)

    def copy(self, seen: Rows, units: Plan) -> NDArray[Any]:
        """Return the model's output in the shape of the rows."""
        del units
        for shape in (self._shape, self._output_shape):
            if int(np.prod(shape)) != int(np.prod(seen.shape[1:])):
                _require_shape(shape, seen.shape[1:], self.name)
        output = predict(self._model, seen.reshape(len(seen), *self._shape))
        return output.reshape(seen.shape)

    def accuracy_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the model's output: Keras looks at its last dimension."""
        del shape
        return self._output_shape


@final
class FunctionCopier(Copier):
    """A function from scaled rows to scaled rows of the same shape."""

    def __init__(self, function: Callable[[Rows], Any]) -> None:
        self._function = function
        self.name = getattr(function, "__name__", "function")
        self.latent = None

    def copy(self, seen: Rows, units: Plan) -> NDArray[Any]:
        """Return what the function gives; its shape must be that of the rows."""
        del units
        output = np.asarray(self._function(seen))
        _require_shape(seen.shape, output.shape, self.name)
        return output


def as_copier(model: Any) -> Copier:
    """Return the copier for an `Autoencoder`, a Keras model or a function.

    Raises:
        ModelError: It is none of these.
    """
    if hasattr(model, "run_") and hasattr(model, "model_"):
        return TrainedCopier(model)
    if hasattr(model, "predict_on_batch") and hasattr(model, "input_shape"):
        return KerasCopier(model, name=model.name)
    if callable(model):
        return FunctionCopier(model)
    message = (
        "The 'model' argument of evaluate must be a fitted Autoencoder, a Keras model or a "
        f"function. Got {type(model).__name__}."
    )
    raise ModelError(message)


def _narrowest(model: Any) -> int | None:
    """Return the smallest number of values any layer gives out: the latent of most models."""
    widths = [int(np.prod(layer.output.shape[1:])) for layer in _flatten(model)]
    return min(widths, default=None)


def _flatten(model: Any) -> list[Any]:
    layers = []
    for layer in model.layers:
        layers += _flatten(layer) if hasattr(layer, "layers") else [layer]
    return [layer for layer in layers if hasattr(layer, "output")]


def _require_shape(expected: tuple[int, ...], got: tuple[int, ...], name: str) -> None:
    if tuple(expected) != tuple(got):
        message = (
            f"The data's rows have shape {tuple(got)}, but {name!r} takes {tuple(expected)}. "
            "Shapes are never broadcast: give it data like those it was trained on."
        )
        raise ShapeMismatch(message)
