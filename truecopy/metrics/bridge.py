"""How Keras' accuracy and the exact match hang together, pixel by pixel, adding up exactly.

Every value of the targets is black (0), grey or white (1); it is counted right or wrong by
"accuracy" and exact or not in 8 bits. These twelve counts explain both figures: the accuracy
is the share of the right ones, the exact match that of the exact ones, and the difference is
what is right but not exact, less what is exact but counted wrong.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from truecopy.metrics.likelihoods import value_excess
from truecopy.metrics.pixels import LEVELS, to_levels, truncate_to_levels

TONES: Final = ("black", "grey", "white")
_THRESHOLD: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Bridge:
    """Counts of values over the rows seen so far.

    Attributes:
        counts: Shape (tone of the target, counted right, exact), whole numbers.
        only_rounded: Values that are exact when rounded, not when truncated.
        only_truncated: The reverse.
        excess: The binary cross-entropy above the target's entropy, summed per tone, in nats.
        off_by: How many values are off by k grey levels, for k = 0..255.
    """

    counts: NDArray[np.int64]
    only_rounded: int
    only_truncated: int
    excess: NDArray[np.float64]
    off_by: NDArray[np.int64]

    @classmethod
    def empty(cls) -> Self:
        """Return the counts of no rows."""
        shape = (len(TONES), 2, 2)
        return cls(
            np.zeros(shape, np.int64), 0, 0, np.zeros(len(TONES)), np.zeros(LEVELS, np.int64)
        )

    def update(self, target: NDArray[Any], copy: NDArray[Any]) -> Self:
        """Return the counts with one batch more: scaled rows in [0, 1], and their copy."""
        excess = value_excess(target, copy)
        tone = np.where(target == 0, 0, np.where(target == 1, 2, 1)).ravel()
        right = (target == (copy > _THRESHOLD)).ravel()
        levels, copied = to_levels(target).ravel(), to_levels(copy).ravel()
        exact, truncated = levels == copied, levels == truncate_to_levels(copy).ravel()
        counts = np.bincount(tone * 4 + right * 2 + exact, minlength=4 * len(TONES))
        batch = type(self)(
            counts.reshape(len(TONES), 2, 2),
            int((exact & ~truncated).sum()),
            int((truncated & ~exact).sum()),
            np.bincount(tone, excess.ravel(), minlength=len(TONES)).astype(np.float64),
            np.bincount(np.abs(levels - copied), minlength=LEVELS),
        )
        return self.merge(batch)

    def merge(self, other: Self) -> Self:
        """Return the counts of the rows of both."""
        return replace(
            self,
            counts=self.counts + other.counts,
            only_rounded=self.only_rounded + other.only_rounded,
            only_truncated=self.only_truncated + other.only_truncated,
            excess=self.excess + other.excess,
            off_by=self.off_by + other.off_by,
        )

    def compute(self) -> dict[str, Any]:
        """Return the explanation: whole numbers that add up, and their shares."""
        total = int(self.counts.sum())
        right = {
            f"{verdict}_{match}": int(self.counts[:, r, e].sum())
            for r, verdict in ((1, "right"), (0, "wrong"))
            for e, match in ((1, "exact"), (0, "not_exact"))
        }
        tones = self.counts.sum(axis=(1, 2))
        return {
            "values": total,
            "targets": {tone: int(n) for tone, n in zip(TONES, tones, strict=True)},
            "right": {
                tone: int(n) for tone, n in zip(TONES, self.counts[:, 1].sum(axis=1), strict=True)
            },
            "bridge": right,
            "can_be_right": int(tones[0] + tones[2]),
            "only_rounded": self.only_rounded,
            "only_truncated": self.only_truncated,
        }

    def compute_excess(self) -> dict[str, float]:
        """Return the cross-entropy above the floor, per value, by the tone that holds it."""
        total = max(int(self.counts.sum()), 1)
        return {tone: float(n / total) for tone, n in zip(TONES, self.excess, strict=True)}

    def compute_tolerance(self) -> tuple[float, ...]:
        """Return the share of values within k grey levels of the target, for k = 0..255."""
        return tuple(float(s) for s in np.cumsum(self.off_by) / max(self.off_by.sum(), 1))
