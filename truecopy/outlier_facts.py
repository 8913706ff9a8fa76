"""What a detector of outliers knows: its threshold, and what it says of some rows."""

from collections.abc import Mapping
from dataclasses import dataclass

from truecopy.facts import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration(Record):
    """Where a threshold comes from.

    Attributes:
        threshold: Rows with an error above it are outliers.
        rows: How many rows it was taken from.
        taken_from: In words, which rows these were.
        asked: The share of rows to flag that was asked for.
        promised: The share that is kept: of the rows given to `fit` with a contamination, of
            ordinary new rows, on average, without one.
        note: What the reader should know; empty if nothing.
    """

    threshold: float
    rows: int
    taken_from: str
    asked: float
    promised: float
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class OutlierRow(Record):
    """A row by its number from 0, its distance, and the shares of it that the columns hold.

    `columns` are those with the largest shares, largest first.
    """

    row: int
    distance: float
    outlier: bool
    columns: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class OutlierFacts(Record):
    """What a detector says of some rows.

    `flagged` of `rows` lie beyond the threshold; `worst` are the farthest. `edges` and `counts`
    are a histogram of all distances, whose bins grow by equal factors.
    """

    data: str
    rows: int
    flagged: int
    calibration: Calibration
    worst: tuple[OutlierRow, ...]
    edges: tuple[float, ...]
    counts: tuple[int, ...]
