"""Arrays that a program made like its inputs and did not give to `fit`: a forgotten copy."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Final

import numpy as np

from truecopy.audit.feeding import Sample, take_rows
from truecopy.audit.lines import assigned_line
from truecopy.audit.subject import Array
from truecopy.rules.facts import Where

# Programs name a handful of arrays; more are slices of one another.
_MOST_SPARE: Final = 8


def find_spare(
    frames: Iterable[FrameType], given: Iterable[Any], x: Any, sample: Sample
) -> dict[str, Array]:
    """Return sampled rows of the arrays that look like `x` and are not among the `given`.

    Args:
        frames: The program's frames that are running.
        given: What `fit` was given: arrays, or tuples of arrays.
        x: The inputs as given.
        sample: How they were sampled; the same rows are taken of the others.
    """
    if not isinstance(x, np.ndarray) or sample.places is None:
        return {}
    used = [array for array in _flatten(given) if isinstance(array, np.ndarray)]
    found: dict[str, Array] = {}
    for name, value in _names(frames).items():
        if (
            isinstance(value, np.ndarray)
            and value.shape == x.shape
            and value.dtype.kind in "fiub"
            and not any(np.may_share_memory(value, array) for array in used)
        ):
            found[name] = take_rows(value, sample.places)
            used.append(value)  # a second name of the same array is no second array
        if len(found) == _MOST_SPARE:
            break
    return found


def assigned_where(name: str, fit: Where | None, root: Path) -> Where | None:
    """Return the line that gave an array its name, in the file of the `fit` call."""
    if fit is None:
        return None
    try:
        source = (root / fit.file).read_text(encoding="utf-8")
        line = assigned_line(source, name, before=fit.line)
    except (OSError, ValueError, SyntaxError):
        return None
    return None if line is None else Where(file=fit.file, line=line)


def _names(frames: Iterable[FrameType]) -> Mapping[str, Any]:
    """Return the program's variables by name: those of inner frames before outer ones."""
    names: dict[str, Any] = {}
    for frame in frames:
        for scope in (frame.f_locals, frame.f_globals):
            for name, value in scope.items():
                if not name.startswith("_"):
                    names.setdefault(name, value)
    return names


def _flatten(given: Iterable[Any]) -> Iterable[Any]:
    for value in given:
        if isinstance(value, dict):
            yield from _flatten(value.values())
        elif isinstance(value, list | tuple):
            yield from _flatten(value)
        else:
            yield value
