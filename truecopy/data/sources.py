"""Where rows come from: one `Source` for arrays, files, folders, iterables and words.

Everything downstream takes rows in batches from a `Source` and needs to know nothing else,
so that a list, a memory map larger than memory and a folder of images are all the same to
it. Rows come in the units and dtype of the data; nothing is scaled here.
"""

import os
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from truecopy.errors import (
    EmptyData,
    InvalidArgument,
    OutputFailed,
    RaggedData,
    UnsafeData,
    UnsupportedData,
)

# Loading takes twice the bytes for a moment (the pieces, then the whole), and a fit needs
# as much again: a quarter of what is free leaves room for both.
MEMORY_SHARE = 0.25
# What a temporary file leaves free: an endless iterator must not fill the user's disk.
DISK_RESERVE = 1 << 30
# Rows are read ahead in pieces of about this many bytes, whatever the size of one row.
PIECE = 1 << 24
# Bytes: what is wider is NumPy's long double, which means another thing on every machine.
MAXIMUM_ITEM = 8

WORDS = ("mnist", "mnist:test", "digits")
_ONE_SHAPE = "All rows must have the same shape."
KINDS = [*WORDS, "a .npy, .npz[:key], .csv or .parquet file", "a folder of images"]


class Source(ABC):
    """Rows that can be passed over any number of times.

    Attributes:
        name: What the user typed, or "array"; for titles.
        shape: The shape of one row.
        dtype: The dtype of the batches.
        rows: How many there are; None while unknown, before the first pass.
        labels: One class label per row, where the data have them.
        columns: The names of a table's columns.
        held_out: The DATA word of a companion test set ("mnist" has "mnist:test").
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    rows: int | None = None
    labels: NDArray[Any] | None = None
    columns: tuple[str, ...] | None = None
    held_out: str | None = None
    _held: NDArray[Any] | None = None

    @abstractmethod
    def chunks(self, size: int) -> Iterator[NDArray[Any]]:
        """Read all rows in order, in pieces of any length; about `size` suits the caller."""

    def batches(self, size: int = 1024) -> Iterator[NDArray[Any]]:
        """Pass over all rows in order.

        Args:
            size: The number of rows in every batch but the last, which may be shorter.

        Returns:
            An iterator of arrays (rows, *shape). They may be views of the data: don't write.

        Raises:
            InvalidArgument: `size` is not a positive integer.
            DataError: While iterating, where the data turn out to be broken.
        """
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
            raise InvalidArgument("size", "batches", "an integer of at least 1", got=size)
        chunks = self.chunks(int(size)) if self._held is None else [np.asarray(self._held)]
        return self._count(cut_batches(chunks, int(size)))

    def array(self) -> NDArray[Any]:
        """Give random access to all rows, read-only where they are not the user's own array.

        Returns:
            The array or memory map itself where there is one. Else the rows are loaded if
            they fit into a quarter of the free memory, or spooled once to a temporary
            memory map that goes when nothing uses it any more.

        Raises:
            DataError: The data turn out to be broken.
            OutputFailed: The disk has no room for the temporary memory map.
        """
        if self._held is None:
            size = max(1, PIECE // (self.dtype.itemsize * int(np.prod(self.shape))))
            self._held = gather(self._count(self.chunks(size)), name_data(self.name))
        return self._held

    def _count(self, batches: Iterator[NDArray[Any]]) -> Iterator[NDArray[Any]]:
        """Pass `batches` through; at the end, keep the number of rows or check it."""
        rows = 0
        for batch in batches:
            rows += len(batch)
            yield batch
        if self.rows not in (None, rows):
            raise UnsupportedData(
                f"{name_data(self.name)} gave {self.rows} rows in the first pass and {rows} in "
                "this one. Every pass must give the same rows."
            )
        self.rows = rows


@final
class ArraySource(Source):
    """An array or memory map whose first axis is the rows."""

    def __init__(
        self,
        array: NDArray[Any],
        labels: NDArray[Any] | None = None,
        *,
        name: str = "array",
        columns: tuple[str, ...] | None = None,
        held_out: str | None = None,
    ) -> None:
        check_rows(array.dtype, array.shape, name_data(name))
        self.name, self.labels, self.columns, self.held_out = name, labels, columns, held_out
        self.rows, self.shape = len(array), array.shape[1:]
        self.dtype = array.dtype.newbyteorder("=")
        self._array = array
        if array.dtype == self.dtype:
            self._held = array

    def chunks(self, size: int) -> Iterator[NDArray[Any]]:
        """Turn rows of foreign byte order, which nothing downstream takes, into native ones."""
        for start in range(0, len(self._array), size):
            yield self._array[start : start + size].astype(self.dtype)


@final
class IterableSource(Source):
    """An iterable of batches, read again for every pass; an iterator is read once and kept."""

    name = "array"

    def __init__(self, data: Iterable[Any]) -> None:
        self._data = data
        batches = iter(data)
        first = next(batches, None)
        if first is None:
            raise EmptyData("The iterable gives no batches.")
        batch = _take_batch(first, "Batch 0")
        check_rows(batch.dtype, batch.shape, "Batch 0")
        self.shape, self.dtype = batch.shape[1:], batch.dtype.newbyteorder("=")
        once = batches is data
        self._once: Iterator[Any] | None = chain([batch], batches) if once else None

    def batches(self, size: int = 1024) -> Iterator[NDArray[Any]]:
        """Pass over all rows in order, as `Source.batches`."""
        if self._once is not None:
            self.array()
        return super().batches(size)

    def chunks(self, size: int) -> Iterator[NDArray[Any]]:  # noqa: ARG002 - batches come as they are
        """Check each batch against the first."""
        batches: Iterable[Any] = self._data
        if self._once is not None:
            # Should it break off, what is left must not pass for the whole.
            batches, self._once = self._once, iter(())
        for number, given in enumerate(batches):
            what = f"Batch {number}"
            batch = _take_batch(given, what)
            if batch.shape[1:] != self.shape:
                raise RaggedData(
                    f"{what} has rows of shape {batch.shape[1:]}, but those of batch 0 have "
                    f"shape {self.shape}. {_ONE_SHAPE}"
                )
            if batch.dtype.hasobject or not np.can_cast(batch.dtype, self.dtype):
                raise UnsupportedData(
                    f"{what} holds {batch.dtype} values, but batch 0 holds {self.dtype}. "
                    "Convert all batches to one dtype."
                )
            # A copy: an iterable may fill one buffer again and again.
            yield np.array(batch, dtype=self.dtype)


def open_source(
    data: Any, *, size: tuple[int, int] | None = None, owner: str = "truecopy"
) -> Source:
    """Open whatever holds rows.

    Args:
        data: An array or memory map (first axis = rows), a list, a table of pandas, polars
            or Arrow, an iterable of batches, a path (.npy, .npz[:key], .csv, .parquet or a
            folder of images), one of the words mnist, mnist:test and digits, or a Source. A
            file or folder that has the name of a word is written ./mnist.
        size: (height, width) to which the images of a folder are resized.
        owner: Who asks, for error messages.

    Returns:
        The rows as a `Source`.

    Raises:
        DataError: The data are missing, empty, ragged, broken, unsafe or of no known kind.
        InvalidArgument: `data` is an unknown word, or `size` is not for these data.
        MissingPackage: A .parquet file is given and pyarrow is not installed.

    Example:
        >>> source = open_source([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
        >>> [batch.shape for batch in source.batches(2)]
        [(2, 2), (1, 2)]
    """
    typed = isinstance(data, str | os.PathLike) and data not in WORDS
    path = os.fsdecode(data) if typed else None
    # os.path.isdir, unlike Path.is_dir, takes any name without complaint.
    if path is not None and os.path.isdir(path):  # noqa: PTH112
        from truecopy.data.images import ImageFolder

        return ImageFolder(path, size=size, owner=owner)
    if size is not None:
        raise InvalidArgument("size", owner, "given for a folder of images only", got=size)
    if path is not None:
        from truecopy.data.tables import open_file

        return open_file(path, owner=owner)
    if isinstance(data, str):
        return _open_word(data)
    return data if isinstance(data, Source) else _open_object(data, owner)


def _open_object(data: Any, owner: str) -> Source:
    """Open anything that lives in memory."""
    if np.ma.is_masked(data):
        raise UnsupportedData("The array has masked values. Fill them, say by .filled(np.nan).")
    if hasattr(data, "toarray"):
        raise UnsupportedData("The array is sparse. Give its dense form: data.toarray().")
    if not isinstance(data, np.ndarray | list | tuple):
        from truecopy.data.tables import open_frame

        table = open_frame(data)
        if table is not None:
            return table
    if isinstance(data, list | tuple) or hasattr(data, "__array__"):
        return ArraySource(_convert(data, "The data"))
    if isinstance(data, Iterable) and not isinstance(data, Mapping | set | bytes | bytearray):
        return IterableSource(data)
    must_be = f"an array, a table, an iterable of batches, {', '.join(KINDS)}"
    raise InvalidArgument("data", owner, must_be, got=type(data).__name__)


def _open_word(word: str) -> Source:
    """Open a data set that needs no download."""
    from truecopy.data.datasets import load_digits, load_mnist

    if word == "digits":
        return ArraySource(*load_digits(), name=word)
    if word == "mnist":
        return ArraySource(*load_mnist("train"), name=word, held_out="mnist:test")
    return ArraySource(*load_mnist("test"), name=word)


def name_data(name: str) -> str:
    """Give the words for a source in a message; a name is quoted and safe for a terminal."""
    return "The array" if name == "array" else repr(name)


def suggest(name: str, known: Iterable[str]) -> str:
    """Ask whether the nearest of the `known` names was meant; empty where none is near."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""


def check_rows(dtype: np.dtype[Any], shape: tuple[int, ...], what: str) -> None:
    """Refuse what can't be rows of real numbers; `what` names it in the message."""
    if dtype.hasobject:
        raise UnsafeData(
            f"{what} holds Python objects, which are never loaded or guessed at. "
            "Convert it to one array of numbers, say with .astype(float)."
        )
    if dtype.kind not in "biuf" or dtype.itemsize > MAXIMUM_ITEM:
        raise UnsupportedData(
            f"{what} holds {dtype} values. Give booleans, integers or floats of 16 to 64 bits."
        )
    if 0 in shape:
        lacks = "rows" if shape[0] == 0 else "features"
        raise EmptyData(f"{what} has shape {shape}: it has no {lacks}.")
    if len(shape) < 2:  # noqa: PLR2004 - one axis of rows, one or more of features
        raise UnsupportedData(
            f"{what} has shape {shape}, but the first axis must be the rows. Write x[None, :] "
            "for one row of many features, x[:, None] for many rows of one."
        )


def _take_batch(given: Any, what: str) -> NDArray[Any]:
    """Turn a batch into an array; a pair (x, y) must not pass for two rows."""
    if isinstance(given, list | tuple):
        raise UnsupportedData(
            f"{what} is a {type(given).__name__}, not an array of rows. Of pairs (x, y), give x: "
            "(x for x, _ in data)."
        )
    return _convert(given, what)


def _convert(data: Any, what: str) -> NDArray[Any]:
    """Turn `data` into an array; where lengths differ, say at which row."""
    try:
        return np.asanyarray(data) if isinstance(data, np.memmap) else np.asarray(data)
    except (ValueError, RuntimeError, TypeError) as error:
        if isinstance(error, ValueError) and isinstance(data, list | tuple):
            raise RaggedData(_find_ragged(data, what)) from error
        # Say torch's on another device or with gradients; its message has the remedy.
        raise UnsupportedData(f"{what} can't be turned into an array: {error}") from error


def _find_ragged(rows: Sequence[Any], what: str) -> str:
    """Name the first row whose shape is not that of row 0."""
    for number, row in enumerate(rows):
        try:
            shape = np.shape(row)
        except ValueError:
            return f"{what}: row {number} is ragged itself. {_ONE_SHAPE}"
        if shape != np.shape(rows[0]):
            first = np.shape(rows[0])
            return f"{what}: row {number} has shape {shape}, row 0 has {first}. {_ONE_SHAPE}"
    return f"{what} can't be turned into an array. {_ONE_SHAPE}"


def cut_batches(chunks: Iterable[NDArray[Any]], size: int) -> Iterator[NDArray[Any]]:
    """Cut and join chunks of any length into batches of `size` rows; the last may be shorter."""
    held: list[NDArray[Any]] = []
    count = 0
    for chunk in chunks:
        start = 0
        while len(chunk) - start >= size - count:
            stop = start + size - count
            held.append(chunk[start:stop])
            yield held[0] if len(held) == 1 else np.concatenate(held)
            held, count, start = [], 0, stop
        if start < len(chunk):
            held.append(chunk[start:])
            count += len(chunk) - start
    if held:
        yield np.concatenate(held)


def gather(chunks: Iterator[NDArray[Any]], what: str) -> NDArray[Any]:
    """Join chunks in memory where they fit, else in a temporary memory map."""
    limit = MEMORY_SHARE * measure_free_memory()
    held: list[NDArray[Any]] = []
    for chunk in chunks:
        held.append(chunk)
        limit -= chunk.nbytes
        if limit < 0:
            return _spool(chain(held, chunks), what)
    if not held:
        raise EmptyData(f"{what} has no rows.")
    array = np.concatenate(held)
    array.flags.writeable = False
    return array


def _spool(chunks: Iterator[NDArray[Any]], what: str) -> NDArray[Any]:
    """Write chunks to a temporary file that has no name, and map it, read-only.

    Without a name it goes with the last array that uses it, however the process ends.
    """
    rows = 0
    folder = tempfile.gettempdir()
    with tempfile.TemporaryFile(dir=folder) as file:
        for chunk in chunks:
            rows += len(chunk)
            if shutil.disk_usage(folder).free < chunk.nbytes + DISK_RESERVE:
                raise OutputFailed(
                    f"{what} doesn't fit into memory, and {folder!r} has no room for row {rows} "
                    "and further ones. Is it endless? Set TMPDIR to a folder on a larger disk."
                )
            file.write(chunk.tobytes())
        file.flush()
        return np.memmap(file, chunk.dtype, mode="r", shape=(rows, *chunk.shape[1:]))


def measure_free_memory() -> int:
    """Measure how many bytes this process can take, in the system and in its container."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAv"))
        group = Path("/sys/fs/cgroup")
        taken = int((group / "memory.current").read_text("ascii"))
        return min(free, int((group / "memory.max").read_text("ascii")) - taken)
    except (OSError, ValueError, StopIteration):
        return 1 << 31
