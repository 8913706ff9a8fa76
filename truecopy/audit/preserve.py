"""The audit leaves everything as it found it: weights, optimiser, seeds, and what fit has set."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import keras
import numpy as np
from keras.src.random.seed_generator import global_seed_generator

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


@contextmanager
def unchanged(model: Any) -> Iterator[None]:
    """Put back, when the block ends, all that running and training `model` changes.

    That is its weights, the states of its seed generators, metrics and optimiser, what `fit`
    leaves on it, and the random states of Python, NumPy and Keras.
    """
    variables = _all_variables(model)
    values = [keras.ops.convert_to_numpy(v.value).copy() for v in variables]
    attributes = {name: model.__dict__[name] for name in _SET_BY_TRAINERS if name in model.__dict__}
    states = random.getstate(), np.random.get_state()  # noqa: NPY002 (the user's own state)
    generator = global_seed_generator()
    seed = keras.ops.convert_to_numpy(generator.state.value).copy()
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
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002 (as above)
        generator.state.assign(seed)


def _all_variables(model: Any) -> list[Any]:
    """Return the variables of model, metrics and optimiser, each once."""
    found = [*model.variables, *getattr(model, "metrics_variables", [])]
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        found += optimizer.variables
    return list({id(variable): variable for variable in found}.values())
