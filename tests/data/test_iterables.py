"""Batches of an iterable are checked against the first, and a pass against the one before."""

import numpy as np
import pytest

from truecopy.data.sources import open_source
from truecopy.errors import EmptyData, RaggedData, UnsupportedData

ROWS = np.arange(7 * 2 * 3, dtype=np.float32).reshape(7, 2, 3)


class Loader:
    """An iterable that can be read again."""

    def __iter__(self):
        return iter(np.split(ROWS, [3]))


def test_rows_are_unknown_until_an_iterable_was_passed_over():
    source = open_source(Loader())

    before = source.rows
    list(source.batches())

    assert (before, source.rows) == (None, 7)


def test_the_batch_that_differs_is_named(refuses):
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


def test_a_pair_does_not_pass_for_two_rows(refuses):
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
