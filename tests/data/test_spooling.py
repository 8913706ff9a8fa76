"""Rows fit or are spooled; what is free is what the machine and its container both give."""

import itertools
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truecopy.data import spooling
from truecopy.data.sources import open_source
from truecopy.errors import OutputFailed

ROWS = np.arange(7 * 2 * 3, dtype=np.float32).reshape(7, 2, 3)
GIB = 1 << 30
SYSTEM = f"MemTotal: {16 * GIB // 1024} kB\nMemAvailable: {8 * GIB // 1024} kB\n"


@pytest.fixture
def measure(tmp_path):
    """Measure what is free where the system's files hold these texts; None is no file."""

    def check(system, limit, taken):
        texts = {"meminfo": system, "memory.max": limit, "memory.current": taken}
        for name, text in texts.items():
            if text is not None:
                (tmp_path / name).write_text(text, "utf-8")
        return spooling.measure_free_memory(system=tmp_path / "meminfo", group=tmp_path)

    return check


@given(cuts=st.lists(st.integers(0, 7), max_size=5), size=st.integers(1, 8))
@settings(deadline=None)
def test_batches_do_not_depend_on_how_the_chunks_were_cut(cuts, size):
    chunks = np.split(ROWS, sorted(cuts))

    batches = list(spooling.cut_batches(chunks, size))

    np.testing.assert_array_equal(np.concatenate(batches), ROWS)
    assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)


def test_what_does_not_fit_into_memory_goes_to_a_file_without_a_name(tmp_path, monkeypatch):
    monkeypatch.setattr(spooling, "MEMORY_SHARE", 0)
    monkeypatch.setattr(spooling.tempfile, "tempdir", str(tmp_path))
    source = open_source(iter(np.split(ROWS, [2, 3])))

    array = source.array()

    assert isinstance(array, np.memmap)
    assert not array.flags.writeable
    assert os.listdir(tmp_path) == []  # noqa: PTH208
    np.testing.assert_array_equal(np.concatenate(list(source.batches(2))), ROWS)


def test_an_endless_iterator_does_not_fill_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(spooling, "MEMORY_SHARE", 0)
    monkeypatch.setattr(spooling, "DISK_RESERVE", 1 << 62)
    monkeypatch.setattr(spooling.tempfile, "tempdir", str(tmp_path))

    with pytest.raises(OutputFailed) as error:
        open_source(itertools.repeat(ROWS)).batches()

    assert str(error.value) == (
        f"The array doesn't fit into memory, and {str(tmp_path)!r} has no room for row 7 and "
        "further ones. Is it endless? Set TMPDIR to a folder on a larger disk."
    )


def test_memory_that_can_be_taken_is_measured():
    assert spooling.measure_free_memory() > 1 << 20


@pytest.mark.parametrize(
    ("limit", "taken", "free"), [(6 * GIB, GIB, 5 * GIB), (32 * GIB, GIB, 8 * GIB)]
)
def test_the_smaller_of_machine_and_container_counts(measure, limit, taken, free):
    assert measure(SYSTEM, f"{limit}\n", f"{taken}\n") == free


@pytest.mark.parametrize(
    ("limit", "taken"),
    [("max\n", f"{GIB}\n"), (None, None), (None, f"{GIB}\n"), (f"{6 * GIB}\n", None), ("", "")],
)
def test_a_container_without_a_limit_leaves_what_the_machine_has(measure, limit, taken):
    assert measure(SYSTEM, limit, taken) == 8 * GIB


@pytest.mark.parametrize("system", [None, "", "MemTotal: 5 kB\n", "MemAvailable:\n", "\u753b"])
def test_a_machine_that_says_nothing_leaves_what_the_container_has(measure, system):
    assert measure(system, f"{6 * GIB}\n", f"{GIB}\n") == 5 * GIB


@pytest.mark.parametrize("limit", [None, "max\n"])
def test_where_nothing_can_be_read_2_gib_are_taken_to_be_free(measure, limit):
    assert measure(None, limit, None) == 2 * GIB


@pytest.mark.parametrize(("row_bytes", "rows"), [(1, 1 << 24), (1 << 20, 16), (1 << 25, 1)])
def test_a_piece_has_16_mib_or_one_row(row_bytes, rows):
    assert spooling.count_piece(row_bytes) == rows
