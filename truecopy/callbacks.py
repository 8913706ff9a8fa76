"""Keras callbacks for anyone's `fit`."""

from truecopy.audit.callback import Watch

__all__ = ["Watch"]
