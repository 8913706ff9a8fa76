"""Which Keras backend is used: the user's choice where there is one, else JAX.

A choice is, in this order: an already imported Keras, the environment variable
KERAS_BACKEND, or `keras.json`. Keras 3.15 writes a `keras.json` that says "tensorflow" on
its first import, whether or not TensorFlow is installed, so a backend named there counts
only when it is installed.
"""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

_PACKAGES = {"jax": "jax", "tensorflow": "tensorflow", "torch": "torch"}
# Says to child processes that KERAS_BACKEND was our choice, not the user's.
ASSUMED = "TRUECOPY_ASSUMED_BACKEND"


def choose_backend() -> str | None:
    """Set KERAS_BACKEND to JAX unless the user chose another; return the choice.

    Returns:
        The backend's name; None when Keras is imported already and keeps what it has.
    """
    if "keras" in sys.modules:
        return None
    asked = os.environ.get("KERAS_BACKEND")
    chosen = asked or _configured_backend() or "jax"
    if not asked:
        os.environ[ASSUMED] = chosen
    os.environ["KERAS_BACKEND"] = chosen
    return chosen


def explain_missing_backend() -> str:
    """Return what to do when the chosen backend can't be used; empty when it can."""
    chosen = os.environ.get("KERAS_BACKEND", "")
    if chosen not in _PACKAGES:
        return f"KERAS_BACKEND is {chosen!r}; it must be one of {', '.join(_PACKAGES)}."
    if find_spec(_PACKAGES[chosen]) is None:
        return f"KERAS_BACKEND is {chosen!r}, which is not installed. Install it, or unset it."
    return ""


def _configured_backend() -> str | None:
    """Return the installed backend that `keras.json` names, if any."""
    home = os.environ.get("KERAS_HOME") or Path("~").expanduser() / ".keras"
    try:
        settings = json.loads((Path(home) / "keras.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    backend = settings.get("backend") if isinstance(settings, dict) else None
    package = _PACKAGES.get(str(backend))
    if package is None or find_spec(package) is None:
        return None
    return str(backend)
