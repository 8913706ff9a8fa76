"""Tables as chunks of rows: a frame in memory is one, a file or a folder of files are many.

Whoever plans, encodes or copies a table goes from chunk to chunk, and needs to know nothing of
where they come from. Chunks are narwhals frames with the same columns.
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, final

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from truecopy.data.column_summary import ColumnSummary, merge_summaries
from truecopy.data.frames import READERS, Table, as_frame, check_told, summarise_frame
from truecopy.data.hugging_face import find_arrays, is_dataset, read_tables
from truecopy.data.parquet import ParquetSource, find_parquet
from truecopy.data.source import Source
from truecopy.data.spooling import count_piece
from truecopy.data.tables import CsvSource
from truecopy.errors import EmptyData, MissingPackage, UnsupportedData

# A .csv file up to this size is read at once, so that the kinds of its columns are found out
# from all its rows; of a larger one they are found out from the first block.
CSV_WHOLE: Final = 1 << 26
CSV_BLOCK: Final = 1 << 24
_CELL: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """A table in chunks, which can be read again and again.

    Attributes:
        name: What the user typed, or "table".
        columns: The names of its columns, as words.
        read: Reads narwhals frames, in order.
        native: The frame itself, where it is one in memory.
    """

    name: str
    columns: tuple[str, ...]
    read: Callable[[], Iterator[Any]]
    native: Any = None


def open_frames(data: Any) -> Frames | None:
    """Open a table in chunks; None for what is no table, or not known to be one.

    Args:
        data: A frame of any library, an iterable of frames that can be read again, a data set of
            Hugging Face's, a .csv or .parquet file, a folder of .parquet files, or a source of
            one of these.

    Raises:
        DataError: It can't be read as a table.
        MissingPackage: None of the libraries that can is installed.
    """
    path = path_of(data)
    if path is not None:
        return _open_parquet(data, path) if not path.lower().endswith(".csv") else _open_csv(path)
    if is_dataset(data):
        return None if find_arrays(data) else _open_dataset(data)
    frame = as_frame(data)
    if frame is not None:
        return Frames("table", tuple(map(str, frame.columns)), lambda: iter([frame]), frame)
    return _open_iterable(data)


def path_of(data: Any) -> str | None:
    """Return the path of a file, or of a folder of files, that may hold a table."""
    if isinstance(data, CsvSource | ParquetSource):
        return data.name
    if not isinstance(data, str | os.PathLike):
        return None
    path = os.fsdecode(data)
    if os.path.isdir(path):  # noqa: PTH112 - unlike Path.is_dir it takes any name
        return path if find_parquet(path) else None
    return path if path.lower().endswith((".csv", ".parquet")) else None


def summarise(
    frames: Frames, *, categorical: Collection[str], ignore: Collection[str]
) -> dict[str, ColumnSummary]:
    """Return what each column holds that is not ignored, in one pass over the chunks.

    Raises:
        UnsupportedData: A name given is no column, or chunks hold other kinds of values.
        NonFiniteData: There are infinite values.
    """
    check_told([*categorical, *ignore], frames.columns)
    found: dict[str, ColumnSummary] = {}
    rows = 0
    for frame in frames.read():
        new = summarise_frame(frame, categorical=categorical, ignore=ignore, first=rows)
        rows += len(frame)
        found = {
            name: merge_summaries(found[name], summary, categorical=name in categorical)
            if name in found
            else summary
            for name, summary in new.items()
        }
    return found


@final
class FrameSource(Source):
    """The features of a table, chunk by chunk: (rows, features), NaN where a cell is missing."""

    dtype = np.dtype(np.float64)

    def __init__(self, frames: Frames, table: Table, *, rows: int | None = None) -> None:
        table.require_columns(frames.columns)
        self.frames, self.name, self.rows = frames, frames.name, rows
        self._table = table
        self.shape = (sum(column.width for column in table.columns),)
        if frames.native is not None:
            self._held = table.encode(frames.native)
            self.rows = len(self._held)

    def chunks(self, size: int) -> Iterator[NDArray[Any]]:  # noqa: ARG002 - as they are read
        """Encode each chunk."""
        return (features for _, features in self.pairs())

    def pairs(self) -> Iterator[tuple[Any, NDArray[np.float64]]]:
        """Give each chunk as a frame and as features."""
        if self.frames.native is not None and self._held is not None:
            yield self.frames.native, self._held
            return
        rows = 0
        for frame in self.frames.read():
            yield frame, self._table.encode(frame, first=rows)
            rows += len(frame)


@final
class FilledSource(Source):
    """The features of a table with the missing ones filled in, piece by piece."""

    def __init__(
        self, source: Source, fill: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    ) -> None:
        self.name, self.rows, self.shape = source.name, source.rows, source.shape
        self.dtype = np.dtype(np.float64)
        self._source, self._fill = source, fill

    def chunks(self, size: int) -> Iterator[NDArray[Any]]:
        """Fill each piece."""
        return map(self._fill, self._source.batches(size))


def _open_parquet(data: Any, path: str) -> Frames:
    source = data if isinstance(data, ParquetSource) else ParquetSource(path)
    size = count_piece(_CELL * source.shape[0])

    def read() -> Iterator[Any]:
        import pyarrow as pa

        for batch in source.record_batches(size):
            yield nw.from_native(pa.Table.from_batches([batch]), eager_only=True)

    return Frames(path, source.columns or (), read)


def _open_csv(path: str) -> Frames:
    """Read a .csv file at once where it is small or there is no pyarrow; else block by block."""
    if Path(path).stat().st_size <= CSV_WHOLE or find_spec("pyarrow") is None:
        frame = read_frame(path)
        return Frames(path, tuple(map(str, frame.columns)), lambda: iter([frame]), frame)
    blocks = _read_blocks(path)
    return Frames(path, tuple(next(blocks).columns), lambda: _read_blocks(path))


def _read_blocks(path: str) -> Iterator[Any]:
    import pyarrow as pa
    from pyarrow import csv

    options = csv.ReadOptions(block_size=CSV_BLOCK)
    try:
        with csv.open_csv(path, read_options=options) as reader:
            for batch in reader:
                yield nw.from_native(pa.Table.from_batches([batch]), eager_only=True)
    except pa.ArrowException as error:
        raise UnsupportedData(
            f"{path!r} can't be read as a table: {error}. The kinds of its columns were found out "
            f"from its first {CSV_BLOCK >> 20} MB; if others follow, save it as .parquet."
        ) from error


def read_frame(path: str) -> Any:
    """Read a .csv file of mixed columns as a narwhals frame.

    Raises:
        MissingPackage: None of the libraries that can is installed.
        UnsupportedData: It can't be read as a table.
    """
    for library in READERS:
        if find_spec(library) is None:
            continue
        try:
            return nw.read_csv(path, backend=library)
        except Exception as error:  # each library has its own
            raise UnsupportedData(f"{path!r} can't be read as a table: {error}") from error
    raise MissingPackage(
        f"Reading the mixed columns of {path!r} needs pyarrow: pip install 'truecopy[parquet]'"
    )


def _open_dataset(data: Any) -> Frames:
    def read() -> Iterator[Any]:
        return (nw.from_native(table, eager_only=True) for table in read_tables(data))

    return Frames("dataset", tuple(next(read()).columns), read)


def _open_iterable(data: Any) -> Frames | None:
    """Open an iterable whose items are frames; None for all else."""
    if isinstance(data, Source | str | bytes | dict | list | tuple | np.ndarray):
        return None
    if not isinstance(data, Iterable) or hasattr(data, "__array__") or hasattr(data, "shape"):
        return None
    items = iter(data)
    if items is data:  # what gives its rows only once is kept by those who read numbers
        return None
    first = as_frame(next(items, None))
    if first is None:
        return None
    columns = tuple(map(str, first.columns))
    return Frames("table", columns, lambda: _read_iterable(data, columns))


def _read_iterable(data: Iterable[Any], columns: tuple[str, ...]) -> Iterator[Any]:
    number = -1
    for number, item in enumerate(data):
        frame = as_frame(item)
        if frame is None or tuple(map(str, frame.columns)) != columns:
            raise UnsupportedData(
                f"Batch {number} is not a table with the columns of batch 0. All must be."
            )
        yield frame
    if number < 0:
        raise EmptyData("The iterable gives no batches.")
