"""Counting rows that are equal to an earlier one, without keeping the rows."""

from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

# 80 MB of hashes; beyond, duplicates are not counted.
_MOST_ROWS: Final = 10_000_000


@final
class RowHashes:
    """A 64-bit hash of every row seen, by which equal rows are found.

    Two different rows share one by chance once in 2^64 pairs: a million rows hold half a
    trillion pairs, so that is three in a hundred million times.
    """

    def __init__(self) -> None:
        self._hashes: list[NDArray[np.uint64]] = []
        self._rows = 0

    def add(self, rows: NDArray[Any]) -> None:
        """Add rows of shape (rows, ...) of one dtype; NaN equals NaN, and 0 equals -0."""
        self._rows += len(rows)
        if self._rows > _MOST_ROWS:
            self._hashes.clear()
            return
        self._hashes.append(hash_rows(rows))

    def count_duplicates(self) -> int | None:
        """Return how many rows equal an earlier one; None where there were too many rows."""
        if self._rows > _MOST_ROWS:
            return None
        if not self._hashes:
            return 0
        return self._rows - len(np.unique(np.concatenate(self._hashes)))


def hash_rows(rows: NDArray[Any]) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each row: the same for equal rows, in any batch."""
    flat = np.ascontiguousarray(rows.reshape(len(rows), -1))
    if flat.dtype.kind == "f":
        flat = flat + flat.dtype.type(0)  # -0 + 0 is 0
        flat[np.isnan(flat)] = np.nan  # there are many
    raw = flat.view(np.uint8).reshape(len(flat), -1)
    padded = np.zeros((len(raw), -(-raw.shape[1] // 8) * 8), np.uint8)
    padded[:, : raw.shape[1]] = raw
    words = padded.view(np.uint64)
    # Each word is mixed with a random key of its place before all are added up.
    mixed = mix(words ^ np.random.default_rng(0).integers(0, 2**64, words.shape[1], np.uint64))
    total: NDArray[np.uint64] = mixed.sum(axis=1, dtype=np.uint64)
    return total


def mix(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter 64-bit words, in place, by the finaliser of SplitMix64, which is one to one.

    Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators".
    """
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        words ^= words >> np.uint64(shift)
        words *= np.uint64(factor)
    words ^= words >> np.uint64(31)
    return words
