"""The audit leaves everything as it found it: weights, optimiser, seeds, and what fit has set."""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import keras
import numpy as np
from keras.src.backend.common import global_state
from keras.src.random import seed_generator

# What Keras 3.15's trainers set on a model while they run.
_SET_BY_TRAINERS: Final = (
    "stop_training",
    "history",
    "train_function",
    "test_function",
    "predict_function",
    "_compile_metrics",
    "_compile_loss",
    "_jax_state",
    "_jax_state_synced",
    "_epoch_iterator",
    "_eval_epoch_iterator",
)

# Where Keras 3.15 counts the objects of a kind, to call the next one dense_4.
_NAME_COUNTS: Final = "object_name_uids"


@contextmanager
def unchanged(model: Any) -> Iterator[None]:
    """Put back, when the block ends, all that running and training `model` changes.

    That is its weights, the states of its seed generators, metrics and optimiser, what `fit`
    leaves on it, and the random states of Python, NumPy, PyTorch and Keras; layers made
    meanwhile use up no names. An optimiser that
    is not built yet is built, as `fit` does first: its variables are new then as they are before.
    """
    build_optimizer(model)
    variables = _all_variables(model)
    values = [keras.ops.convert_to_numpy(v.value).copy() for v in variables]
    attributes = {name: model.__dict__[name] for name in _SET_BY_TRAINERS if name in model.__dict__}
    parts = [attributes.get("_compile_metrics"), attributes.get("_compile_loss")]
    built = [(part, part.built) for part in parts if part is not None]
    restore_globals = _keep_globals()
    try:
        yield
    finally:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        for name in _SET_BY_TRAINERS:
            if name in attributes:
                object.__setattr__(model, name, attributes[name])
            else:
                model.__dict__.pop(name, None)
        for part, was in built:
            part.built = was
        restore_globals()


def build_model(model: Any, inputs: Any) -> None:
    """Call a model whose layers have no weights yet: as they are made is how they are kept."""
    if not all(layer.built for layer in model._flatten_layers()):  # noqa: SLF001 (Keras 3.15)
        with unchanged(model):
            model(inputs, training=False)


def build_optimizer(model: Any) -> None:
    """Make the variables of the optimiser of a model with weights, as `fit` does first."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and not optimizer.built and model.built and model.trainable_variables:
        optimizer.build(model.trainable_variables)


def _keep_globals() -> Callable[[], None]:
    """Return a function that sets random states and counts of names to what they are now."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 (the user's own)
    torch = sys.modules.get("torch")
    drawn = None if torch is None else torch.random.get_rng_state()
    name = seed_generator.GLOBAL_SEED_GENERATOR
    # Asked for rather than made: making one draws from Python's own generator.
    generator = global_state.get_global_attribute(name)
    seed = None if generator is None else keras.ops.convert_to_numpy(generator.state.value).copy()
    counts = global_state.get_global_attribute(_NAME_COUNTS)
    counted = None if counts is None else counts.copy()

    def restore() -> None:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002 (as above)
        if torch is not None and drawn is not None:
            torch.random.set_rng_state(drawn)
        global_state.set_global_attribute(name, generator)
        if generator is not None:
            generator.state.assign(seed)
        global_state.set_global_attribute(_NAME_COUNTS, counted)

    return restore


def _all_variables(model: Any) -> list[Any]:
    """Return the variables of model, metrics and optimiser, each once."""
    found = [*model.variables, *getattr(model, "metrics_variables", [])]
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        found += optimizer.variables
    return list({id(variable): variable for variable in found}.values())
