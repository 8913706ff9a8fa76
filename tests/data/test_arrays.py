"""Arrays in files give their rows; no header, archive or pickle is trusted."""

import io
import pickle
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truecopy.data import arrays, spooling
from truecopy.data.sources import open_source
from truecopy.errors import (
    BrokenData,
    DataNotFound,
    EmptyData,
    TruecopyError,
    UnsafeData,
    UnsupportedData,
)

ROWS = np.arange(7 * 3, dtype=np.float64).reshape(7, 3)
WRITERS = {
    "rows.npy": lambda path: np.save(path, ROWS),
    "fortran.npy": lambda path: np.save(path, np.asfortranarray(ROWS)),
    "stored.npz": lambda path: np.savez(path, x=ROWS),
    "packed.npz": lambda path: np.savez_compressed(path, x=ROWS),
    "fortran.npz": lambda path: np.savez_compressed(path, x=np.asfortranarray(ROWS)),
}


class Bomb:
    """Unpickling it ends the tests."""

    def __reduce__(self):
        return sys.exit, ("a pickle was loaded",)


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


def test_arrays_in_files_are_mapped_where_they_are_not_compressed(folder):
    mapped = {name: isinstance(open_source(folder / name).array(), np.memmap) for name in WRITERS}

    assert [name for name, is_mapped in mapped.items() if is_mapped] == [
        "rows.npy",
        "fortran.npy",
        "stored.npz",
    ]


@pytest.mark.parametrize("name", ["packed.npz", "fortran.npz"])
def test_files_that_do_not_fit_into_memory_are_spooled_once(folder, name, monkeypatch):
    monkeypatch.setattr(spooling, "MEMORY_SHARE", 0)
    monkeypatch.setattr(spooling, "PIECE", 50)

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
def test_the_arrays_to_choose_from_are_listed(refuses):
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
def test_pickles_are_refused_and_never_run(refuses):
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


def test_truncated_arrays_are_refused(here, refuses):
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
def test_a_shape_bomb_is_refused_before_memory_is_taken(here, compression, refuses):
    write_member(here / "bomb.npz", (1 << 40, 1 << 40), b"1234", compression=compression)

    refuses(
        BrokenData,
        "bomb.npz",
        f"'bomb.npz' is incomplete: its header promises {1 << 80} bytes of shape "
        f"({1 << 40}, {1 << 40}), but 4 follow.",
    )


def test_a_zip_bomb_is_refused_under_a_cap_of_the_file_size(here, monkeypatch, refuses):
    monkeypatch.setattr(arrays, "UNPACKED_ALWAYS", 1 << 16)
    packed = zipfile.ZIP_DEFLATED
    write_member(here / "bomb.npz", (1000, 1000), bytes(1_000_000), compression=packed)
    size = (here / "bomb.npz").stat().st_size

    refuses(
        UnsupportedData,
        "bomb.npz",
        f"'bomb.npz:x' would unpack to 1000128 bytes, more than 100 times the {size} bytes of its "
        "file. If it is no bomb, save it with numpy.save.",
    )
