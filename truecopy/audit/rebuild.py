"""Copies anyone's Keras model, with fresh weights where asked, and leaves the original alone.

`keras.models.clone_model` takes Sequential and Functional models whose layers all have a config;
many people's models are neither. What is copied here is the Python object: every layer, operation
and variable is made anew with the same attributes, so a custom `call`, a custom `train_step` and
attributes that were set later come along. Relied on, of Keras 3.15: `KerasSaveable` is the root of
layers, operations, metrics and optimisers; `Layer.__new__` sets `build` and `quantize` for its own
instance; what `compile` and `fit` leave behind are the attributes in `_COMPILED`.
"""

import copy
import random
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import keras
import numpy as np
from keras.src.saving.keras_saveable import KerasSaveable
from keras.src.utils.tracking import DotNotTrackScope
from numpy.typing import NDArray

from truecopy.errors import TruecopyError

Array = NDArray[Any]

# Bound to their own object when it is made; a copy has its own.
_OWN: Final = frozenset({"build", "quantize"})
# What `compile` and `fit` leave in a model; a copy is compiled anew.
_COMPILED: Final = (
    *("train_function", "test_function", "predict_function", "optimizer"),
    *("_compile_loss", "_compile_metrics", "_jax_state", "_epoch_iterator", "_eval_epoch_iterator"),
)
# Tensors of the last call, which TensorFlow and PyTorch refuse to copy.
_PASSING: Final = {"_losses": list, "_losses_override": list, "_loss_ids": set}
_LOCK: Final = threading.Lock()


class CannotRebuild(TruecopyError):
    """The model can't be copied or changed automatically; the message says why."""


def copy_model(model: Any) -> Any:
    """Return an uncompiled copy with variables of its own that have the same values.

    Raises:
        CannotRebuild: Something in it can't be copied.
    """
    # A module that an object holds is no part of it.
    memo: dict[int, Any] = {id(module): module for module in list(sys.modules.values())}
    try:
        with _copying(), DotNotTrackScope():
            copied = copy.deepcopy(model, memo)
    except Exception as error:  # (anything may be in a model of the user's)
        message = f"the model {model.name!r} can't be copied: {type(error).__name__}: {error}"
        raise CannotRebuild(message) from error
    # What can't be copied is shared, and may hold weights.
    if {id(variable) for variable in model.variables} & {id(v) for v in copied.variables}:
        raise CannotRebuild(f"some weights of the model {model.name!r} can't be copied")
    return copied


@contextmanager
def _copying() -> Iterator[None]:
    """Let `copy.deepcopy` copy Keras' objects by attribute instead of by saving and loading."""
    with _LOCK:
        KerasSaveable.__deepcopy__ = _copy_object
        try:
            yield
        finally:
            del KerasSaveable.__deepcopy__


def _copy_object(self: Any, memo: dict[int, Any]) -> Any:
    kind: Any = type(self)
    new = kind.__new__(kind)
    memo[id(self)] = new
    state = dict(vars(self))
    for name in _OWN & set(vars(new)):
        state.pop(name, None)
    for name, empty in _PASSING.items():
        if name in state:
            memo[id(state[name])] = empty()
    for name in _COMPILED:
        if name in state:
            state[name] = None
    if hasattr(self, "train_step"):
        state.pop("_compile_config", None)
        state["compiled"] = False
    for name, value in state.items():
        try:
            vars(new)[name] = copy.deepcopy(value, memo)
        except Exception:  # noqa: BLE001  (a lock, an open file, a strategy of TensorFlow's)
            vars(new)[name] = value
    return new


def refresh_weights(model: Any, *, seed: int, initial: Sequence[Array] | None = None) -> None:
    """Give a model the weights it began with, or new ones of its layers' own initialisers.

    Layers that are frozen keep theirs: they were not learned in this program. So do layers that
    can't be made again from their config.

    Args:
        model: A built model; changed in place.
        seed: Draws the weights, where the initialisers have no seed of their own.
        initial: All weights before the training, in the order of `model.weights`.
    """
    if initial is not None and _fit(model.weights, initial):
        for variable, value in zip(model.weights, initial, strict=True):
            variable.assign(value)
        return
    with seeded(seed):
        for layer in model._flatten_layers():  # noqa: SLF001  (Keras 3.15 has no public walk)
            _refresh_layer(layer)


def _refresh_layer(layer: Any) -> None:
    own = [*layer._trainable_variables, *layer._non_trainable_variables]  # noqa: SLF001
    if not own or not layer.trainable:
        return
    try:
        twin = type(layer).from_config(layer.get_config())
        twin.build_from_config(layer.get_build_config())
    except Exception:  # noqa: BLE001  (a user's layer without a config keeps its weights)
        return
    fresh = [*twin._trainable_variables, *twin._non_trainable_variables]  # noqa: SLF001
    if _fit(own, fresh):
        for variable, new in zip(own, fresh, strict=True):
            variable.assign(keras.ops.convert_to_numpy(new))


def _fit(variables: Sequence[Any], values: Sequence[Any]) -> bool:
    shapes = [tuple(variable.shape) for variable in variables]
    return shapes == [tuple(value.shape) for value in values]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw the seeds of Keras' initialisers from `seed`, and leave Python's generator as it was.

    Keras 3.15 draws the seed of an initialiser without one from Python's `random`
    (`keras.src.random.make_default_seed`).
    """
    state = random.getstate()
    numbers = np.random.get_state()  # noqa: NPY002  (the user's generator, to be left as it was)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(state)
        np.random.set_state(numbers)  # noqa: NPY002


def rebuild_from_configs(model: Any, changes: Mapping[str, Mapping[str, Any]]) -> Any:
    """Return a model whose layers have other settings, which may change shapes: fresh weights.

    Args:
        model: A Sequential or Functional model, nested ones included.
        changes: Settings by the layer's name.

    Raises:
        CannotRebuild: It is subclassed, or the changed layers don't fit together.
    """

    def clone(layer: Any) -> Any:
        config = layer.get_config()
        config.update(changes.get(layer.name, {}))
        wrapped = config.get("layer")  # of a TimeDistributed or a Bidirectional
        if isinstance(wrapped, dict) and isinstance(wrapped.get("config"), dict):
            wrapped["config"].update(changes.get(wrapped["config"].get("name"), {}))
        return type(layer).from_config(config)

    try:
        return keras.models.clone_model(copy_model(model), clone_function=clone, recursive=True)
    except CannotRebuild:
        raise
    except Exception as error:
        message = f"the changed layers don't fit together: {type(error).__name__}: {error}"
        raise CannotRebuild(message) from error
