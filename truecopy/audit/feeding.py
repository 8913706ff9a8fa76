"""A sample of what is given to `fit`, whatever it is, and what goes to Keras instead.

Keras takes arrays, tensors, data frames, generators, `PyDataset`, `tf.data` and PyTorch
loaders. They are told apart by what they can do, so that neither TensorFlow nor PyTorch is
imported. A stream that can be read only once is replaced by one that gives the same again.
"""

import itertools
import math
import random
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import keras
import numpy as np

from truecopy.audit.subject import Array

# What the audit needs to know shows in this many rows; more would only cost time.
MOST_ROWS: Final = 1024
_MOST_BATCHES: Final = 64


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Sample:
    """Rows of what is given to `fit`.

    `rows` is how many there are in all, None where only a stream knows; `sampled` says how the
    sample was taken, empty where it is all. `replacement` goes to `fit` in place of `x`.
    `places` are the sampled rows' positions in an array, None for a stream. `whole` are all
    targets where they are an array in memory, not a copy. `weights` are what `sample_weight` gives
    these rows.
    """

    inputs: Array | None = None
    targets: Array | None = None
    rows: int | None = None
    sampled: str = ""
    places: Array | None = None
    replacement: Any = None
    whole: Array | None = None
    weights: Array | None = None
    notes: tuple[str, ...] = ()

    def joined(self, x: Array, y: Array | None, *, most: int) -> "Sample":
        """Return the sample with the rows of one more batch."""
        if self.inputs is None or x.shape[1:] != self.inputs.shape[1:]:
            return self
        targets = self.targets
        if targets is not None and y is not None:
            targets = np.concatenate([targets, y])[:most]
        inputs = np.concatenate([self.inputs, x])[:most]
        return replace(self, inputs=inputs, targets=targets, weights=None)


def sample_given(
    x: Any, y: Any = None, weights: Any = None, *, share: float = 1.0, most: int = MOST_ROWS
) -> Sample:
    """Return a sample of the rows that `fit(x, y)` is given.

    Args:
        x: Anything that Keras' `fit` takes.
        y: Its targets; None where there are none, or where `x` gives them.
        weights: `sample_weight`; None where there is none, or where `x` gives it.
        share: The share of the rows to take from, from the start: a `validation_split` takes
            the others.
        most: The most rows to take.
    """
    if isinstance(x, list | tuple | dict) and not _is_numbers(x):
        parts = list(x.values()) if isinstance(x, dict) else list(x)
        if len(parts) != 1:
            return Sample(notes=(f"The model has {len(parts)} inputs; their rows were not used.",))
        x = parts[0]
    if isinstance(y, list | tuple | dict) and not _is_numbers(y):
        parts = list(y.values()) if isinstance(y, dict) else list(y)
        if len(parts) != 1:
            told = f"The model has {len(parts)} outputs; their targets were not used."
            return _sample_array(x, None, None, share, most, notes=(told,))
        y = parts[0]
    if hasattr(x, "shape") or hasattr(x, "to_numpy") or _is_numbers(x):
        return _sample_array(x, y, weights, share, most)
    return _sample_batches(x, most)


def _is_numbers(x: Any) -> bool:
    """Tell whether a list is one array written out, rather than several inputs."""
    if not isinstance(x, list | tuple) or not x:
        return False
    return isinstance(x[0], int | float | list | np.number)


def _sample_array(
    x: Any, y: Any, weights: Any, share: float, most: int, *, notes: tuple[str, ...] = ()
) -> Sample:
    rows = math.floor(len(x) * share) if share < 1 else len(x)
    # Evenly spread: data are often sorted, and the user's seeds must not be touched.
    places = np.linspace(0, rows - 1, min(rows, most)).astype(int)
    inputs = take_rows(x, places)
    if y is not None and len(y) != len(x):
        y, notes = None, (*notes, "Inputs and targets differ in their number of rows.")
    targets = None if y is None or y is x else take_rows(y, places)
    weighed = weights is not None and len(weights) == len(x)
    given = x if y is None else y
    whole = given[:rows] if type(given) is np.ndarray else None
    sampled = "" if len(places) == rows else f"{len(places):,} of {rows:,} rows, evenly spread"
    return Sample(
        inputs=inputs,
        targets=targets,
        rows=rows,
        sampled=sampled,
        places=places,
        whole=whole,
        weights=take_rows(weights, places) if weighed else None,
        notes=notes,
    )


def take_rows(x: Any, places: Array) -> Array:
    """Return the rows at `places` as a NumPy array of its own."""
    if hasattr(x, "iloc"):  # a data frame
        return to_array(x.iloc[places].to_numpy())
    if hasattr(x, "to_numpy"):
        return to_array(x.to_numpy()[places])
    if isinstance(x, list | tuple) or not hasattr(x, "__getitem__"):
        return to_array(x)[places]
    try:
        return to_array(x[places])
    except (TypeError, ValueError, IndexError):  # TensorFlow's tensors take no lists of rows
        return to_array(x)[places]


def to_array(x: Any) -> Array:
    """Return a copy of any backend's tensor, or of numbers, as a NumPy array."""
    if hasattr(x, "detach"):  # a PyTorch tensor, also where Keras runs on another backend
        x = x.detach().cpu()
    if hasattr(x, "numpy"):  # PyTorch's and TensorFlow's tensors, which can't say "copy"
        x = x.numpy()
    return np.array(np.asarray(x))


def _sample_batches(x: Any, most: int) -> Sample:
    """Take the first batches, or evenly spread ones where they can be chosen."""
    if isinstance(x, Iterator):
        # What was read is lost to it, with the random numbers it drew: both are passed on.
        joined = _join(x, most)
        return joined.sample(most, _again(joined.batches, x), type(x).__name__)
    with seeds_kept():
        if isinstance(x, keras.utils.PyDataset):
            joined = _join((x[index] for index in _spread(x)), most)
        elif isinstance(x, Iterable):
            joined = _join(x, most)
        else:
            return Sample(notes=(f"Data of type {type(x).__name__} can't be sampled.",))
    return joined.sample(most, None, type(x).__name__)


def _join(batches: Iterable[Any], most: int) -> "_Joined":
    joined = _Joined()
    for batch in itertools.islice(batches, _MOST_BATCHES):
        joined.add(batch)
        if joined.rows >= most:
            break
    return joined


def _spread(dataset: Any) -> Iterable[int]:
    """Return the numbers of some batches, evenly spread where their number is known."""
    try:
        batches = dataset.num_batches
    except NotImplementedError:
        batches = None
    if batches is None or batches > sys.maxsize:
        return itertools.count()
    return range(0, int(batches), max(1, int(batches) // _MOST_BATCHES))


def _again(kept: list[Any], stream: Iterator[Any]) -> Iterator[Any]:
    """Yield what was read and then the rest: a generator, which is what Keras looks for."""
    yield from kept
    yield from stream


@dataclass(kw_only=True, slots=True)
class _Joined:
    """Batches of a stream, joined."""

    inputs: list[Array] = field(default_factory=list)
    targets: list[Array] = field(default_factory=list)
    weights: list[Array] = field(default_factory=list)
    rows: int = 0
    several: bool = False
    batches: list[Any] = field(default_factory=list)

    def add(self, batch: Any) -> None:
        self.batches.append(batch)
        x, y, weights = keras.utils.unpack_x_y_sample_weight(_as_tuple(batch))
        parts = [_only(part) for part in (x, y, weights)]
        if parts[0] is None:
            self.several = True
            return
        self.inputs.append(to_array(parts[0]))
        self.rows += len(self.inputs[-1])
        if parts[1] is not None:
            self.targets.append(to_array(parts[1]))
        if parts[2] is not None:
            self.weights.append(to_array(parts[2]))

    def sample(self, most: int, replacement: Any, kind: str) -> Sample:
        if self.several or not self.inputs:
            told = "has several inputs" if self.several else "gave no batches"
            return Sample(replacement=replacement, notes=(f"The {kind} {told}: no rows to probe.",))
        inputs = np.concatenate(self.inputs)[:most]
        whole, weighed = (len(part) == len(self.inputs) for part in (self.targets, self.weights))
        return Sample(
            inputs=inputs,
            targets=np.concatenate(self.targets)[:most] if whole else None,
            weights=np.concatenate(self.weights)[:most] if weighed else None,
            sampled=f"{len(inputs):,} rows from {len(self.inputs)} batches of a {kind}",
            replacement=replacement,
        )


def _as_tuple(batch: Any) -> Any:
    return tuple(batch) if isinstance(batch, list) else batch


def _only(part: Any) -> Any:
    """Return the one array of an input given as a list or dict of one; None for several."""
    if isinstance(part, dict):
        part = list(part.values())
    if isinstance(part, list | tuple):
        return part[0] if len(part) == 1 else None
    return part


@contextmanager
def seeds_kept() -> Iterator[None]:
    """Give Python's, NumPy's and PyTorch's global generators back as they were."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 (the user's own)
    torch = sys.modules.get("torch")
    state = None if torch is None else torch.random.get_rng_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        if torch is not None:
            torch.random.set_rng_state(state)
