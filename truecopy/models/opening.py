"""What a path to a model names: a run folder, or a Keras model in a file."""

from pathlib import Path
from typing import Any

from truecopy.errors import ModelError, suggest
from truecopy.models.autoencoder import load
from truecopy.models.saving import load_keras


def open_model(path: Path) -> Any:
    """Return what MODEL names: an `Autoencoder` (run folder) or a Keras model (.keras file).

    A Keras file is loaded in safe mode: nothing in it is run.

    Raises:
        ModelError: It is neither.
    """
    if path.is_dir():
        return load(path)
    if path.suffix == ".keras":
        return load_keras(path)
    if not path.exists():
        known = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        message = f"There is no run folder or .keras file {str(path)!r}.{suggest(path.name, known)}"
        raise ModelError(message)
    message = f"{str(path)!r} is neither a run folder nor a .keras file."
    raise ModelError(message)
