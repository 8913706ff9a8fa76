"""Rows in files and tables: .npy, .npz, .csv, .parquet, and data frames in memory.

Nothing here runs code from a file or trusts what its header promises: a header is read
first, checked against what the file really holds, and only then are rows read.
"""

import csv
import lzma
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from truecopy.data.sources import (
    KINDS,
    PIECE,
    ArraySource,
    Source,
    check_rows,
    gather,
    suggest,
)
from truecopy.errors import (
    BrokenData,
    DataNotFound,
    EmptyData,
    MissingPackage,
    RaggedData,
    TruecopyError,
    UnknownName,
    UnsafeData,
    UnsupportedData,
)

PICKLES = {".pkl", ".pickle", ".joblib", ".pt", ".pth"}
# A compressed array may be this many times larger than its archive (MNIST: 5 times), and
# this large in any case. What is beyond is a bomb, or better saved uncompressed.
UNPACKED_RATIO = 100
UNPACKED_ALWAYS = 1 << 26

_Header = tuple[tuple[int, ...], bool, np.dtype[Any]]  # shape, Fortran order, dtype


def open_file(path: str, *, owner: str) -> Source:
    """Open a file by its extension.

    Args:
        path: What the user typed; `file.npz:key` names one array of an archive.
        owner: Who asks, for error messages.

    Returns:
        The rows as a `Source`.

    Raises:
        DataError: The file is missing, empty, broken, unsafe or of no known kind.
        UnknownName: There is no such file, and it may be a misspelt word.
        MissingPackage: A .parquet file is given and pyarrow is not installed.
    """
    file, key = path, ""
    # os.path.exists, unlike Path.exists, is False for a name that the system can't take.
    if not os.path.exists(path) and ".npz:" in path:  # noqa: PTH110
        stem, _, key = path.rpartition(".npz:")
        file = f"{stem}.npz"
    if not os.path.exists(file):  # noqa: PTH110
        raise _say_missing(file, owner)
    suffix = Path(file).suffix.lower()
    if not Path(file).is_file():
        raise UnsupportedData(f"{file!r} is neither a regular file nor a folder.")
    if suffix in PICKLES:
        raise UnsafeData(f"{file!r} is a pickle: loading one can run any code. Save it as .npy.")
    openers: dict[str, Callable[[str], Source]] = {
        ".npy": open_npy,
        ".npz": lambda file: open_npz(file, key=key),
        ".csv": CsvSource,
        ".parquet": ParquetSource,
    }
    if suffix not in openers:
        raise UnsupportedData(
            f"{file!r} has the extension {suffix!r}. Give a .npy, .npz, .csv or .parquet file, "
            "or a folder of images."
        )
    with _reading(file):
        return openers[suffix](file)


def _say_missing(file: str, owner: str) -> Exception:
    """Word the error for a file that isn't there, with the nearest name that is."""
    path = Path(file)
    if path.name == file and not path.suffix:
        return UnknownName("data", owner, KINDS, got=file)
    try:
        hint = suggest(path.name, [entry.name for entry in path.parent.iterdir()])
    except (OSError, ValueError):
        hint = f" Its folder {str(path.parent)!r} does not exist or can't be read."
    return DataNotFound(f"There is no file or folder {file!r}.{hint}")


@contextmanager
def _reading(file: str) -> Iterator[None]:
    """Turn what the system and the decoders raise about `file` into BrokenData."""
    try:
        yield
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise BrokenData(f"{file!r} is not UTF-8 (byte 0x{byte:02x}). Save it as UTF-8.") from error
    except zipfile.BadZipFile as error:
        raise BrokenData(f"{file!r} is not a whole .npz (zip) file: {error}.") from error
    except TruecopyError:  # some are an OSError, too
        raise
    except (zlib.error, lzma.LZMAError, EOFError, RuntimeError) as error:
        raise BrokenData(f"{file!r} can't be unpacked: {error}.") from error
    except OSError as error:
        raise BrokenData(f"{file!r} can't be read: {error.strerror or error}.") from error


def open_npy(file: str) -> Source:
    """Map the rows of a .npy file; nothing is read before it is used."""
    with Path(file).open("rb") as stream:
        length = Path(file).stat().st_size
        shape, _, dtype = _read_header(stream, repr(file), length)
        check_rows(dtype, shape, repr(file))
        stream.seek(0)
        array = _map_array(repr(file), stream, length)
    return ArraySource(array, name=file)


def open_npz(file: str, *, key: str) -> Source:
    """Open one array of an .npz file; with a key x*, its y* of as many labels as well."""
    with zipfile.ZipFile(file) as archive:
        members = {n.removesuffix(".npy"): n for n in archive.namelist() if n.endswith(".npy")}
        name = f"{file}:{key}" if key else file
        key = _choose_key(file, list(members), key)
        shape, _, dtype = _peek(archive, members[key], repr(name))
        check_rows(dtype, shape, repr(name))
        rows = _read_member(archive, members[key], file)
        labels = None
        for partner in (f"y{key[1:]}", f"Y{key[1:]}"):
            if key[0] in "xX" and partner in members:
                shape, _, dtype = _peek(archive, members[partner], repr(f"{file}:{partner}"))
                if shape == rows.shape[:1] and dtype.kind in "biu":
                    labels = _read_member(archive, members[partner], file)
        return ArraySource(rows, name=name, labels=labels)


def _choose_key(file: str, keys: list[str], key: str) -> str:
    """Give the key asked for, or the only one there is."""
    if not keys:
        raise EmptyData(f"{file!r} holds no arrays.")
    has = f"{file!r} has the arrays {', '.join(map(repr, keys))}"
    if key and key not in keys:
        raise DataNotFound(f"{has}, and no {key!r}.{suggest(key, keys)}")
    if not key and len(keys) > 1:
        raise UnsupportedData(f"{has}. Say which, as {f'{file}:{keys[0]}'!r}.")
    return key or keys[0]


def _peek(archive: zipfile.ZipFile, name: str, what: str) -> _Header:
    """Read only the header of an array of an archive."""
    with archive.open(name) as stream:
        return _read_header(stream, what, archive.getinfo(name).file_size)


def _read_member(archive: zipfile.ZipFile, name: str, file: str) -> NDArray[Any]:
    """Map an array of an archive where it isn't compressed; else unpack it, under a cap."""
    member, what = archive.getinfo(name), repr(f"{file}:{name.removesuffix('.npy')}")
    size = Path(file).stat().st_size
    with archive.open(member) as packed:
        if member.compress_type == zipfile.ZIP_STORED:
            with Path(file).open("rb") as stream:
                stream.seek(member.header_offset)
                stream.seek(sum(struct.unpack("<26x2H", stream.read(30))), os.SEEK_CUR)
                return _map_array(what, stream, min(member.file_size, size - stream.tell()))
        if member.file_size > max(UNPACKED_ALWAYS, UNPACKED_RATIO * size):
            raise UnsupportedData(
                f"{what} would unpack to {member.file_size} bytes, more than {UNPACKED_RATIO} "
                f"times the {size} bytes of its file. If it is no bomb, save it with numpy.save."
            )
        shape, fortran, dtype = _read_header(packed, what, member.file_size)
        # In Fortran order the bytes are those of the transposed array.
        array = gather(_read_rows(packed, shape[::-1] if fortran else shape, dtype), what)
        return array.T if fortran else array


def _read_rows(
    stream: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Iterator[NDArray[Any]]:
    """Read rows in pieces of bounded size; the length has been checked."""
    row = np.dtype((dtype, shape[1:]))
    step = max(1, PIECE // row.itemsize)
    for start in range(0, shape[0], step):
        rows = min(step, shape[0] - start)
        yield np.frombuffer(stream.read(rows * row.itemsize), row)
    stream.read(1)  # only at its end does zipfile compare the checksum


def _map_array(what: str, stream: IO[bytes], length: int) -> NDArray[Any]:
    """Map the .npy data that take `length` bytes of an open file from here on."""
    shape, fortran, dtype = _read_header(stream, what, length)
    order: Any = "F" if fortran else "C"
    return np.memmap(stream, dtype, mode="r", offset=stream.tell(), shape=shape, order=order)


def _read_header(stream: IO[bytes], what: str, length: int) -> _Header:
    """Read shape, Fortran order and dtype of the .npy data in the next `length` bytes.

    Raises:
        BrokenData: This is no .npy header, or it promises more bytes than there are.
    """
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    start = stream.tell()
    try:
        shape, fortran, dtype = readers[npy.read_magic(stream)](stream)
    except Exception as error:  # NumPy's parser raises what Python's does, and more
        raise BrokenData(f"{what} does not start as .npy data do: {error}") from error
    # Python's integers: NumPy's would overflow at what a shape bomb claims.
    promised, follow = math.prod(shape) * dtype.itemsize, length - (stream.tell() - start)
    if any(axis < 0 for axis in shape) or (promised > follow and not dtype.hasobject):
        raise BrokenData(
            f"{what} is incomplete: its header promises {promised} bytes of shape {shape}, but "
            f"{follow} follow."
        )
    return shape, fortran, dtype


@final
class CsvSource(Source):
    """The rows of a .csv file of numbers, read line by line.

    The first line is a header when none of its cells is a number. Empty cells are NaN,
    blank lines are skipped, anything else that is not a number is refused.
    """

    dtype = np.dtype(np.float64)

    def __init__(self, file: str) -> None:
        self.name = file
        lines = self._read_lines()
        _, first = next(lines, (0, []))
        self._header = any(first) and not any(_is_number(cell) for cell in first)
        if not first or (self._header and next(lines, None) is None):
            raise EmptyData(f"{file!r} has no rows.")
        self.shape = (len(first),)
        if self._header:
            self.columns = tuple(first)

    def chunks(self, size: int) -> Iterator[NDArray[Any]]:
        """Read the rows in pieces of `size`."""
        lines = self._read_lines()
        if self._header:
            next(lines)
        block: list[NDArray[Any]] = []
        for row, (line, cells) in enumerate(lines):
            block.append(self._convert(cells, row, line))
            if len(block) == size:
                yield np.stack(block)
                block = []
        if block:
            yield np.stack(block)

    def _read_lines(self) -> Iterator[tuple[int, list[str]]]:
        """Read the number and the cells of each line that is not blank."""
        with (
            _reading(self.name),
            Path(self.name).open(encoding="utf-8-sig", newline="") as stream,
        ):
            lines = csv.reader(stream, skipinitialspace=True, strict=True)
            try:
                yield from ((lines.line_num, cells) for cells in lines if cells)
            except csv.Error as error:
                raise BrokenData(f"{self.name!r}, line {lines.line_num}: {error}.") from error

    def _convert(self, cells: list[str], row: int, line: int) -> NDArray[Any]:
        """Turn the cells of one line into numbers."""
        where = f"{self.name!r}, row {row} (line {line})"
        if len(cells) != self.shape[0]:
            raise RaggedData(f"{where} has {len(cells)} fields, but line 1 has {self.shape[0]}.")
        try:
            return np.array([float(cell or "nan") for cell in cells])
        except ValueError as error:
            column = next(n for n, cell in enumerate(cells) if cell and not _is_number(cell))
            name = f" {self.columns[column]!r}" if self.columns else ""
            raise UnsupportedData(
                f"{where}, column {column}{name}: {cells[column][:40]!r} is not a number. Separate "
                "numbers by commas, leave missing cells empty, and encode or drop text columns."
            ) from error


def _is_number(cell: str) -> bool:
    """Tell whether Python reads the cell as a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


@final
class ParquetSource(Source):
    """The rows of a .parquet file of numbers, read row group by row group; nulls are NaN."""

    dtype = np.dtype(np.float64)

    def __init__(self, file: str) -> None:
        self.name = file
        with self._open() as table:
            self.rows, schema = table.metadata.num_rows, table.schema_arrow
        self.columns, self.shape = tuple(schema.names), (len(schema.names),)
        from pyarrow import types

        numeric = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal)
        _refuse_text(
            repr(file),
            {f.name: f.type for f in schema if not any(test(f.type) for test in numeric)},
        )
        check_rows(self.dtype, (self.rows, *self.shape), repr(file))

    def chunks(self, size: int) -> Iterator[NDArray[Any]]:
        """Read the rows in pieces of at most `size`."""
        from pyarrow import ArrowInvalid, float64

        with self._open() as table:
            for batch in table.iter_batches(batch_size=size):
                rows = np.empty((batch.num_rows, *self.shape))
                for number, column in enumerate(batch.columns):
                    try:
                        rows[:, number] = column.cast(float64()).to_numpy(zero_copy_only=False)
                    except ArrowInvalid as error:
                        name = batch.schema.names[number]
                        raise UnsupportedData(
                            f"{self.name!r}, column {name!r}: float64 can't hold it: {error}."
                        ) from error
                yield rows

    @contextmanager
    def _open(self) -> Iterator[Any]:
        """Open the file, and turn what pyarrow raises into our own errors."""
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise MissingPackage(
                f"Reading {self.name!r} needs pyarrow: pip install 'truecopy[parquet]'"
            ) from error
        try:
            with _reading(self.name), parquet.ParquetFile(self.name) as table:
                yield table
        except pa.ArrowException as error:
            raise BrokenData(f"{self.name!r} is not a whole .parquet file: {error}") from error


def open_frame(data: Any) -> Source | None:
    """Take the rows of a data frame of any library that narwhals knows; None for all else."""
    import narwhals as nw

    try:
        frame = nw.from_native(data, pass_through=True)
    except nw.exceptions.NarwhalsError as error:  # say two columns of one name
        raise UnsupportedData(f"The table can't be used: {error}") from error
    if isinstance(frame, nw.LazyFrame):
        raise UnsupportedData("The table is lazy. Give its rows: table.collect().")
    if not isinstance(frame, nw.DataFrame):
        return None
    kinds = {str(name): dtype for name, dtype in frame.schema.items()}
    numeric = {name for name, kind in kinds.items() if kind.is_integer() or kind.is_float()}
    _refuse_text(
        "The table",
        {n: kind for n, kind in kinds.items() if n not in numeric and kind != nw.Boolean},
    )
    columns = []
    for series in frame.iter_columns():
        # Integers and booleans have no NaN for what is missing.
        holes = series.null_count() and not series.dtype.is_float()
        columns.append((series.cast(nw.Float64) if holes else series).to_numpy())
    rows = np.column_stack(columns) if columns else np.empty((len(frame), 0))
    return ArraySource(rows, columns=tuple(kinds))


def _refuse_text(what: str, columns: dict[str, Any]) -> None:
    """Name the columns that do not hold numbers."""
    if columns:
        listed = ", ".join(f"{name!r} ({kind})" for name, kind in columns.items())
        raise UnsupportedData(
            f"{what} has columns that are not numbers: {listed}. Encode or drop them."
        )
