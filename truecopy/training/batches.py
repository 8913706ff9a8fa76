"""Training and validation batches as Keras takes them: shuffled by seed, scaled on the way.

Rows stay in the user's dtype, on disk if that is where they are, until their batch is drawn.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.data.mapped import Reader
from truecopy.data.noise import Noise, corrupt
from truecopy.data.scaling import Scaling
from truecopy.models.incomplete import Factors


@dataclass(frozen=True, slots=True, eq=False)
class Hiding:
    """Which cells of a table a network doesn't see, and what it sees instead.

    Besides the missing cells these are known ones, drawn afresh for every batch: as they have
    targets, they teach the network to fill in a cell rather than to hand on what stands there
    (denoising, as in MIDA: Gondara & Wang 2018).

    Attributes:
        factors: Fill in.
        shares: Of each column, the share of cells to hide: as many as are missing.
        widths: How many features each column takes.
    """

    factors: Factors
    shares: tuple[float, ...]
    widths: tuple[int, ...]


# Rows that are shuffled among themselves where there are too many bytes for the system to keep.
SHUFFLE_BUFFER: Final = 65_536
_READ_ANYHOW: Final = 1 << 30
_BLOCK_BYTES: Final = 1 << 16
_ALIGNED: Final = 16


@final
class TrainingBatches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras ships no types
    """Clean rows as inputs and targets, in a new order every epoch, in full batches only.

    The last batch of an epoch is filled up from the epoch's beginning, so that one shape, and
    with it one compilation, serves the whole run.

    Attributes:
        together: So many batches are drawn at a time, as parts of one array, which is less work
            than drawing each one.
    """

    def __init__(
        self,
        rows: NDArray[Any],
        chosen: NDArray[np.intp],
        scaling: Scaling,
        *,
        batch_size: int,
        seed: int,
        epoch: int = 0,
        hiding: Hiding | None = None,
    ) -> None:
        super().__init__()
        self._rows = Reader(rows)
        self._row_shape = rows.shape[1:]
        # Of rows in memory any is as near as the next.
        self._row_bytes = rows[:1].nbytes if self._rows.mapped else 0
        self._chosen = chosen
        self._scaling = scaling
        self._batch_size = batch_size
        self._seed = seed
        self._hiding = hiding
        # Keras 3.15 calls on_epoch_end once after every epoch, so counting its calls counts
        # epochs: a resumed training has the order that the uninterrupted one has.
        self._epoch = epoch
        self.together = 1
        self._drawn: tuple[int, NDArray[np.float32]] | None = None
        self._shuffle()

    def __len__(self) -> int:
        return math.ceil(len(self._chosen) / self._batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        first = index - index % self.together
        if self._drawn is None or self._drawn[0] != first:
            self._drawn = (first, self._draw(first, min(self.together, len(self) - first)))
        rows = self._drawn[1][index - first]
        return hide(rows, self._hiding, [self._seed, 2, self._epoch, index]), rows

    def _draw(self, first: int, count: int) -> NDArray[np.float32]:
        """Return `count` batches from the `first` on, shape (count, batch, ...)."""
        size = self._batch_size
        whole = _empty_aligned((count, size, *self._row_shape))
        # Batch by batch: what is between stays in the processor's cache.
        for number, batch in enumerate(whole, start=first):
            drawn = self._order[number * size : (number + 1) * size]
            batch[:] = self._scaling.apply(self._rows[drawn])
        return whole

    @property
    def rows(self) -> int:
        """How many rows train."""
        return len(self._chosen)

    @property
    def batch_size(self) -> int:
        """How many rows a step takes."""
        return self._batch_size

    def sample(self, most: int) -> NDArray[np.float32]:
        """Return up to `most` scaled rows, evenly spread over those that train."""
        step = -(-len(self._chosen) // most)
        rows = self._scaling.apply(self._rows[self._chosen[::step]])
        return rows if self._hiding is None else self._hiding.factors.fill(rows)

    def on_epoch_end(self) -> None:
        """Shuffle."""
        self.start(self._epoch + 1)

    def start(self, epoch: int) -> None:
        """Take the order of an epoch, counted from 0."""
        self._epoch = epoch
        self._shuffle()

    def _shuffle(self) -> None:
        generator = np.random.default_rng([self._seed, 1, self._epoch])
        shuffled = shuffle(self._chosen, generator, row_bytes=self._row_bytes)
        self._order = np.resize(shuffled, len(self) * self._batch_size)
        self._drawn = None


def _empty_aligned(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return an array that JAX takes without a copy on a CPU: it wants multiples of 64 bytes."""
    values = math.prod(shape)
    memory = np.empty(values + _ALIGNED, np.float32)
    start = -(memory.ctypes.data // memory.itemsize) % _ALIGNED
    return memory[start : start + values].reshape(shape)


@final
class ValidationBatches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras ships no types
    """Rows in their own order, with the same noise every time."""

    def __init__(
        self,
        rows: NDArray[Any],
        chosen: NDArray[np.intp],
        scaling: Scaling,
        *,
        batch_size: int,
        noise: Noise | None,
        seed: int,
        hiding: Hiding | None = None,
    ) -> None:
        super().__init__()
        self._hiding = hiding
        self._rows = Reader(rows)
        self._chosen = chosen
        self._scaling = scaling
        self._batch_size = batch_size
        self._noise = noise
        self._seed = seed

    @property
    def rows(self) -> int:
        """How many rows validate."""
        return len(self._chosen)

    def __len__(self) -> int:
        return math.ceil(len(self._chosen) / self._batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        first = index * self._batch_size
        rows = self._scaling.apply(self._rows[self._chosen[first : first + self._batch_size]])
        seen = hide(rows, self._hiding, [self._seed, 3, first])
        if self._noise is None:
            return seen, rows
        return corrupt(seen, self._noise, seed=self._seed, first_row=first), rows


def shuffle(
    chosen: NDArray[np.intp], generator: np.random.Generator, *, row_bytes: int
) -> NDArray[np.intp]:
    """Return `chosen` in a random order, which for very many bytes reads neighbours together.

    Beyond 1 GiB, blocks of neighbours are shuffled, and then the rows of every 65,536 in turn:
    a batch's rows come from all over the data, but the disk is read in blocks.

    Args:
        chosen: Numbers of rows, in order.
        generator: Draws the order.
        row_bytes: The size of a row on disk; 0 for rows in memory.
    """
    if len(chosen) * row_bytes <= _READ_ANYHOW:
        return generator.permutation(chosen)
    block = max(1, _BLOCK_BYTES // row_bytes)
    starts = generator.permutation(-(-len(chosen) // block)) * block
    places = (starts[:, None] + np.arange(block)).ravel()
    places = places[places < len(chosen)]
    for first in range(0, len(places), SHUFFLE_BUFFER):
        generator.shuffle(places[first : first + SHUFFLE_BUFFER])
    order: NDArray[np.intp] = chosen[places]
    return order


def hide(
    rows: NDArray[np.float32], hiding: Hiding | None, seed: Sequence[int]
) -> NDArray[np.float32]:
    """Return scaled rows as a network sees them: missing cells, and some known ones, filled in."""
    if hiding is None:
        return rows
    shares = np.asarray(hiding.shares)
    drawn = np.random.default_rng(seed).random((len(rows), len(shares))) < shares
    hidden = np.repeat(drawn, hiding.widths, axis=1)
    return hiding.factors.fill(np.where(hidden, np.float32(np.nan), rows))
