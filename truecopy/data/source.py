"""What rows come from: the abstract `Source`, and the one of an array.

Everything downstream takes rows in batches from a `Source` and needs to know nothing else,
so that a list, a memory map larger than memory and a folder of images are all the same to
it. Rows come in the units and dtype of the data; nothing is scaled here. `sources` chooses
the right `Source` for what a user gives.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from truecopy.data.mapped import Reader, read_pieces
from truecopy.data.spooling import count_piece, cut_batches, gather
from truecopy.errors import (
    EmptyData,
    InvalidArgument,
    RaggedData,
    UnsafeData,
    UnsupportedData,
)

# Bytes: what is wider is NumPy's long double, which means another thing on every machine.
MAXIMUM_ITEM = 8
ONE_SHAPE = "All rows must have the same shape."


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
        sequence: Whether rows are (length, channels), windows of a time series.
        skipped: A verdict on each file of a folder that was left out.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    rows: int | None = None
    labels: NDArray[Any] | None = None
    columns: tuple[str, ...] | None = None
    held_out: str | None = None
    sequence: bool = False
    skipped: tuple[str, ...] = ()
    _held: NDArray[Any] | None = None

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns' names, else one for each place in a row, as scikit-learn has it: x0, x1.

        Rows of more axes have x0_0, x0_1, ...
        """
        if self.columns is not None:
            return self.columns
        return tuple(f"x{'_'.join(map(str, place))}" for place in np.ndindex(self.shape))

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
        held = self._held
        chunks = self.chunks(int(size)) if held is None else read_pieces(held, int(size))
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
            size = count_piece(self.dtype.itemsize * int(np.prod(self.shape)))
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


def name_data(name: str) -> str:
    """Give the words for a source in a message; a name is quoted and safe for a terminal."""
    return "The array" if name == "array" else repr(name)


@final
class SubsetSource(Source):
    """Some rows of an array or memory map, read in pieces: never copied as a whole."""

    def __init__(self, array: NDArray[Any], chosen: NDArray[np.intp], *, name: str) -> None:
        self.name, self.rows = name, len(chosen)
        self.shape, self.dtype = array.shape[1:], array.dtype
        self._array, self._chosen = Reader(array), chosen

    def chunks(self, size: int) -> Iterator[NDArray[Any]]:
        """Pick the chosen rows."""
        for start in range(0, len(self._chosen), size):
            yield self._array[self._chosen[start : start + size]]


@final
class PickedSource(Source):
    """Some rows of a source, picked while all are read: neither is kept as a whole."""

    def __init__(self, source: Source, chosen: NDArray[np.intp]) -> None:
        self.name, self.rows = source.name, len(chosen)
        self.shape, self.dtype, self.skipped = source.shape, source.dtype, source.skipped
        self._source, self._chosen = source, chosen

    def chunks(self, size: int) -> Iterator[NDArray[Any]]:
        """Pick the chosen rows, which are in order, of each batch."""
        first = 0
        for batch in self._source.batches(size):
            here = np.searchsorted(self._chosen, [first, first + len(batch)])
            if here[0] < here[1]:
                yield batch[self._chosen[here[0] : here[1]] - first]
            first += len(batch)


def check_rows(dtype: np.dtype[Any], shape: tuple[int, ...], what: str) -> None:
    """Refuse what can't be rows of real numbers; `what` names it in the message."""
    if dtype.hasobject:
        raise UnsafeData(
            f"{what} holds Python objects, which are never loaded or guessed at. "
            "Convert it to one array of numbers, say with .astype(float)."
        )
    if dtype.kind == "c":
        raise UnsupportedData(
            f"Complex data not supported: {what} holds {dtype} values. Give real and imaginary "
            "parts as features of their own."
        )
    if dtype.kind not in "biuf" or dtype.itemsize > MAXIMUM_ITEM:
        raise UnsupportedData(
            f"{what} holds {dtype} values. Give booleans, integers or floats of 16 to 64 bits."
        )
    if 0 in shape[:1]:
        raise EmptyData(f"{what} has shape {shape}: it has no rows.")
    if 0 in shape:
        # As scikit-learn words it.
        raise EmptyData(
            f"{what} has 0 feature(s) (shape={shape}) while a minimum of 1 is required."
        )
    if len(shape) < 2:  # noqa: PLR2004 - one axis of rows, one or more of features
        raise UnsupportedData(
            f"{what} has shape {shape}, but the first axis must be the rows. Reshape your data: "
            "x[None, :] is one row of many features, x[:, None] many rows of one."
        )


def to_array(data: Any, what: str) -> NDArray[Any]:
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
            return f"{what}: row {number} is ragged itself. {ONE_SHAPE}"
        if shape != np.shape(rows[0]):
            first = np.shape(rows[0])
            return f"{what}: row {number} has shape {shape}, row 0 has {first}. {ONE_SHAPE}"
    return f"{what} can't be turned into an array. {ONE_SHAPE}"
