"""Rows in .npy and .npz files: mapped where they can be, unpacked where they are compressed.

Nothing here runs code from a file or trusts what its header promises: a header is read
first, checked against what the file really holds, and only then are rows read.
"""

import math
import os
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from truecopy.data.source import ArraySource, Source, check_rows
from truecopy.data.spooling import count_piece, gather
from truecopy.errors import BrokenData, DataNotFound, EmptyData, UnsupportedData, suggest

# A compressed array may be this many times larger than its archive (MNIST: 5 times), and
# this large in any case. What is beyond is a bomb, or better saved uncompressed.
UNPACKED_RATIO = 100
UNPACKED_ALWAYS = 1 << 26

_Header = tuple[tuple[int, ...], bool, np.dtype[Any]]  # shape, Fortran order, dtype


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
    step = count_piece(row.itemsize)
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
