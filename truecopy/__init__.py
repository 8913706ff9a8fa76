"""Trains autoencoders, tells how good the copy is, and finds what is wrong when it isn't.

The public names load on first use, so `import truecopy` costs neither Keras nor JAX.
"""

from importlib import import_module
from typing import Any

from truecopy.backend import choose_backend

__version__ = "0.1.0"

# Where each public name lives; the values are imported on first use.
_HOMES = {
    "Audit": "truecopy.audit.audit",
    "Autoencoder": "truecopy.models.autoencoder",
    "OutlierDetector": "truecopy.models.outliers",
    "Plan": "truecopy.data.plan",
    "Profile": "truecopy.data.profile",
    "PyodDetector": "truecopy.models.pyod",
    "Scorecard": "truecopy.metrics.evaluate",
    "TruecopyError": "truecopy.errors",
    "Windows": "truecopy.data.windows",
    "accelerate": "truecopy.training.acceleration",
    "audit": "truecopy.audit",
    "audit_script": "truecopy.audit.script",
    "evaluate": "truecopy.metrics.evaluate",
    "load": "truecopy.models.autoencoder",
    "plan": "truecopy.data.plan",
    "profile": "truecopy.data.profile",
    "windows": "truecopy.data.windows",
}

__all__ = [  # noqa: PLE0604, RUF100  (lazy: the names come from `_HOMES`)
    "Audit",
    "Autoencoder",
    "OutlierDetector",
    "Plan",
    "Profile",
    "PyodDetector",
    "Scorecard",
    "TruecopyError",
    "Windows",
    "accelerate",
    "audit",
    "audit_script",
    "evaluate",
    "load",
    "plan",
    "profile",
    "windows",
]

# Before anyone imports Keras: its backend can't be changed afterwards.
choose_backend()


def __getattr__(name: str) -> Any:
    """Import the module that holds the public `name`."""
    if name not in _HOMES:
        message = f"module 'truecopy' has no attribute {name!r}"
        raise AttributeError(message)
    home = import_module(_HOMES[name])
    # `audit` is a package that can be called, whichever way it was imported first.
    return home if name == "audit" else getattr(home, name)


def __dir__() -> list[str]:
    """List the public names, also those not imported yet."""
    return sorted([*__all__, "__version__"])
