"""Tables of numbers give their rows; what a table can do wrong is said exactly."""

import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from truecopy.data import spooling
from truecopy.data.sources import open_source
from truecopy.errors import (
    BrokenData,
    EmptyData,
    MissingPackage,
    RaggedData,
    UnsupportedData,
)

ROWS = np.arange(7 * 3, dtype=np.float64).reshape(7, 3)
TABLE = pa.table({name: ROWS[:, i] for i, name in enumerate("abc")})


def write_csv(path):
    np.savetxt(path, ROWS, delimiter=",", header="a,b,c", comments="")


# Row groups of 2: batches must not depend on them.
WRITERS = {
    "rows.csv": write_csv,
    "rows.parquet": lambda path: parquet.write_table(TABLE, path, row_group_size=2),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    for name, write in WRITERS.items():
        write(folder / name)
    return folder


@pytest.mark.parametrize("name", WRITERS)
@given(size=st.integers(1, 9))
@settings(max_examples=9, deadline=None)
def test_any_batch_size_gives_the_rows_of_the_file_in_order(folder, name, size):
    source = open_source(folder / name)

    passes = [list(source.batches(size)) for _ in range(2)]

    for batches in passes:
        assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)
        np.testing.assert_array_equal(np.concatenate(batches), ROWS)
    np.testing.assert_array_equal(source.array(), ROWS)
    assert (source.rows, source.shape, source.dtype) == (7, (3,), np.float64)
    assert source.name == str(folder / name)


@pytest.mark.parametrize("name", WRITERS)
def test_tables_that_fit_into_memory_are_loaded(folder, name):
    assert not isinstance(open_source(folder / name).array(), np.memmap)


@pytest.mark.parametrize("name", WRITERS)
def test_files_that_do_not_fit_into_memory_are_spooled_once(folder, name, monkeypatch):
    monkeypatch.setattr(spooling, "MEMORY_SHARE", 0)
    monkeypatch.setattr(spooling, "PIECE", 50)

    source = open_source(folder / name)

    assert source.array() is source.array()
    assert isinstance(source.array(), np.memmap)
    np.testing.assert_array_equal(source.array(), ROWS)


def test_a_csv_file_may_have_a_header_a_mark_and_holes(here):
    (here / "a.csv").write_bytes(b'\xef\xbb\xbfage, "height, m"\r\n1,2.5\r\n\r\n ,-1e3\r\n')
    (here / "b.csv").write_bytes(b"1,2\n3,4")

    named, bare = open_source("a.csv"), open_source("b.csv")

    assert named.columns == ("age", "height, m")
    np.testing.assert_array_equal(named.array(), [[1, 2.5], [np.nan, -1000]])
    assert bare.columns is None
    np.testing.assert_array_equal(bare.array(), [[1, 2], [3, 4]])


def test_rows_of_a_csv_file_are_counted_by_the_first_pass(folder):
    source = open_source(folder / "rows.csv")

    before = source.rows
    list(source.batches(2))

    assert (before, source.rows) == (None, 7)


TEXT = (
    "is not a number. Separate numbers by commas, leave missing cells empty, and encode or drop "
    "text columns."
)
CSV_ERRORS = {
    b"a,b\n1,2\n3,n/a\n": (UnsupportedData, f", row 1 (line 3), column 1 'b': 'n/a' {TEXT}"),
    b"1,a\n3,4\n": (UnsupportedData, f", row 0 (line 1), column 1: 'a' {TEXT}"),
    b"a;b\n1;2\n": (UnsupportedData, f", row 0 (line 2), column 0 'a;b': '1;2' {TEXT}"),
    b"a\n=1+1\n": (UnsupportedData, f", row 0 (line 2), column 0 'a': '=1+1' {TEXT}"),
    b"a,b\n1,2\n3\n": (RaggedData, ", row 1 (line 3) has 1 fields, but line 1 has 2."),
    b'a,b\n1,"2\n': (BrokenData, ", line 2: unexpected end of data."),
    b"a,\xe9\n1,2\n": (BrokenData, " is not UTF-8 (byte 0xe9). Save it as UTF-8."),
    b"\xff\xfea\x00": (BrokenData, " is not UTF-8 (byte 0xff). Save it as UTF-8."),
    b"": (EmptyData, " has no rows."),
    b"a,b\n": (EmptyData, " has no rows."),
}


@pytest.mark.parametrize("content", CSV_ERRORS)
def test_what_is_wrong_in_a_csv_file_is_located(here, content, refuses):
    (here / "t.csv").write_bytes(content)
    error, message = CSV_ERRORS[content]

    refuses(error, "t.csv", f"'t.csv'{message}")


@pytest.mark.usefixtures("here")
def test_a_parquet_file_gives_float64_with_nan_for_null():
    columns = {"a": pa.array([1, None]), "b": [True, False], "c": pa.array([1, 2], pa.float16())}
    parquet.write_table(pa.table(columns), "t.parquet")

    source = open_source("t.parquet")

    assert (source.rows, source.columns, source.dtype) == (2, ("a", "b", "c"), np.float64)
    np.testing.assert_array_equal(source.array(), [[1, 1, 1], [np.nan, 0, 2]])


def test_what_is_wrong_in_a_parquet_file_is_named(here, refuses):
    parquet.write_table(pa.table({"a": ["x"], "b": [1]}), "text.parquet")
    parquet.write_table(pa.table({"id": [2**53 + 1]}), "wide.parquet")
    parquet.write_table(TABLE[:0], "empty.parquet")
    parquet.write_table(TABLE, "whole.parquet")
    (here / "cut.parquet").write_bytes((here / "whole.parquet").read_bytes()[:-20])

    refuses(
        UnsupportedData,
        "text.parquet",
        "'text.parquet' has columns that are not numbers: 'a' (string). Encode or drop them.",
    )
    refuses(EmptyData, "empty.parquet", "'empty.parquet' has shape (0, 3): it has no rows.")
    with pytest.raises(UnsupportedData, match=r"^'wide\.parquet', column 'id': float64 can't hold"):
        list(open_source("wide.parquet").batches())
    with pytest.raises(BrokenData, match=r"^'cut\.parquet' is not a whole \.parquet file: "):
        open_source("cut.parquet")


def test_without_pyarrow_a_parquet_file_says_what_to_install(here, monkeypatch, refuses):
    (here / "t.parquet").touch()
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    refuses(
        MissingPackage,
        "t.parquet",
        "Reading 't.parquet' needs pyarrow: pip install 'truecopy[parquet]'",
    )


def test_a_table_in_memory_gives_rows_and_column_names():
    whole, holes = (
        open_source(
            pa.table({"a": pa.array(values, pa.uint8()), "b": pa.array([1, 2], pa.uint8())})
        )
        for values in ([3, 4], [3, None])
    )

    assert whole.columns == ("a", "b")
    assert whole.dtype == np.uint8
    assert holes.dtype == np.float64
    np.testing.assert_array_equal(whole.array(), [[3, 1], [4, 2]])
    np.testing.assert_array_equal(holes.array(), [[3, 1], [np.nan, 2]])


def test_columns_of_a_table_that_are_no_numbers_are_named(refuses):
    refuses(
        UnsupportedData,
        pa.table({"a": ["x"], "b": [1]}),
        "The table has columns that are not numbers: 'a' (String). Encode or drop them.",
    )
    refuses(
        EmptyData,
        pa.table({"a": pa.array([], pa.int8())}),
        "The array has shape (0, 1): it has no rows.",
    )


def test_names_are_escaped_for_the_terminal(here, refuses):
    (here / "a\n\x1b[31m\u202e.csv").touch()

    refuses(EmptyData, "a\n\x1b[31m\u202e.csv", r"'a\n\x1b[31m\u202e.csv' has no rows.")
