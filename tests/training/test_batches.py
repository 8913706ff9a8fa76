"""The order of rows: any in memory, by blocks of neighbours where a disk is read."""

import numpy as np

from truecopy.training import batches
from truecopy.training.batches import shuffle

CHOSEN = np.arange(0, 6_000, 2)


def test_few_bytes_are_shuffled_freely():
    order = shuffle(CHOSEN, np.random.default_rng(0), row_bytes=100)

    np.testing.assert_array_equal(order, np.random.default_rng(0).permutation(CHOSEN))


def test_many_bytes_are_shuffled_by_blocks_of_neighbours(monkeypatch):
    monkeypatch.setattr(batches, "_READ_ANYHOW", 0)
    monkeypatch.setattr(batches, "SHUFFLE_BUFFER", 500)

    order = shuffle(CHOSEN, np.random.default_rng(0), row_bytes=1 << 12)

    np.testing.assert_array_equal(np.sort(order), CHOSEN)
    # 64 KiB hold 16 rows, so that 500 rows come from 33 blocks at most.
    for first in range(0, 3_000, 500):
        assert len(np.unique(order[first : first + 500] // 2 // 16)) <= 33
    assert np.abs(np.diff(order[:500])).mean() > 500  # the rows of blocks are mixed
