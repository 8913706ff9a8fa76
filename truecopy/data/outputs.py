"""Writing rows to .npy, .csv or .parquet as they come; the file is there whole or not at all."""

import csv
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from truecopy.errors import InvalidArgument, MissingPackage, OutputFailed


class _Writer(ABC):
    """Takes batches of rows; `close` finishes the file."""

    @abstractmethod
    def write(self, rows: NDArray[Any]) -> None:
        """Append rows of shape (rows, ...)."""

    @abstractmethod
    def close(self) -> None:
        """Finish the file."""


@final
class _NpyWriter(_Writer):
    """Writes an .npy file through a memory map of its final size."""

    def __init__(self, path: Path, rows: int, columns: tuple[str, ...]) -> None:
        del columns
        self._path, self._rows, self._done = path, rows, 0
        self._file: NDArray[Any] | None = None

    def write(self, rows: NDArray[Any]) -> None:
        if self._file is None:
            shape = (self._rows, *rows.shape[1:])
            self._file = np.lib.format.open_memmap(
                self._path, mode="w+", dtype=rows.dtype, shape=shape
            )
        self._file[self._done : self._done + len(rows)] = rows
        self._done += len(rows)

    def close(self) -> None:
        if isinstance(self._file, np.memmap):
            self._file.flush()


@final
class _CsvWriter(_Writer):
    """Writes a .csv file with a header; rows are flattened."""

    def __init__(self, path: Path, rows: int, columns: tuple[str, ...]) -> None:
        del rows
        self._file = path.open("w", newline="", encoding="utf-8")
        self._table = csv.writer(self._file)
        self._table.writerow(columns)

    def write(self, rows: NDArray[Any]) -> None:
        self._table.writerows(rows.reshape(len(rows), -1).tolist())

    def close(self) -> None:
        self._file.close()


@final
class _ParquetWriter(_Writer):
    """Writes a .parquet file, one row group per batch; rows are flattened."""

    def __init__(self, path: Path, rows: int, columns: tuple[str, ...]) -> None:
        del rows
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            message = "Writing .parquet needs pyarrow: pip install 'truecopy[parquet]'."
            raise MissingPackage(message) from error
        self._arrow, self._parquet = pa, parquet
        self._path, self._columns = path, columns
        self._file: Any = None

    def write(self, rows: NDArray[Any]) -> None:
        flat = rows.reshape(len(rows), -1)
        table = self._arrow.Table.from_arrays(list(flat.T), names=list(self._columns))
        if self._file is None:
            self._file = self._parquet.ParquetWriter(self._path, table.schema)
        self._file.write_table(table)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


_WRITERS: Final[dict[str, Callable[[Path, int, tuple[str, ...]], _Writer]]] = {
    ".npy": _NpyWriter,
    ".csv": _CsvWriter,
    ".parquet": _ParquetWriter,
}


def check_output(path: Path) -> None:
    """Refuse an output file that could not be written, before any work is done.

    Raises:
        InvalidArgument: The name doesn't end in .npy, .csv or .parquet.
        OutputFailed: Its folder doesn't exist or can't be written to.
    """
    if path.suffix.lower() not in _WRITERS:
        must_be = f"a file ending in {', '.join(_WRITERS)}"
        raise InvalidArgument("--out", "truecopy", must_be, got=str(path))
    folder = path.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK) or path.is_dir():
        message = f"Can't write {str(path)!r}: its folder must exist and be writable."
        raise OutputFailed(message)


def write_rows(
    path: Path, batches: Iterable[NDArray[Any]], *, rows: int, columns: tuple[str, ...]
) -> None:
    """Write batches to `path`, in place of what is there once all are written.

    Args:
        path: Ends in .npy, .csv or .parquet.
        batches: Arrays of shape (rows, ...) of one dtype.
        rows: How many rows there are in all.
        columns: A name per value of a row, for .csv and .parquet.

    Raises:
        InvalidArgument: The name has another ending.
        OutputFailed: The file can't be written; what was at `path` is intact.
    """
    with _replacing(path) as temporary:
        writer = _WRITERS[path.suffix.lower()](temporary, rows, columns)
        try:
            for batch in batches:
                writer.write(batch)
        finally:
            writer.close()


def write_frames(path: Path, tables: Iterator[Any]) -> int:
    """Write tables, one below the other, in place of what is at `path` once all are written.

    Words are written as they are: a cell that begins with = is a formula to a spreadsheet.

    Args:
        path: Ends in .csv or .parquet.
        tables: Of any library, with the same columns.

    Returns:
        How many rows were written.

    Raises:
        InvalidArgument: The name doesn't end in .csv or .parquet.
        MissingPackage: There are several tables, and pyarrow is not installed.
        OutputFailed: The file can't be written; what was at `path` is intact.
    """
    import narwhals as nw

    if path.suffix.lower() == ".npy":
        must_be = "a file ending in .csv or .parquet for a table of mixed columns"
        raise InvalidArgument("--out", "truecopy", must_be, got=str(path))
    frame = nw.from_native(next(tables), eager_only=True)
    rest = next(tables, None)
    with _replacing(path) as temporary:
        if rest is None:
            write = frame.write_csv if path.suffix.lower() == ".csv" else frame.write_parquet
            write(str(temporary))
            return len(frame)
        following = (nw.from_native(t, eager_only=True).to_arrow() for t in chain([rest], tables))
        return _write_arrow(temporary, path.suffix.lower(), frame.to_arrow(), following)


def _write_arrow(path: Path, ending: str, first: Any, following: Iterator[Any]) -> int:
    from pyarrow import csv, parquet

    open_writer = csv.CSVWriter if ending == ".csv" else parquet.ParquetWriter
    rows = 0
    with open_writer(str(path), first.schema) as writer:
        for table in chain([first], following):
            writer.write_table(table)
            rows += len(table)
    return rows


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file that takes the place of `path` when the block ends without error."""
    check_output(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except OSError as error:
        message = f"Can't write {str(path)!r}: {error.strerror or error}."
        raise OutputFailed(message) from error
    finally:
        temporary.unlink(missing_ok=True)
