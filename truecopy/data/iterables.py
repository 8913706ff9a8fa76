"""Rows that come in batches from an iterable: a loader, a generator, an iterator of chunks.

An iterable can be read again for every pass; an iterator gives its rows only once, so that
they are kept. Every batch is checked against the first, because nobody else has seen them.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from truecopy.data.source import ONE_SHAPE, Source, check_rows, to_array
from truecopy.errors import EmptyData, RaggedData, UnsupportedData


@final
class IterableSource(Source):
    """An iterable of batches, read again for every pass; an iterator is read once and kept."""

    name = "array"

    def __init__(self, data: Iterable[Any]) -> None:
        self._data = data
        batches = iter(data)
        first = next(batches, None)
        if first is None:
            raise EmptyData("The iterable gives no batches.")
        batch = _take_batch(first, "Batch 0")
        check_rows(batch.dtype, batch.shape, "Batch 0")
        self.shape, self.dtype = batch.shape[1:], batch.dtype.newbyteorder("=")
        once = batches is data
        self._once: Iterator[Any] | None = chain([batch], batches) if once else None

    def batches(self, size: int = 1024) -> Iterator[NDArray[Any]]:
        """Pass over all rows in order, as `Source.batches`."""
        if self._once is not None:
            self.array()
        return super().batches(size)

    def chunks(self, size: int) -> Iterator[NDArray[Any]]:  # noqa: ARG002 - batches come as they are
        """Check each batch against the first."""
        batches: Iterable[Any] = self._data
        if self._once is not None:
            # Should it break off, what is left must not pass for the whole.
            batches, self._once = self._once, iter(())
        for number, given in enumerate(batches):
            what = f"Batch {number}"
            batch = _take_batch(given, what)
            if batch.shape[1:] != self.shape:
                raise RaggedData(
                    f"{what} has rows of shape {batch.shape[1:]}, but those of batch 0 have "
                    f"shape {self.shape}. {ONE_SHAPE}"
                )
            if batch.dtype.hasobject or not np.can_cast(batch.dtype, self.dtype):
                raise UnsupportedData(
                    f"{what} holds {batch.dtype} values, but batch 0 holds {self.dtype}. "
                    "Convert all batches to one dtype."
                )
            # A copy: an iterable may fill one buffer again and again.
            yield np.array(batch, dtype=self.dtype)


def _take_batch(given: Any, what: str) -> NDArray[Any]:
    """Turn a batch into an array; a pair (x, y) must not pass for two rows."""
    if isinstance(given, list | tuple):
        raise UnsupportedData(
            f"{what} is a {type(given).__name__}, not an array of rows. Of pairs (x, y), give x: "
            "(x for x, _ in data)."
        )
    return to_array(given, what)
