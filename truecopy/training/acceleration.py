"""Faster training of convolutional Keras models on a CPU, with nothing else about them changed.

XLA's CPU backend runs most convolutions well and a few badly: the weight gradient of a
``Conv2DTranspose`` with strides runs 20 times slower than its forward pass, and depthwise or
three-dimensional layers are as slow (the figures: `convolution_forms.py`). Those few take nearly
all the time of a decoder.

The step that Keras compiles, gradient included, is first traced to a jaxpr. The slow convolutions
in it are replaced by equal but faster ones, and Keras compiles the result. Working on the finished
gradient, not on the layers, reaches any model, any custom `train_step` and any construct in it
(scan, remat, custom derivatives), and no differentiation rule is touched.
"""

from __future__ import annotations

import functools
import warnings
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import jax
import keras
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun

from truecopy.training.allocation import give_back_freed_memory, keep_freed_memory
from truecopy.training.traced_program import replace_convolutions

# Keras' JAX trainer (3.15) looks `self.train_step` and so on up when `make_train_function` runs
# and keeps the result in `self.train_function`, which `fit` makes anew when it is None.
STEPS = ("train_step", "test_step", "predict_step")
COMPILED = ("train_function", "test_function", "predict_function")


class Acceleration:
    """What `accelerate` did to one model, and the way to undo it.

    Attributes:
        model: The model.
        active: Whether this object is what makes the model fast. It is not where nothing can be
            gained, and not where the model was accelerated before.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.active = _can_gain() and not any(step in vars(model) for step in STEPS)
        if self.active:
            for step in STEPS:
                # Not `setattr`: a Keras layer tracks what is assigned to it, and saves it.
                vars(model)[step] = speed_up(getattr(model, step))
            self._forget_compiled()
            keep_freed_memory()
            # Whoever never undoes it has no use for the memory either once the model is gone.
            self._give_back = weakref.finalize(model, give_back_freed_memory)
            self._give_back.atexit = False

    def undo(self) -> None:
        """Leave the model as it was found; a second call does nothing."""
        if self.active:
            for step in STEPS:
                del vars(self.model)[step]
            self._forget_compiled()
            self._give_back()
            self.active = False

    def _forget_compiled(self) -> None:
        for name in COMPILED:
            setattr(self.model, name, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.undo()


def accelerate(model: Any) -> Acceleration:
    """Make `fit`, `evaluate` and `predict` of a convolutional model faster on a CPU.

    The model, what it learns and the file it saves stay the same, but for float rounding:
    convolutions that the CPU runs badly are computed in another order. Until it is undone, memory
    that is freed stays with the process, for the next step (Linux with glibc). On a GPU or TPU and
    with another Keras backend than JAX, nothing changes.

    Args:
        model: Any Keras model, compiled and built or not yet.

    Returns:
        A handle that undoes it: `accelerate(model).undo()`, or `with accelerate(model): ...`. Of
        a model that is accelerated already, the handle undoes nothing.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3)])
        >>> with accelerate(model) as acceleration:
        ...     acceleration.model is model
        True
    """
    return Acceleration(model)


def speed_up(step: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function with the same results that `jax.jit` makes faster on a CPU.

    Meant for a finished step, with its gradient inside. The function can be differentiated too,
    but then the gradient is made after the replacement, and is as slow as ever.

    Args:
        step: A function that JAX can trace. Arguments that aren't being traced are constants.

    Returns:
        The function. Called outside of a trace it is `step` itself: what runs eagerly goes on
        doing so.
    """
    failed = False

    @functools.wraps(step)
    def stepped(*args: Any, **kwargs: Any) -> Any:
        nonlocal failed
        leaves, structure = jax.tree.flatten((args, kwargs))
        places = [at for at, leaf in enumerate(leaves) if isinstance(leaf, jax.core.Tracer)]
        if failed or not places:
            return step(*args, **kwargs)

        def run(*arrays: jax.Array) -> Any:
            given = dict(zip(places, arrays, strict=True))
            whole = [given.get(at, leaf) for at, leaf in enumerate(leaves)]
            args, kwargs = jax.tree.unflatten(structure, whole)
            return step(*args, **kwargs)

        arrays = [leaves[at] for at in places]
        program, shapes = jax.make_jaxpr(run, return_shape=True)(*arrays)
        faster = _replace_or_warn(program)
        failed = faster is None
        results = jaxpr_as_fun(program if faster is None else faster)(*arrays)
        return jax.tree.unflatten(jax.tree.structure(shapes), results)

    return stepped


def _can_gain() -> bool:
    return bool(keras.backend.backend() == "jax" and jax.default_backend() == "cpu")


def _replace_or_warn(program: ClosedJaxpr) -> ClosedJaxpr | None:
    try:
        return replace_convolutions(program)
    except Exception as error:  # noqa: BLE001  (whatever it is, the model trains without us)
        message = f"This model is not accelerated and trains at its usual speed: {error!r}"
        warnings.warn(message, stacklevel=3)
        return None
