"""Any batch size gives the same rows; what can't be rows is refused in so many words."""

import itertools
import os
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truecopy.data import sources
from truecopy.data.sources import ArraySource, IterableSource, Source, open_source
from truecopy.errors import (
    DataNotFound,
    EmptyData,
    InvalidArgument,
    OutputFailed,
    RaggedData,
    TruecopyError,
    UnknownName,
    UnsafeData,
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


def refuses(error, data, message, **options):
    """Check the whole message."""
    with pytest.raises(error, match=f"^{re.escape(message)}$") as caught:
        list(open_source(data, **options).batches())
    assert isinstance(caught.value, TruecopyError)


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


@given(cuts=st.lists(st.integers(0, 7), max_size=5), size=st.integers(1, 8))
@settings(deadline=None)
def test_batches_do_not_depend_on_how_the_chunks_were_cut(cuts, size):
    chunks = np.split(ROWS, sorted(cuts))

    batches = list(sources.cut_batches(chunks, size))

    np.testing.assert_array_equal(np.concatenate(batches), ROWS)
    assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)


def test_a_source_is_given_back_as_it_is():
    source = open_source(ROWS)

    assert open_source(source) is source


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float16, np.float64])
def test_rows_keep_their_dtype(dtype):
    source = open_source(np.ones((2, 3), dtype))

    assert next(source.batches()).dtype == source.dtype == dtype


def test_the_array_of_an_array_is_itself_and_its_batches_are_views():
    source = open_source(ROWS)

    assert source.array() is ROWS
    assert np.shares_memory(next(source.batches(2)), ROWS)


def test_a_memory_map_stays_one(tmp_path):
    rows = np.memmap(tmp_path / "rows.bin", np.uint8, "w+", shape=(5, 4))

    source = open_source(rows)

    assert source.array() is rows
    assert np.shares_memory(next(source.batches(2)), rows)


def test_one_row_of_one_feature_is_enough():
    assert [batch.tolist() for batch in open_source([[5]]).batches()] == [[[5]]]


def test_nan_is_let_through_for_the_profile_to_locate():
    assert np.isnan(next(open_source([[np.nan, np.inf]]).batches())).any()


def test_the_words_open_data_sets_with_labels(tmp_path, monkeypatch):
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


def test_rows_are_unknown_until_an_iterable_was_passed_over():
    source = open_source(Batches(ROWS, [3, 4]))

    before = source.rows
    list(source.batches())

    assert (before, source.rows) == (None, 7)


def test_what_does_not_fit_into_memory_goes_to_a_file_without_a_name(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MEMORY_SHARE", 0)
    monkeypatch.setattr(sources.tempfile, "tempdir", str(tmp_path))
    source = open_source(iter(np.split(ROWS, [2, 3])))

    array = source.array()

    assert isinstance(array, np.memmap)
    assert not array.flags.writeable
    assert os.listdir(tmp_path) == []  # noqa: PTH208
    np.testing.assert_array_equal(np.concatenate(list(source.batches(2))), ROWS)


def test_an_endless_iterator_does_not_fill_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MEMORY_SHARE", 0)
    monkeypatch.setattr(sources, "DISK_RESERVE", 1 << 62)
    monkeypatch.setattr(sources.tempfile, "tempdir", str(tmp_path))

    with pytest.raises(OutputFailed) as error:
        open_source(itertools.repeat(ROWS)).batches()

    assert str(error.value) == (
        f"The array doesn't fit into memory, and {str(tmp_path)!r} has no room for row 7 and "
        "further ones. Is it endless? Set TMPDIR to a folder on a larger disk."
    )


def test_memory_that_can_be_taken_is_measured():
    assert sources.measure_free_memory() > 1 << 20


def test_what_cannot_be_rows_of_numbers_is_refused():
    objects = (
        " holds Python objects, which are never loaded or guessed at. Convert it to one array of "
        "numbers, say with .astype(float)."
    )
    numbers = " values. Give booleans, integers or floats of 16 to 64 bits."
    refuses(UnsafeData, np.array([[{}]], object), f"The array{objects}")
    refuses(UnsafeData, [[1, None]], f"The array{objects}")
    refuses(UnsafeData, iter([np.array([[None]])]), f"Batch 0{objects}")
    refuses(UnsupportedData, [["a", "b"]], f"The array holds <U1{numbers}")
    refuses(UnsupportedData, np.ones((2, 2), complex), f"The array holds complex128{numbers}")
    refuses(UnsupportedData, [np.ones((2, 2), "M8[s]")], f"The array holds datetime64[s]{numbers}")


def test_one_axis_is_refused_with_both_ways_out():
    refuses(
        UnsupportedData,
        np.arange(5),
        "The array has shape (5,), but the first axis must be the rows. Write x[None, :] for one "
        "row of many features, x[:, None] for many rows of one.",
    )


def test_empty_data_are_refused():
    refuses(EmptyData, [], "The array has shape (0,): it has no rows.")
    refuses(EmptyData, np.ones((0, 3)), "The array has shape (0, 3): it has no rows.")
    refuses(EmptyData, np.ones((3, 0)), "The array has shape (3, 0): it has no features.")
    refuses(EmptyData, iter(()), "The iterable gives no batches.")


def test_the_ragged_row_is_named():
    refuses(
        RaggedData,
        [[1, 2], [3, 4], [5]],
        "The data: row 2 has shape (1,), row 0 has (2,). All rows must have the same shape.",
    )
    refuses(
        RaggedData,
        [[[1], [2, 3]]],
        "The data: row 0 is ragged itself. All rows must have the same shape.",
    )


def test_the_batch_that_differs_is_named():
    refuses(
        RaggedData,
        iter([np.ones((3, 4)), np.ones((3, 5))]),
        "Batch 1 has rows of shape (5,), but those of batch 0 have shape (4,). All rows must have "
        "the same shape.",
    )
    refuses(
        UnsupportedData,
        iter([np.ones((3, 4), int), np.ones((3, 4))]),
        "Batch 1 holds float64 values, but batch 0 holds int64. Convert all batches to one dtype.",
    )


def test_a_pair_does_not_pass_for_two_rows():
    refuses(
        UnsupportedData,
        iter([(ROWS, ROWS)]),
        "Batch 0 is a tuple, not an array of rows. Of pairs (x, y), give x: (x for x, _ in data).",
    )


def test_what_is_left_of_a_broken_iterator_does_not_pass_for_the_whole():
    source = open_source(iter([ROWS, ROWS[:, :1], ROWS]))
    with pytest.raises(RaggedData):
        source.array()

    with pytest.raises(EmptyData, match=r"^The array has no rows\.$"):
        source.array()


def test_passes_that_differ_are_refused():
    class Shrinking:
        lengths = [7, 7, 4]  # noqa: RUF012 - opening reads the first

        def __iter__(self):
            yield ROWS[: self.lengths.pop(0)]

    source = open_source(Shrinking())
    list(source.batches())

    with pytest.raises(UnsupportedData) as error:
        list(source.batches())

    assert str(error.value) == (
        "The array gave 7 rows in the first pass and 4 in this one. Every pass must give the same "
        "rows."
    )


def test_masked_sparse_and_unknown_objects_are_refused():
    class Sparse:
        def toarray(self):
            raise NotImplementedError

    class Stuck:
        def __array__(self, dtype=None, copy=None):
            message = "call .cpu() first"
            raise TypeError(message)

    must_be = (
        "The 'data' argument of fit must be an array, a table, an iterable of batches, mnist, "
        "mnist:test, digits, a .npy, .npz[:key], .csv or .parquet file, a folder of images. Got "
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


def test_an_unknown_word_gets_the_nearest_one_and_all_there_is():
    refuses(
        UnknownName,
        "mnits",
        "The 'data' argument of profile must be one of mnist, mnist:test, digits, a .npy, "
        ".npz[:key], .csv or .parquet file, a folder of images. Got 'mnits'. Did you mean 'mnist'?",
        owner="profile",
    )


def test_a_missing_file_gets_the_nearest_name_in_its_folder(tmp_path, monkeypatch):
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


@pytest.mark.parametrize("size", [0, -1, 2.5, True, None])
def test_a_batch_size_must_be_a_positive_integer(size):
    with pytest.raises(InvalidArgument) as error:
        open_source(ROWS).batches(size)

    assert str(error.value) == (
        f"The 'size' argument of batches must be an integer of at least 1. Got {size!r}."
    )


def test_an_image_size_is_for_folders_only():
    refuses(
        InvalidArgument,
        ROWS,
        "The 'size' argument of truecopy must be given for a folder of images only. Got (2, 3).",
        size=(2, 3),
    )


def test_every_source_is_abstract_or_final():
    assert Source.__abstractmethods__ == {"chunks"}
    assert ArraySource.__final__
    assert IterableSource.__final__
