"""Faster training of convolutional Keras models on a CPU, with nothing else about them changed.

XLA's CPU backend runs most convolutions well and a few badly: the weight gradient of a
``Conv2DTranspose`` with strides runs 20 times slower than its forward pass, and depthwise or
three-dimensional convolutions are as slow. Those few take nearly all the time of a decoder.

The step that Keras compiles (gradient included) is traced to a jaxpr first, the slow
convolutions in it are replaced by equal but faster ones (see `convolution.py`), and the result
is what Keras compiles. Working on the finished gradient instead of on the layers means that any
model, any custom `train_step` and any construct inside it (scan, remat, custom derivatives) is
reached, and that no differentiation rule is touched.
"""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any

import jax
import keras

from truecopy.training.program import replace_convolutions

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

# Keras' JAX trainer (3.15) compiles these three through the instance: `self.train_step` and so
# on are looked up when `make_train_function` runs, so an attribute of the instance is enough.
STEPS = ("train_step", "test_step", "predict_step")
COMPILED = ("train_function", "test_function", "predict_function")


class Acceleration:
    """What `accelerate` did to one model, and the way to undo it.

    Attributes:
        model: The model.
        active: Whether this object is what makes the model fast.
    """

    def __init__(self, model: keras.Model) -> None:
        """Makes `model` fast, unless it is already, or would gain nothing."""
        self.model = model
        self.active = _can_gain() and not any(step in vars(model) for step in STEPS)
        if self.active:
            for step in STEPS:
                # Not `setattr`: a Keras layer inspects what is assigned to it, and its saved
                # file follows what it found.
                vars(model)[step] = speed_up(getattr(model, step))
            self._forget_compiled()

    def undo(self) -> None:
        """Leaves the model as it was found; a second call does nothing."""
        if self.active:
            for step in STEPS:
                del vars(self.model)[step]
            self._forget_compiled()
            self.active = False

    def _forget_compiled(self) -> None:
        for name in COMPILED:
            setattr(self.model, name, None)

    def __enter__(self) -> Acceleration:
        """Returns itself: the model is fast already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Undoes the acceleration."""
        self.undo()


def accelerate(model: keras.Model) -> Acceleration:
    """Makes `fit`, `evaluate` and `predict` of a convolutional model faster.

    The model, what it learns and the file it saves stay the same: convolutions that the CPU
    runs badly are computed in another order, which differs by float rounding. Without
    such convolutions, on a GPU or TPU, or with another Keras backend, nothing changes.

    Args:
        model: Any Keras model, compiled or not, built or not.

    Returns:
        A handle to undo it: `accelerate(model).undo()`, or `with accelerate(model): ...`. For
        a model that is already accelerated the handle undoes nothing.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3)])
        >>> with accelerate(model) as acceleration:
        ...     acceleration.model is model
        True
    """
    return Acceleration(model)


def speed_up(step: Callable[..., Any]) -> Callable[..., Any]:
    """A function with the same results, faster on a CPU once `jax.jit` compiles it.

    Give it the finished step, gradient included: it may be differentiated, but the gradient it
    then has is JAX's, not a faster one.

    Args:
        step: A function that JAX can trace.

    Returns:
        The function. Called outside a trace it is `step` itself, so that eager runs stay eager.
    """

    @functools.wraps(step)
    def stepped(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = jax.tree.flatten((args, kwargs))
        traced = [isinstance(leaf, jax.core.Tracer) for leaf in leaves]
        if not any(traced):
            return step(*args, **kwargs)

        def run(arrays: list[Any]) -> Any:
            given = iter(arrays)
            whole = [
                next(given) if is_traced else leaf
                for is_traced, leaf in zip(traced, leaves, strict=True)
            ]
            args, kwargs = jax.tree.unflatten(structure, whole)
            return step(*args, **kwargs)

        arrays = [leaf for is_traced, leaf in zip(traced, leaves, strict=True) if is_traced]
        program, shapes = jax.make_jaxpr(run, return_shape=True)(arrays)
        results = jax.extend.core.jaxpr_as_fun(_replace_or_warn(program))(*arrays)
        return jax.tree.unflatten(jax.tree.structure(shapes), results)

    return stepped


def _can_gain() -> bool:
    return keras.backend.backend() == "jax" and jax.default_backend() == "cpu"


def _replace_or_warn(program: Any) -> Any:
    try:
        return replace_convolutions(program)
    except Exception as error:  # noqa: BLE001 - a model that trains must go on training
        warnings.warn(
            f"This model could not be accelerated and trains as before: {error!r}", stacklevel=2
        )
        return program
