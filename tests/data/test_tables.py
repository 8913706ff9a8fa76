"""Files and tables of numbers give their rows; what a file can do wrong is said exactly."""

import io
import pickle
import re
import sys
import zipfile

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from truecopy.data import sources, tables
from truecopy.data.sources import open_source
from truecopy.errors import (
    BrokenData,
    DataNotFound,
    EmptyData,
    MissingPackage,
    RaggedData,
    TruecopyError,
    UnsafeData,
    UnsupportedData,
)

ROWS = np.arange(7 * 3, dtype=np.float64).reshape(7, 3)
TABLE = pa.table({name: ROWS[:, i] for i, name in enumerate("abc")})


class Bomb:
    """Unpickling it ends the tests."""

    def __reduce__(self):
        return sys.exit, ("a pickle was loaded",)


def write_csv(path):
    np.savetxt(path, ROWS, delimiter=",", header="a,b,c", comments="")


# Row groups of 2: batches must not depend on them.
WRITERS = {
    "rows.npy": lambda path: np.save(path, ROWS),
    "fortran.npy": lambda path: np.save(path, np.asfortranarray(ROWS)),
    "stored.npz": lambda path: np.savez(path, x=ROWS),
    "packed.npz": lambda path: np.savez_compressed(path, x=ROWS),
    "fortran.npz": lambda path: np.savez_compressed(path, x=np.asfortranarray(ROWS)),
    "rows.csv": write_csv,
    "rows.parquet": lambda path: parquet.write_table(TABLE, path, row_group_size=2),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    for name, write in WRITERS.items():
        write(folder / name)
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refuses(error, data, message):
    """Check the whole message, wherever in opening or reading it comes."""
    with pytest.raises(error, match=f"^{re.escape(message)}$") as caught:
        list(open_source(data).batches())
    assert isinstance(caught.value, TruecopyError)


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


def test_arrays_in_files_are_mapped_where_they_are_not_compressed(folder):
    mapped = {name: isinstance(open_source(folder / name).array(), np.memmap) for name in WRITERS}

    assert [name for name, is_mapped in mapped.items() if is_mapped] == [
        "rows.npy",
        "fortran.npy",
        "stored.npz",
    ]


@pytest.mark.parametrize("name", ["packed.npz", "fortran.npz", "rows.csv", "rows.parquet"])
def test_files_that_do_not_fit_into_memory_are_spooled_once(folder, name, monkeypatch):
    monkeypatch.setattr(sources, "MEMORY_SHARE", 0)
    monkeypatch.setattr(sources, "PIECE", 50)
    monkeypatch.setattr(tables, "PIECE", 50)

    source = open_source(folder / name)

    assert source.array() is source.array()
    assert isinstance(source.array(), np.memmap)
    np.testing.assert_array_equal(source.array(), ROWS)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_key_names_one_array_and_brings_its_labels(save):
    save("data.npz", x_train=ROWS, y_train=np.arange(7), x_test=ROWS[:2], y_test=np.arange(3))

    train, test = open_source("data.npz:x_train"), open_source("data.npz:x_test")

    assert (train.name, train.rows) == ("data.npz:x_train", 7)
    assert train.labels.tolist() == list(range(7))
    assert test.labels is None


@pytest.mark.usefixtures("here")
def test_labels_that_are_no_numbers_are_left_alone():
    np.savez("data.npz", X=ROWS, y=np.array([{}] * 7, object))

    assert open_source("data.npz:X").labels is None


@pytest.mark.usefixtures("here")
def test_the_arrays_to_choose_from_are_listed():
    np.savez("data.npz", x_train=ROWS, x_test=ROWS)
    zipfile.ZipFile("none.npz", "w").close()

    refuses(
        UnsupportedData,
        "data.npz",
        "'data.npz' has the arrays 'x_train', 'x_test'. Say which, as 'data.npz:x_train'.",
    )
    refuses(
        DataNotFound,
        "data.npz:x_trian",
        "'data.npz' has the arrays 'x_train', 'x_test', and no 'x_trian'. Did you mean 'x_train'?",
    )
    refuses(EmptyData, "none.npz", "'none.npz' holds no arrays.")


@pytest.mark.usefixtures("here")
def test_pickles_are_refused_and_never_run():
    bomb = np.array([[Bomb()]], object)
    np.save("objects.npy", bomb, allow_pickle=True)
    np.savez("objects.npz", x=bomb)
    for name in ("model.pkl", "model.joblib"):
        with open(name, "wb") as stream:  # noqa: PTH123
            pickle.dump([1], stream)
    with open("renamed.npy", "wb") as stream:  # noqa: PTH123
        pickle.dump([1], stream)

    objects = (
        " holds Python objects, which are never loaded or guessed at. Convert it to one array of "
        "numbers, say with .astype(float)."
    )
    pickled = " is a pickle: loading one can run any code. Save it as .npy."
    refuses(UnsafeData, "objects.npy", f"'objects.npy'{objects}")
    refuses(UnsafeData, "objects.npz", f"'objects.npz'{objects}")
    refuses(UnsafeData, "model.pkl", f"'model.pkl'{pickled}")
    refuses(UnsafeData, "model.joblib", f"'model.joblib'{pickled}")
    with pytest.raises(BrokenData, match=r"^'renamed\.npy' does not start as \.npy data do: "):
        open_source("renamed.npy")


def test_truncated_arrays_are_refused(here):
    np.save("rows.npy", ROWS)
    whole = (here / "rows.npy").read_bytes()
    (here / "cut.npy").write_bytes(whole[:-8])
    (here / "empty.npy").touch()
    np.savez_compressed("rows.npz", x=ROWS)
    (here / "cut.npz").write_bytes((here / "rows.npz").read_bytes()[:-9])

    refuses(
        BrokenData,
        "cut.npy",
        "'cut.npy' is incomplete: its header promises 168 bytes of shape (7, 3), but 160 follow.",
    )
    refuses(
        BrokenData, "cut.npz", "'cut.npz' is not a whole .npz (zip) file: File is not a zip file."
    )
    with pytest.raises(BrokenData, match=r"^'empty\.npy' does not start as \.npy data do: "):
        open_source("empty.npy")


@given(position=st.integers(0, 400), flip=st.integers(1, 255))
@settings(max_examples=150, deadline=None)
def test_a_damaged_archive_is_refused_or_read_in_full(tmp_path_factory, position, flip):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=ROWS)
    damaged = bytearray(buffer.getvalue())
    damaged[position % len(damaged)] ^= flip
    path = tmp_path_factory.mktemp("damaged") / "rows.npz"
    path.write_bytes(damaged)

    try:
        rows = open_source(path).array()
    except TruecopyError:
        return
    np.testing.assert_array_equal(rows, ROWS)


def write_member(path, shape, packed=b"", *, compression=zipfile.ZIP_STORED):
    """Write an .npz whose header claims `shape`."""
    header = io.BytesIO()
    claim = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, claim)
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("x.npy", header.getvalue() + packed)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_shape_bomb_is_refused_before_memory_is_taken(here, compression):
    write_member(here / "bomb.npz", (1 << 40, 1 << 40), b"1234", compression=compression)

    refuses(
        BrokenData,
        "bomb.npz",
        f"'bomb.npz' is incomplete: its header promises {1 << 80} bytes of shape "
        f"({1 << 40}, {1 << 40}), but 4 follow.",
    )


def test_a_zip_bomb_is_refused_under_a_cap_of_the_file_size(here, monkeypatch):
    monkeypatch.setattr(tables, "UNPACKED_ALWAYS", 1 << 16)
    packed = zipfile.ZIP_DEFLATED
    write_member(here / "bomb.npz", (1000, 1000), bytes(1_000_000), compression=packed)
    size = (here / "bomb.npz").stat().st_size

    refuses(
        UnsupportedData,
        "bomb.npz",
        f"'bomb.npz:x' would unpack to 1000128 bytes, more than 100 times the {size} bytes of its "
        "file. If it is no bomb, save it with numpy.save.",
    )


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
def test_what_is_wrong_in_a_csv_file_is_located(here, content):
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


def test_what_is_wrong_in_a_parquet_file_is_named(here):
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


def test_without_pyarrow_a_parquet_file_says_what_to_install(here, monkeypatch):
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


def test_columns_of_a_table_that_are_no_numbers_are_named():
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


def test_other_extensions_get_the_list_of_right_ones(here):
    (here / "rows.txt").touch()

    refuses(
        UnsupportedData,
        "rows.txt",
        "'rows.txt' has the extension '.txt'. Give a .npy, .npz, .csv or .parquet file, or a "
        "folder of images.",
    )
    refuses(UnsupportedData, "/dev/null", "'/dev/null' is neither a regular file nor a folder.")


def test_names_are_escaped_for_the_terminal(here):
    (here / "a\n\x1b[31m\u202e.csv").touch()

    refuses(EmptyData, "a\n\x1b[31m\u202e.csv", r"'a\n\x1b[31m\u202e.csv' has no rows.")
