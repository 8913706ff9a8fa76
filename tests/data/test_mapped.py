"""A memory map read to its end leaves nothing in memory, and nothing is lost."""

from pathlib import Path

import numpy as np
import pytest

from truecopy.data import mapped
from truecopy.data.mapped import Reader, read_pieces

MEGABYTE = 1 << 20


def resident(path):
    """Kilobytes of the mapped file that count as this process' memory."""
    lines = Path("/proc/self/smaps").read_text().split("\n")
    start = next(number for number, line in enumerate(lines) if line.endswith(str(path)))
    return int(next(line for line in lines[start:] if line.startswith("Rss:")).split()[1])


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "rows.bin"
    file.write_bytes(np.arange(64 * MEGABYTE // 8).tobytes())
    return file


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux tells")
def test_at_most_one_piece_of_a_map_is_in_memory(path):
    rows = np.memmap(path, np.int64, "r", shape=(64 * 1024, 128))

    most = 0
    for piece in read_pieces(rows, 1000):
        piece.sum()
        most = max(most, resident(path))

    assert resident(path) == 0
    # A piece is 16 MiB, and the system may read a little ahead.
    assert 15 * 1024 < most < 24 * 1024


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_pieces_are_all_rows_also_where_the_map_was_changed(path, mode):
    rows = np.memmap(path, np.int64, mode, shape=(64 * 1024, 128))
    if mode != "r":
        rows[70] = -1
    expected = np.array(rows)

    for _ in range(2):
        np.testing.assert_array_equal(np.concatenate(list(read_pieces(rows, 1000))), expected)


def test_an_array_is_one_piece():
    rows = np.arange(12).reshape(4, 3)

    assert [piece.base is rows or piece is rows for piece in read_pieces(rows, 2)] == [True]


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux tells")
def test_rows_picked_from_all_over_a_map_do_not_stay_in_memory(path, monkeypatch):
    monkeypatch.setattr(mapped, "_KEPT", 4 * MEGABYTE)
    rows = np.memmap(path, np.int64, "r", shape=(64 * 1024, 128))
    chosen = np.random.default_rng(0).permutation(64 * 1024)[:1000]

    picked = Reader(rows)[chosen]

    np.testing.assert_array_equal(picked[:, 0], chosen * 128)
    # Two rows at most stay, each with what the system maps around it.
    assert resident(path) <= 4 * 1024
