"""What can go wrong, one class per cause, and the one wording of a bad argument.

Every error says which thing is wrong, what it must be, what it was, and what to do.
The command line turns each into its message and its exit code; Python users catch
`TruecopyError`, or the built-in exception that each class also is.
"""

from difflib import get_close_matches
from typing import ClassVar


def suggest(name: str, known: list[str]) -> str:
    """Ask whether the nearest of the `known` names was meant; empty where none is near."""
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""


class TruecopyError(Exception):
    """The root of all errors that truecopy raises on purpose."""

    exit_code: ClassVar[int] = 2


class InvalidArgument(TruecopyError, ValueError):
    """An argument is not what it must be.

    Example:
        >>> raise InvalidArgument("latent", "Autoencoder", "an integer from 1 to 783", got=1024)
        Traceback (most recent call last):
        ...
        truecopy.errors.InvalidArgument: The 'latent' argument of Autoencoder must be an integer \
from 1 to 783. Got 1024.
    """

    def __init__(
        self, argument: str, owner: str, must_be: str, *, got: object, hint: str = ""
    ) -> None:
        """Word the message: `argument` of `owner` must be `must_be`; `hint` says what to do."""
        message = f"The '{argument}' argument of {owner} must be {must_be}. Got {got!r}."
        super().__init__(f"{message} {hint}".rstrip())


class UnknownName(InvalidArgument):
    """A recipe, noise, metric or other name that does not exist; names the nearest one."""

    def __init__(self, argument: str, owner: str, known: list[str], *, got: str) -> None:
        """Word the message with all `known` names and the one nearest to `got`."""
        hint = suggest(got, known).lstrip()
        super().__init__(argument, owner, f"one of {', '.join(known)}", got=got, hint=hint)


class DataError(TruecopyError, ValueError):
    """The data can't be used; the subclass says why."""


class DataNotFound(DataError, FileNotFoundError):
    """There is no such file or folder."""


class UnsupportedData(DataError):
    """The kind of file or array is not one that truecopy reads."""


class UnsafeData(DataError, TypeError):
    """Reading it could run code: pickles and object arrays are never loaded."""


class EmptyData(DataError):
    """There are too few rows or no features."""


class NonFiniteData(DataError):
    """There are NaN or infinite values."""


class RaggedData(DataError):
    """The rows do not all have the same shape."""


class BrokenData(DataError):
    """A file can't be decoded."""


class ShapeMismatch(DataError):
    """The data do not have the shape that the model takes."""


class ModelError(TruecopyError):
    """A model or run folder can't be read or is not an autoencoder."""


class OutputExists(TruecopyError, FileExistsError):
    """The output would overwrite something already saved."""


class OutputFailed(TruecopyError, OSError):
    """The output could not be written; what was there before is intact."""


class MissingPackage(TruecopyError, ImportError):
    """An optional package is needed; says which extra installs it."""


class Diverged(TruecopyError, ArithmeticError):
    """The loss became NaN or infinite; training stopped."""

    exit_code: ClassVar[int] = 3


class BatchTooLarge(TruecopyError, MemoryError):
    """A training step doesn't fit into memory; says how much it takes."""


class ScriptError(TruecopyError):
    """A program can't be audited; the subclass says why."""


class ScriptNotFound(ScriptError, FileNotFoundError):
    """There is no such program."""


class NotPython(ScriptError):
    """The file is not a Python program, or has a syntax error."""


class ScriptCrashed(ScriptError):
    """The program ended with an error of its own before anything was fitted."""


class NothingFitted(ScriptError):
    """The program ended without fitting a Keras model."""


class ScriptTimedOut(ScriptError, TimeoutError):
    """The program took longer than the audit was given, before anything was fitted."""


class AuditFailed(ScriptError):
    """The program fitted a model that could not be probed."""
