"""One evaluation: what copies what, compared with what, batch by batch."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from truecopy.data.finite import require_finite
from truecopy.data.noise import Noise, corrupt
from truecopy.data.sources import Source
from truecopy.errors import ModelError, ShapeMismatch
from truecopy.metrics.baselines import Baselines
from truecopy.metrics.copier import Copied, Copier

# A multiple of the noise's and the predictions' blocks, so nothing is drawn or padded twice.
_BATCH: Final = 1024
_FIRST: Final = 5

Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What copies what, compared with what.

    `source` are the rows the model sees, `clean` those it should give back; they are the same
    object unless a target was given. `noise` corrupts what the model sees. `own_floor`: the
    baselines were fitted on the evaluated rows, for want of training rows.
    """

    copier: Copier
    untrained: Copier | None
    source: Source
    clean: Source
    baselines: Baselines
    noise: Noise | None
    seed: int
    own_floor: bool = False

    @property
    def corrupted(self) -> bool:
        """Whether the model sees something else than the target."""
        return self.noise is not None or self.clean is not self.source

    def batches(self) -> Iterator[tuple[int, Rows, Rows]]:
        """Give (first row, what the model sees, target) in scaled units, batch by batch."""
        scaling = self.baselines.units.scaling
        first = 0
        pairs: Iterable[tuple[NDArray[Any], NDArray[Any]]]
        if self.clean is self.source:
            pairs = ((rows, rows) for rows in self.source.batches(_BATCH))
        else:
            pairs = _zip_rows(self.source, self.clean)
        for rows, clean in pairs:
            require_finite(rows, first=first, name=self.source.name)
            if clean is not rows:
                require_finite(clean, first=first, name=self.clean.name)
            target = scaling.apply(clean)
            seen = target if clean is rows else scaling.apply(rows)
            yield first, self._corrupt(seen, first), target
            first += len(rows)

    def copy(self, seen: Rows, first: int) -> Copied:
        """Return the model's copies; refuse one that is not finite."""
        copies = self.copier.copy(seen, self.baselines.units)
        if not np.isfinite(copies.rows).all():
            self._refuse_copies(copies.rows, first)
        return copies

    def compare(self, seen: Rows, target: Rows) -> dict[str, NDArray[Any]]:
        """Return the copies of the perfect copier and of all baselines but the constants."""
        copies: dict[str, NDArray[Any]] = {"perfect": target}
        if self.corrupted:
            copies["copy_input"] = seen
        if self.untrained is not None:
            copies["untrained"] = self.untrained.copy(seen, self.baselines.units).rows
        return copies | self.baselines.predict(seen)

    def _refuse_copies(self, copied: NDArray[Any], first: int) -> NoReturn:
        bad = ~np.isfinite(copied).reshape(len(copied), -1)
        rows = np.flatnonzero(bad.any(axis=1))
        places = ", ".join(str(first + int(row)) for row in rows[:_FIRST])
        message = (
            f"The output of {self.copier.name!r} has {int(bad.sum()):,} NaN or infinite values in "
            f"{len(rows):,} of rows {first} to {first + len(copied) - 1} (first: {places}). Train "
            "it again with a lower learning rate."
        )
        raise ModelError(message)

    def _corrupt(self, rows: Rows, first: int) -> Rows:
        if self.noise is None:
            return rows
        return corrupt(rows, self.noise, seed=self.seed, first_row=first)


def _zip_rows(source: Source, clean: Source) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Pair the batches of inputs and targets; refuse other numbers of rows."""
    inputs, targets = source.batches(_BATCH), clean.batches(_BATCH)
    while True:
        rows, wanted = next(inputs, None), next(targets, None)
        if rows is None and wanted is None:
            return
        if rows is None or wanted is None or len(rows) != len(wanted):
            message = "The inputs and the targets have different numbers of rows."
            raise ShapeMismatch(message)
        yield rows, wanted
