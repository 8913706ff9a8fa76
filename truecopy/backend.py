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
_COMPILED = "JAX_COMPILATION_CACHE_DIR"
# JAX keeps only what took a second, which of small models is nothing.
_WORTH_KEEPING = "0.1"


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


def keep_compiled() -> Path | None:
    """Let JAX keep what it compiles for the next command, in a folder of the user's own.

    On 2 cores that is a third of the 11 CPU seconds in which a dense model is fitted to 1,000
    images for one epoch and evaluated; its programs take half a megabyte. Nothing changes where
    the user has told JAX (0.10) a folder, or ours can't be written to. Machines of different kinds
    can share the folder: the key of a program has the processor's features in it.

    Returns:
        The folder; None where it isn't ours.
    """
    if _COMPILED in os.environ:
        return None
    try:
        caches = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
        folder = Path(caches) / "truecopy" / "compiled"
        # What is read from here is run: nobody else may write to it.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # the second: there is no home
        return None
    if not os.access(folder, os.W_OK):
        return None
    os.environ[_COMPILED] = str(folder)
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", _WORTH_KEEPING)
    return folder


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
