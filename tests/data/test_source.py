"""An array's rows come as they are; what can't be rows is refused in so many words."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from truecopy.data.sources import ArraySource, IterableSource, Source, open_source
from truecopy.errors import (
    EmptyData,
    InvalidArgument,
    RaggedData,
    UnsafeData,
    UnsupportedData,
)

ROWS = np.arange(7 * 2 * 3, dtype=np.float32).reshape(7, 2, 3)


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


def test_what_cannot_be_rows_of_numbers_is_refused(refuses):
    objects = (
        " holds Python objects, which are never loaded or guessed at. Convert it to one array of "
        "numbers, say with .astype(float)."
    )
    numbers = " values. Give booleans, integers or floats of 16 to 64 bits."
    refuses(UnsafeData, np.array([[{}]], object), f"The array{objects}")
    refuses(UnsafeData, [[1, None]], f"The array{objects}")
    refuses(UnsafeData, iter([np.array([[None]])]), f"Batch 0{objects}")
    refuses(UnsupportedData, [["a", "b"]], f"The array holds <U1{numbers}")
    refuses(
        UnsupportedData,
        np.ones((2, 2), complex),
        "Complex data not supported: The array holds complex128 values. Give real and imaginary "
        "parts as features of their own.",
    )
    refuses(UnsupportedData, [np.ones((2, 2), "M8[s]")], f"The array holds datetime64[s]{numbers}")


def test_one_axis_is_refused_with_both_ways_out(refuses):
    refuses(
        UnsupportedData,
        np.arange(5),
        "The array has shape (5,), but the first axis must be the rows. Reshape your data: "
        "x[None, :] is one row of many features, x[:, None] many rows of one.",
    )


def test_empty_data_are_refused(refuses):
    refuses(EmptyData, [], "The array has shape (0,): it has no rows.")
    refuses(EmptyData, np.ones((0, 3)), "The array has shape (0, 3): it has no rows.")
    refuses(
        EmptyData,
        np.ones((3, 0)),
        "The array has 0 feature(s) (shape=(3, 0)) while a minimum of 1 is required.",
    )
    refuses(EmptyData, iter(()), "The iterable gives no batches.")


def test_the_ragged_row_is_named(refuses):
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


@pytest.mark.parametrize("size", [0, -1, 2.5, True, None])
def test_a_batch_size_must_be_a_positive_integer(size):
    with pytest.raises(InvalidArgument) as error:
        open_source(ROWS).batches(size)

    assert str(error.value) == (
        f"The 'size' argument of batches must be an integer of at least 1. Got {size!r}."
    )


def test_every_source_is_abstract_or_final():
    assert Source.__abstractmethods__ == {"chunks"}
    assert ArraySource.__final__
    assert IterableSource.__final__


def test_features_without_a_name_are_called_as_scikit_learn_calls_them():
    rows, pictures = open_source(np.zeros((2, 3))), open_source(np.zeros((2, 2, 2)))

    # What scikit-learn 1.9 gives for an array of three columns.
    expected = list(StandardScaler().fit(np.zeros((2, 3))).get_feature_names_out())
    assert list(rows.feature_names) == expected
    assert pictures.feature_names == ("x0_0", "x0_1", "x1_0", "x1_1")
