"""Pickling an estimator without pickling Keras: its models travel as the bytes of .keras files.

What comes out of a pickle is read back by Keras' safe loader, so a doctored model in it is
refused as one in a file is. (A pickle itself can run any code before we see it: load only
your own. `save` and `truecopy.load` have no such hole.)
"""

import tempfile
from pathlib import Path
from typing import Any

import keras

from truecopy.models.saving import load_keras

# The encoder and the decoder are layers of the model, on the same weights.
_PARTS = {"encoder_": "encoder", "decoder_": "decoder"}


def reduce_estimator(estimator: Any) -> tuple[Any, ...]:
    """Return what `__reduce__` returns: how to make `estimator` again, and of what."""
    state = {name: value for name, value in vars(estimator).items() if name not in _PARTS}
    models = {
        name: _to_bytes(value) for name, value in state.items() if isinstance(value, keras.Model)
    }
    plain = {name: value for name, value in state.items() if name not in models}
    return restore_estimator, (type(estimator), plain, models)


def restore_estimator(kind: type[Any], plain: dict[str, Any], models: dict[str, bytes]) -> Any:
    """Make an estimator of its attributes and of the bytes of its Keras models.

    Raises:
        ModelError: The bytes are no model, or hold code.
    """
    estimator: Any = object.__new__(kind)
    vars(estimator).update(plain)
    vars(estimator).update({name: _from_bytes(data) for name, data in models.items()})
    if "model_" in models:
        parts = {layer.name: layer for layer in estimator.model_.layers}
        vars(estimator).update({name: parts[layer] for name, layer in _PARTS.items()})
    return estimator


def _to_bytes(model: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.read_bytes()


def _from_bytes(data: bytes) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(data)
        return load_keras(path)
