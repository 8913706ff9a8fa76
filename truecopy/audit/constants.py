"""Python numbers that a compiled training step has read once and keeps for good.

On JAX and TensorFlow, Keras 3.15 compiles the training step at its first batch. A plain number
that the model's own code reads there, such as the weight of a term, is a constant from then on,
whatever a callback sets it to later. The audit has to see the model as the step does.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from truecopy.reports.wording import format_number

# The layer's place among the model's, and the attribute's name.
Numbers = Mapping[tuple[int, str], float]


def read_numbers(model: Any) -> Numbers:
    """Return the public attributes of the model and its layers that are plain numbers."""
    return {
        (place, name): float(value)
        for place, layer in enumerate(_layers(model))
        for name, value in vars(layer).items()
        if not name.startswith("_")
        and isinstance(value, int | float | np.number)
        and not isinstance(value, bool)
    }


@contextmanager
def as_compiled(model: Any, numbers: Numbers) -> Iterator[tuple[str, ...]]:
    """Give the model's attributes the values that its compiled step has, while the block runs.

    Args:
        model: The model.
        numbers: What `read_numbers` gave when the step was compiled.

    Yields:
        A sentence for each attribute that has changed since.
    """
    layers, now = list(_layers(model)), read_numbers(model)
    changed = {key: was for key, was in numbers.items() if key in now and now[key] != was}
    if not _compiles(model):
        changed = {}
    kept = {(place, name): vars(layers[place])[name] for place, name in changed}
    for (place, name), was in changed.items():
        vars(layers[place])[name] = type(kept[place, name])(was)
    try:
        yield tuple(
            f"'{name}' of {layers[place].name} was set from {format_number(was)} to "
            f"{format_number(now[place, name])} while it was trained; a compiled step keeps the "
            f"{format_number(was)} that it has read, where a keras.Variable can change."
            for (place, name), was in changed.items()
        )
    finally:
        for (place, name), value in kept.items():
            vars(layers[place])[name] = value


def _compiles(model: Any) -> bool:
    compiled = getattr(model, "compiled", False) and not model.run_eagerly
    return bool(compiled and keras.backend.backend() in {"jax", "tensorflow"})


def _layers(model: Any) -> Iterator[Any]:
    yield from model._flatten_layers()  # noqa: SLF001 (Keras 3.15 has no public walk)
