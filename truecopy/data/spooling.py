"""Rows kept for random access: in memory where they fit, else in a temporary memory map.

Nothing downstream asks where its rows are: a memory map without a name reads like an array,
and goes with the last array that uses it. Chunks of any length are cut into batches here, too.
"""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from truecopy.errors import EmptyData, OutputFailed

# Loading takes twice the bytes for a moment (the pieces, then the whole), and a fit needs
# as much again: a quarter of what is free leaves room for both.
MEMORY_SHARE = 0.25
# And never more than this: beyond, a memory map costs little, as the system keeps in memory what
# it can of it, and the process stays small wherever it runs.
MEMORY_MOST = 1 << 27
# Where the system doesn't say, this much is taken to be free: any laptop has as much.
MEMORY_UNKNOWN = 1 << 31
# What a temporary file leaves free: an endless iterator must not fill the user's disk.
DISK_RESERVE = 1 << 30
# Rows are read ahead in pieces of about this many bytes, whatever the size of one row.
PIECE = 1 << 24


def count_piece(row_bytes: int) -> int:
    """Count the rows of `row_bytes` each that are read ahead at a time."""
    return max(1, PIECE // row_bytes)


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
    limit = min(MEMORY_SHARE * measure_free_memory(), MEMORY_MOST)
    held: list[NDArray[Any]] = []
    for chunk in chunks:
        held.append(chunk)
        limit -= chunk.nbytes
        if limit < 0:
            return _spool(chain(_hand_over(held), chunks), what)
    if not held:
        raise EmptyData(f"{what} has no rows.")
    array = np.concatenate(held)
    array.flags.writeable = False
    return array


def _hand_over(held: list[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """Give the chunks, keeping none that was given."""
    held.reverse()
    while held:
        yield held.pop()


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


def measure_free_memory(
    *, system: Path = Path("/proc/meminfo"), group: Path = Path("/sys/fs/cgroup")
) -> int:
    """Measure how many bytes this process can take, in the system and in its container.

    Args:
        system: Where Linux says what the machine can give.
        group: Where Linux says what a container may take and has taken.

    Returns:
        The smaller of both; 2 GiB where neither is known.
    """
    known = [_read_system(system), _read_group(group)]
    return min((free for free in known if free is not None), default=MEMORY_UNKNOWN)


def _read_system(file: Path) -> int | None:
    """Read how many bytes the machine can give; None where it doesn't say."""
    try:
        lines = file.read_text("ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAv"))
    except (OSError, ValueError, IndexError, StopIteration):
        return None


def _read_group(folder: Path) -> int | None:
    """Read how many bytes the container leaves; None where it has no limit or isn't one."""
    try:
        limit = int((folder / "memory.max").read_text("ascii"))  # the word "max" is no limit
        return limit - int((folder / "memory.current").read_text("ascii"))
    except (OSError, ValueError):
        return None
