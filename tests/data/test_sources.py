"""Whatever holds rows gives the same rows; what holds none gets an error that names the way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truecopy.data.sources import open_source
from truecopy.errors import (
    DataNotFound,
    EmptyData,
    InvalidArgument,
    UnknownName,
    UnsupportedData,
)

ROWS = np.arange(7 * 2 * 3, dtype=np.float32).reshape(7, 2, 3)


class Batches:
    """An iterable that can be read again, and fills one buffer again and again."""

    def __init__(self, rows, lengths):
        self.rows, self.lengths = rows, lengths

    def __iter__(self):
        buffer = np.empty((max(self.lengths), *self.rows.shape[1:]), self.rows.dtype)
        start = 0
        for length in self.lengths:
            buffer[:length] = self.rows[start : start + length]
            start += length
            yield buffer[:length]


class Tensor:
    """What another library's array looks like from outside."""

    def __array__(self, dtype=None, copy=None):
        return np.array(ROWS, dtype=dtype)


KINDS = {
    "array": lambda: ROWS,
    "list": ROWS.tolist,
    "foreign byte order": lambda: ROWS.astype(">f4"),
    "other library": Tensor,
    "iterable": lambda: Batches(ROWS, [3, 1, 3]),
    "iterator": lambda: iter(np.split(ROWS, [2, 3])),
    "generator": lambda: (ROWS[i : i + 1] for i in range(7)),
}


@pytest.mark.parametrize("kind", KINDS)
@given(size=st.integers(1, 9))
@settings(max_examples=9, deadline=None)
def test_any_batch_size_gives_the_same_rows_in_the_same_order(kind, size):
    source = open_source(KINDS[kind]())

    passes = [list(source.batches(size)) for _ in range(2)]

    for batches in passes:
        assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)
        np.testing.assert_array_equal(np.concatenate(batches), ROWS)
    np.testing.assert_array_equal(source.array(), ROWS)
    assert source.rows == len(ROWS)
    assert source.shape == (2, 3)
    assert {batch.dtype for batch in passes[0]} == {source.dtype}
    assert source.dtype.isnative


def test_a_source_is_given_back_as_it_is():
    source = open_source(ROWS)

    assert open_source(source) is source


def test_the_words_open_data_sets_with_labels(tmp_path, monkeypatch, refuses):
    (tmp_path / "mnist").mkdir()
    monkeypatch.chdir(tmp_path)
    mnist, test, digits = map(open_source, ("mnist", "mnist:test", "digits"))

    assert (mnist.name, mnist.shape, mnist.rows) == ("mnist", (28, 28, 1), 60000)
    assert (test.name, test.shape, test.rows) == ("mnist:test", (28, 28, 1), 10000)
    assert (digits.name, digits.shape, digits.rows) == ("digits", (8, 8, 1), 1797)
    assert (mnist.held_out, test.held_out, digits.held_out) == ("mnist:test", None, None)
    assert all(len(source.labels) == source.rows for source in (mnist, test, digits))
    refuses(
        EmptyData,
        "./mnist",
        "There are no images (BMP, GIF, JPEG, JPEG2000, PNG, PPM, TIFF, WEBP) in './mnist'.",
    )


def test_masked_sparse_and_unknown_objects_are_refused(refuses):
    class Sparse:
        def toarray(self):
            raise NotImplementedError

    class Stuck:
        def __array__(self, dtype=None, copy=None):
            message = "call .cpu() first"
            raise TypeError(message)

    must_be = (
        "The 'data' argument of fit must be an array, a table, an iterable of batches, mnist, "
        "mnist:test, digits, a .npy, .npz[:key], .csv or .parquet file, a folder of .parquet "
        "files or of images. Got "
    )
    refuses(
        UnsupportedData,
        np.ma.array([[1, 2]], mask=[[0, 1]]),
        "The array has masked values. Fill them, say by .filled(np.nan).",
    )
    refuses(UnsupportedData, Sparse(), "The array is sparse. Give its dense form: data.toarray().")
    refuses(UnsupportedData, Stuck(), "The data can't be turned into an array: call .cpu() first")
    for thing in ({"x": ROWS}, {1, 2}, b"bytes", 5, None):
        refuses(InvalidArgument, thing, f"{must_be}{type(thing).__name__!r}.", owner="fit")


def test_an_unknown_word_gets_the_nearest_one_and_all_there_is(refuses):
    refuses(
        UnknownName,
        "mnits",
        "The 'data' argument of profile must be one of mnist, mnist:test, digits, a .npy, "
        ".npz[:key], .csv or .parquet file, a folder of .parquet files or of images. Got 'mnits'. "
        "Did you mean 'mnist'?",
        owner="profile",
    )


def test_a_missing_file_gets_the_nearest_name_in_its_folder(tmp_path, monkeypatch, refuses):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.npy").touch()

    refuses(
        DataNotFound,
        "trian.npy",
        "There is no file or folder 'trian.npy'. Did you mean 'train.npy'?",
    )
    refuses(DataNotFound, "./faces/", "There is no file or folder './faces/'.")
    refuses(
        DataNotFound,
        "no/x.npy",
        "There is no file or folder 'no/x.npy'. Its folder 'no' does not exist or can't be read.",
    )


@pytest.mark.parametrize("name", ["a\0b.npy", "x" * 300 + ".npy"])
def test_a_name_that_no_file_can_have_is_missing(name):
    with pytest.raises(DataNotFound):
        open_source(name)


def test_other_extensions_get_the_list_of_right_ones(here, refuses):
    (here / "rows.txt").touch()

    refuses(
        UnsupportedData,
        "rows.txt",
        "'rows.txt' has the extension '.txt'. Give a .npy, .npz, .csv or .parquet file, or a "
        "folder of .parquet files or of images.",
    )
    refuses(UnsupportedData, "/dev/null", "'/dev/null' is neither a regular file nor a folder.")


def test_an_image_size_is_for_folders_only(refuses):
    refuses(
        InvalidArgument,
        ROWS,
        "The 'size' argument of truecopy must be given for a folder of images only. Got (2, 3).",
        size=(2, 3),
    )
