"""Arrays that a program made like its inputs and did not give to `fit`: a forgotten copy."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Final

import numpy as np

from truecopy.audit.feeding import MOST_ROWS, Sample, take_rows
from truecopy.audit.lines import assigned_line
from truecopy.audit.noisier import Noise, find_noisier
from truecopy.audit.subject import Array
from truecopy.rules.facts import SpareArray
from truecopy.rules.modelfacts import Where

# Programs name a handful of arrays; more are slices of one another.
_MOST_SPARE: Final = 8
_MOST_PAIRS: Final = 12
_ROWS_AND_VALUES: Final = 2


def find_spare(
    frames: Iterable[FrameType], given: Iterable[Any], x: Any, sample: Sample
) -> dict[str, Array]:
    """Return sampled rows of the arrays that look like `x` and are not among the `given`.

    An array of more rows counts by those that go with `x`, which may be a slice of one as long:
    its name is then that of these rows, as `clean[:1200]`.

    Args:
        frames: The program's frames that are running.
        given: What `fit` was given: arrays, or tuples of arrays.
        x: The inputs as given.
        sample: How they were sampled; the same rows are taken of the others.
    """
    if not isinstance(x, np.ndarray) or sample.places is None:
        return {}
    names = _names(frames)
    first = _first_row(x, names.values())
    found: dict[str, Array] = {}
    for name, value in _unused(names, given, lambda v: _rows_of(v, x, first) is not None):
        rows = _rows_of(value, x, first)
        found[f"{name}{rows}"] = take_rows(value, sample.places + (first if rows else 0))
    return found


def find_beside(frames: Iterable[FrameType], given: Iterable[Any], x: Array) -> dict[str, Array]:
    """Return copies of the arrays that stand beside a batch, of its shape and not given.

    Args:
        frames: The program's frames that are running.
        given: What the step was given.
        x: The batch's inputs.
    """

    def fits(value: Any) -> bool:
        numbers = isinstance(value, np.ndarray) and value.dtype.kind in "fiub"
        return numbers and value.shape == x.shape and value.ndim >= _ROWS_AND_VALUES

    unused = _unused(_names(frames), given, fits)
    return {name: value.copy() for name, value in unused}


def _unused(
    names: Mapping[str, Any], given: Iterable[Any], fits: Callable[[Any], bool]
) -> Iterator[tuple[str, Array]]:
    """Yield the first arrays that fit and share no memory with the given ones or each other."""
    used = [array for array in _flatten(given) if isinstance(array, np.ndarray)]
    count = 0
    for name, value in names.items():
        if count == _MOST_SPARE:
            return
        if fits(value) and not any(np.may_share_memory(value, array) for array in used):
            used.append(value)  # a second name of the same array is no second array
            count += 1
            yield name, value


def find_sources(frames: Iterable[FrameType], x: Any) -> dict[str, Array]:
    """Return the program's arrays that rows like those of `x` may have been taken from.

    They are not copied, and the largest come first.

    Args:
        frames: The program's frames that are running.
        x: Rows of what was given.
    """
    fitting = {
        name: value
        for name, value in _names(frames).items()
        if isinstance(value, np.ndarray)
        and value.dtype.kind in "fiu"
        and value.ndim >= _ROWS_AND_VALUES
        and value[:1].size == x[:1].size > 0
    }
    largest = sorted(fitting, key=lambda name: -len(fitting[name]))
    return {name: fitting[name] for name in largest[:_MOST_SPARE]}


def find_noise_elsewhere(frames: Iterable[FrameType], x: Any) -> SpareArray | None:
    """Return an array of other rows that is the noisy copy of one beside it, None for none.

    Args:
        frames: The program's frames that are running.
        x: The inputs as given; arrays count whose rows have as many values.
    """
    if not isinstance(x, np.ndarray) or not len(x):
        return None
    beside = {
        name: value
        for name, value in _names(frames).items()
        if isinstance(value, np.ndarray)
        and value.dtype.kind == "f"
        and value.ndim > 1
        and 0 < len(value) != len(x)
        and value[0].size == x[0].size
    }
    pairs = itertools.islice(itertools.combinations(beside.items(), 2), _MOST_PAIRS)
    for (name, first), (other, second) in pairs:
        if len(first) != len(second) or np.may_share_memory(first, second):
            continue
        places = np.linspace(0, len(first) - 1, min(len(first), MOST_ROWS)).astype(int)
        a, b = (array[places].reshape(-1, *x.shape[1:]) for array in (first, second))
        noise = find_noisier(a, b) if np.isfinite(a).all() and np.isfinite(b).all() else Noise()
        if noise.which != "neither":
            noisy = other if noise.which == "second" else name
            return SpareArray(name=noisy, relation="noisy-elsewhere", noise=noise.deviation)
    return None


def _rows_of(value: Any, x: Array, first: int) -> str | None:
    """Return the slice of the rows that go with `x`, empty for all; None for no such array."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiub" or not x.ndim:
        return None
    if value.shape[1:] != x.shape[1:] or value.ndim != x.ndim:
        return None
    if len(value) == len(x):
        return ""
    end = first + len(x)
    return f"[{first or ''}:{end}]" if len(value) >= end else None


def _first_row(x: Array, arrays: Iterable[Any]) -> int:
    """Return where `x` begins in the array that it is a slice of; 0 where it is of none.

    A copy that was cut off from the start begins there too, and whether rows belong together is
    told by their numbers.
    """
    for array in arrays:
        if (
            isinstance(array, np.ndarray)
            and array.shape[1:] == x.shape[1:]
            and len(array) > len(x) > 0
            and array.strides == x.strides
            and np.may_share_memory(array, x)
        ):
            start, rest = divmod(_address(x) - _address(array), array.strides[0])
            if not rest and 0 <= start <= len(array) - len(x):
                return int(start)
    return 0


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])


def assigned_where(name: str, fit: Where | None, root: Path) -> Where | None:
    """Return the line that gave an array its name, in the file of the `fit` call."""
    if fit is None:
        return None
    try:
        source = (root / fit.file).read_text(encoding="utf-8")
        line = assigned_line(source, name.partition("[")[0], before=fit.line)
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
