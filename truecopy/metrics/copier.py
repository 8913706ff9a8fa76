"""Anything that copies rows, seen the same way: user rows in, copies in common units out."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, final

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.data.plan import Plan
from truecopy.data.scaling import Scaling
from truecopy.errors import ModelError, ShapeMismatch
from truecopy.models.networks import predict

Rows = NDArray[np.float32]

# Another reading of a bare model's units must beat the mean image by this to be believed: a
# bad model is a little less bad in one reading or another by chance.
_FAR_BETTER: Final = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Copied:
    """What a copier gave for some rows.

    Attributes:
        rows: The copies in scaled units, in the shape of the rows.
        output: What the last model gave, in its own units and shape: what Keras would score.
        latents: What the encoder gave; None where there is none.
    """

    rows: NDArray[Any]
    output: NDArray[Any]
    latents: NDArray[Any] | None = None


class Copier(ABC):
    """What is evaluated.

    Attributes:
        name: What it is called in reports.
        latent: The width of its latent; None if unknown.
        encodes: The width of what `encode` gives; None where it has no encoder of its own.
        note: What the reader should know of its units; empty if nothing.
    """

    name: str
    latent: int | None
    encodes: int | None = None
    note: str = ""

    @abstractmethod
    def copy(self, seen: Rows, units: Plan) -> Copied:
        """Return the copies of `seen` rows, which are in the scaled units of `units`."""

    def encode(self, seen: Rows, units: Plan) -> NDArray[Any]:
        """Return the latents of `seen` rows; only where `encodes` is not None."""
        raise NotImplementedError

    def untrained(self) -> "Copier | None":
        """Return a copier of the same architecture with fresh weights; None if there is none."""
        return None

    def settle_units(self, rows: NDArray[Any], units: Plan) -> None:
        """Find out on a few rows, in the user's units, which units the copier works in."""
        del rows, units  # most know

    def accuracy_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the row shape in which Keras would compute its accuracy."""
        return shape

    def to_output(self, target: Rows, units: Plan) -> NDArray[Any]:
        """Return targets in the units and shape of the copier's output."""
        del units  # a function's are the scaled ones
        return target


@final
class TrainedCopier(Copier):
    """An `Autoencoder`: its own scaling in, its own scaling undone."""

    def __init__(self, autoencoder: Any, *, untrained: Any = None) -> None:
        self._autoencoder = autoencoder
        self._untrained = untrained
        self._scaling: Scaling = autoencoder.plan_.scaling
        self._shape = tuple(autoencoder.model_.input_shape[1:])
        self.name = autoencoder.run_.model
        self.latent = self.encodes = autoencoder.run_.latent

    def copy(self, seen: Rows, units: Plan) -> Copied:
        """Return the copies, by way of the user's units where the model has other ones."""
        _require_shape(self._shape, seen.shape[1:], self.name)
        latents = None
        if self._untrained is not None:
            output = predict(self._untrained, self._scale(seen, units))
        else:
            # One after the other they are the whole model.
            latents = self.encode(seen, units)
            output = predict(self._autoencoder.decoder_, latents)
        if self._scaling.equals(units.scaling):
            return Copied(output, output, latents)
        return Copied(units.scaling.apply(self._scaling.undo(output)), output, latents)

    def encode(self, seen: Rows, units: Plan) -> NDArray[Any]:
        """Return the encoder's output."""
        return predict(self._autoencoder.encoder_, self._scale(seen, units))

    def untrained(self) -> Copier | None:
        """Return a copier with fresh weights."""
        model = _renew(self._autoencoder.model_)
        return None if model is None else TrainedCopier(self._autoencoder, untrained=model)

    def to_output(self, target: Rows, units: Plan) -> NDArray[Any]:
        """Return targets in the units the model was trained in."""
        return self._scale(target, units)

    def _scale(self, seen: Rows, units: Plan) -> Rows:
        if self._scaling.equals(units.scaling):
            return seen
        return self._scaling.apply(units.scaling.undo(seen))


class BareCopier(Copier):
    """A model that says nothing of its units: scaled or the user's, coming in and going out.

    Scaled is assumed, unless so it copies worse than the mean image and another reading of
    it copies well.
    """

    def __init__(self) -> None:
        self._raw_in = self._raw_out = False

    @abstractmethod
    def run(self, rows: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Return output and latents for the copier's own inputs, which have the rows' shape."""

    def copy(self, seen: Rows, units: Plan) -> Copied:
        """Return the copies in scaled units."""
        output, latents = self.run(self._to_input(seen, units))
        rows = output.reshape(seen.shape)
        return Copied(units.scaling.apply(rows) if self._raw_out else rows, output, latents)

    def settle_units(self, rows: NDArray[Any], units: Plan) -> None:
        """Choose the units, of in and out, whose copies of `rows` are nearest to them."""
        if units.scaling.kind == "none":
            return
        scaled = units.scaling.apply(rows)
        errors = {}
        for self._raw_in, self._raw_out in product((False, True), repeat=2):
            error = float(np.square(self.copy(scaled, units).rows - scaled).mean(dtype=np.float64))
            errors[self._raw_in, self._raw_out] = error if np.isfinite(error) else np.inf
        best = min(errors, key=lambda reading: errors[reading])
        floor = float(scaled.var(axis=0, dtype=np.float64).mean())
        if errors[False, False] <= floor or errors[best] > floor / _FAR_BETTER:
            best = (False, False)
        self._raw_in, self._raw_out = best
        if any(best):
            words = ["the data's own" if raw else "scaled" for raw in best]
            self.note = (
                f"The model takes {words[0]} units and gives {words[1]} ones (mean squared error "
                f"{errors[best]:.3g}; {errors[False, False]:.3g} if both were scaled). Both were "
                "brought to scaled units."
            )

    def _to_input(self, seen: Rows, units: Plan) -> NDArray[Any]:
        return units.scaling.undo(seen).astype(np.float32) if self._raw_in else seen


@final
class KerasCopier(BareCopier):
    """Keras models, one after the other, that take and give rows, flat or in their shape."""

    def __init__(self, models: list[Any], *, name: str) -> None:
        super().__init__()
        self._models = models
        self._shape = tuple(models[0].input_shape[1:])
        self._output_shape = tuple(models[-1].output_shape[1:])
        self.name = name
        widths = [width for width in map(_narrowest, models) if width is not None]
        self.latent = min(widths, default=None)
        if len(models) > 1:
            self.encodes = int(np.prod(models[0].output_shape[1:]))

    def run(self, rows: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Return the output of the last model, and of the first one where there are several."""
        for shape in (self._shape, self._output_shape):
            if int(np.prod(shape)) != int(np.prod(rows.shape[1:])):
                _require_shape(shape, rows.shape[1:], self.name)
        outputs = [rows.reshape(len(rows), *self._shape)]
        for model in self._models:
            outputs.append(predict(model, outputs[-1]))
        return outputs[-1], None if self.encodes is None else outputs[1]

    def encode(self, seen: Rows, units: Plan) -> NDArray[Any]:
        """Return the first model's output."""
        rows = self._to_input(seen, units)
        return predict(self._models[0], rows.reshape(len(rows), *self._shape))

    def untrained(self) -> Copier | None:
        """Return a copier with fresh weights; None where a layer can't be made anew."""
        models = [_renew(model) for model in self._models]
        if any(model is None for model in models):
            return None
        fresh = KerasCopier(models, name=self.name)
        fresh._raw_in, fresh._raw_out = self._raw_in, self._raw_out
        return fresh

    def accuracy_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the model's output: Keras looks at its last dimension."""
        del shape
        return self._output_shape

    def to_output(self, target: Rows, units: Plan) -> NDArray[Any]:
        """Return targets in the shape and units that the last model gives."""
        wanted = units.scaling.undo(target) if self._raw_out else target
        return wanted.reshape(len(target), *self._output_shape)


@final
class FunctionCopier(BareCopier):
    """A function from rows to rows of the same shape."""

    def __init__(self, function: Callable[[NDArray[Any]], Any]) -> None:
        super().__init__()
        self._function = function
        self.name = getattr(function, "__name__", "function")
        self.latent = None

    def run(self, rows: NDArray[Any]) -> tuple[NDArray[Any], None]:
        """Return what the function gives; its shape must be that of the rows."""
        output = np.asarray(self._function(rows))
        _require_shape(rows.shape, output.shape, self.name)
        return output, None


def as_copier(model: Any) -> Copier:
    """Return the copier for an `Autoencoder`, Keras models or a function.

    Raises:
        ModelError: It is none of these.
    """
    if hasattr(model, "run_") and hasattr(model, "model_"):
        return TrainedCopier(model)
    parts = model if isinstance(model, list | tuple) else [model]
    if parts and all(hasattr(part, "predict_on_batch") for part in parts):
        return KerasCopier(list(parts), name=" + ".join(part.name for part in parts))
    if callable(model):
        return FunctionCopier(model)
    message = (
        "The 'model' argument of evaluate must be a fitted Autoencoder, a Keras model, a list "
        f"of them (encoder, decoder) or a function. Got {type(model).__name__}."
    )
    raise ModelError(message)


def _renew(model: Any) -> Any:
    """Return the model with fresh weights; None where Keras can't build it from its config."""
    try:
        return keras.models.clone_model(model)
    except (TypeError, ValueError, NotImplementedError, RuntimeError):
        return None


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
