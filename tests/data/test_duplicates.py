import numpy as np
import pytest

from truecopy.data.duplicates import RowHashes, hash_rows
from truecopy.data.profile import profile

GENERATOR = np.random.default_rng(0)


@pytest.mark.parametrize(
    "rows",
    [
        GENERATOR.integers(0, 2, (500, 7)).astype(np.uint8),
        GENERATOR.integers(0, 3, (500, 2, 3)),
        GENERATOR.integers(0, 3, (500, 5)).astype(np.float32),
        GENERATOR.integers(0, 2, (500, 9)).astype(bool),
    ],
)
@pytest.mark.parametrize("cuts", [[], [1], [3, 250, 499]])
def test_rows_equal_to_an_earlier_one_are_counted_as_numpy_counts_them(rows, cuts):
    hashes = RowHashes()

    for batch in np.split(rows, cuts):
        hashes.add(batch)

    expected = len(rows) - len(np.unique(rows.reshape(len(rows), -1), axis=0))
    assert hashes.count_duplicates() == expected


def test_different_rows_have_different_hashes_also_where_they_differ_by_one_bit():
    rows = np.concatenate([np.eye(64, dtype=np.uint8) << bit for bit in range(8)])

    assert len(np.unique(hash_rows(rows))) == 512
    assert len(np.unique(hash_rows(GENERATOR.normal(size=(20_000, 3))))) == 20_000


def test_zero_equals_minus_zero():
    assert np.ptp(hash_rows(np.array([[0.0, 1.0], [-0.0, 1.0]]))) == 0


def test_a_profile_counts_duplicates():
    rows = np.array([[1, 2], [3, 4], [1, 2], [1, 2]])

    assert profile(rows).facts.duplicates == 2
    assert profile(rows[:2]).facts.duplicates == 0
