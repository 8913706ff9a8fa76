"""What a detector says of rows: how many are outliers, which are the farthest, and why."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.facts import ReportSection
from truecopy.outlier_facts import Calibration, OutlierFacts, OutlierRow
from truecopy.reports.result import Result
from truecopy.reports.terminal import render_outliers

# More columns than this explain nothing.
_COLUMNS: Final = 3
_BINS: Final = 40


class OutlierReport(Result):
    """The outliers among some rows, as `OutlierDetector.report` finds them.

    Attributes:
        facts: How many there are, the threshold and where it comes from, the farthest rows.
        distances: The distance of each row, shape (rows,); 2 for a typical training row.
    """

    def __init__(self, facts: OutlierFacts, distances: NDArray[np.float64]) -> None:
        self._facts = facts
        self.distances = distances

    @property
    def facts(self) -> OutlierFacts:
        """The figures."""
        return self._facts

    def _render(self) -> Any:
        return render_outliers(self._facts)

    def _sections(self) -> tuple[ReportSection, ...]:
        return (ReportSection(heading=self._title(), outliers=self._facts),)


def report_outliers(
    distances: NDArray[np.float64],
    farthest: Iterable[tuple[int, NDArray[np.float64]]],
    *,
    names: Sequence[str],
    calibration: Calibration,
    data: str,
) -> OutlierReport:
    """Return the report of rows with these distances.

    Args:
        distances: Shape (rows,).
        farthest: Numbers of the rows to name, farthest first, and what each column adds to
            their distance, shape (columns,).
        names: The columns' names.
        calibration: The threshold.
        data: The name of the rows.
    """
    worst = [
        OutlierRow(
            row=row,
            distance=float(distances[row]),
            outlier=bool(distances[row] > calibration.threshold),
            columns={
                names[column]: float(parts[column] / max(parts.sum(), np.finfo(float).tiny))
                for column in np.argsort(-parts, kind="stable")[:_COLUMNS]
            },
        )
        for row, parts in farthest
    ]
    low = max(float(distances.min()), np.finfo(float).tiny)
    high = max(float(distances.max()), low) * 1.001
    edges = np.geomspace(low, high, _BINS + 1)
    counts, _ = np.histogram(np.clip(distances, edges[0], edges[-1]), edges)
    facts = OutlierFacts(
        data=data,
        rows=len(distances),
        flagged=int((distances > calibration.threshold).sum()),
        calibration=calibration,
        worst=tuple(worst),
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
    )
    return OutlierReport(facts, distances)
