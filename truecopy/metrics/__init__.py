"""Figures about a copy, each between its floor and its ceiling.

The public names are Keras metrics for anyone's `compile(metrics=[...])`; they load on first
use, as they need Keras.
"""

from importlib import import_module
from typing import Any

__all__ = ["PSNR", "R2", "SSIM", "BCEExcess", "ExactMatch", "Within"]


def __getattr__(name: str) -> Any:
    """Import the Keras metric of this name."""
    if name not in __all__:
        message = f"module 'truecopy.metrics' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module("truecopy.metrics.keras_metrics"), name)
