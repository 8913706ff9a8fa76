"""From anyone's Keras model, data and script to facts, findings and the proof of a fix.

`truecopy.audit` is both this package and the function: importing anything from here puts the
package under that name, so the package can be called, too.
"""

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    """A package that is called like the function of its name."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Audit a model; see `truecopy.audit.audit.audit`."""
        from truecopy.audit.audit import audit

        return audit(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
