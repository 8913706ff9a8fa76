"""Which rows are held out: decided by what is in them, not by where they stand.

Rows in another order are split the same, and equal rows fall on the same side, so that no held-out
row was trained on. Rows that are added move few others across: at most as many as they are, while
no more than 1,000 are held out.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.data.duplicates import hash_rows, mix
from truecopy.data.source import Source

# Their mean error is then known to about one percent; more would only cost time.
_MOST_HELD_OUT: Final = 5_000
_BATCH: Final = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The numbers of the rows that train, and of those that are held out, both in order."""

    training: NDArray[np.intp]
    held_out: NDArray[np.intp]

    @property
    def batch(self) -> int:
        """How many held-out rows to take at a time: one of very many, or all."""
        return max(1, min(len(self.held_out), _BATCH))


def split_rows(source: Source, share: float, *, seed: int) -> Split:
    """Hold out a share of the rows, those with the smallest seeded hashes; at most 5,000.

    Equal rows are taken together, while all of them fit into the share; what comes more often
    than that trains. So fewer may be held out, and none where all rows are equal. Above 1,000
    they are a multiple of 1,000 if no two are equal, so that batches are.

    Args:
        source: The rows; one pass over them is made.
        share: From 0 up, below 1.
        seed: Draws the hash.
    """
    salt = np.random.default_rng([seed, 0]).integers(0, 2**64, dtype=np.uint64)
    keys = np.concatenate([mix(hash_rows(batch) ^ salt) for batch in source.batches()])
    most = min(round(len(keys) * share), _MOST_HELD_OUT)
    if most > _BATCH:
        most -= most % _BATCH
    _, which, counts = np.unique(keys, return_inverse=True, return_counts=True)
    fitting = np.flatnonzero(counts <= most)
    chosen = np.zeros(len(counts), bool)
    chosen[fitting[np.cumsum(counts[fitting]) <= most]] = True
    held_out: NDArray[Any] = chosen[which]
    return Split(np.flatnonzero(~held_out), np.flatnonzero(held_out))
