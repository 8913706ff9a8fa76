"""Programs taken in turns, A B C A B C, so that a change of the machine meets all of them."""

import math
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from benchmarks.measure import Program


def take_turns(programs: Sequence[Program], repeats: int) -> Iterator[tuple[int, Program]]:
    """Yield every program once per round, with the number of the round."""
    for number in range(repeats):
        for program in programs:
            yield number, program


def take_medians(runs: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return the median of each figure of the runs that did not fail.

    A figure that is None was not reached in that run; it counts as infinite. Figures that are
    not numbers, as curves, are left out.
    """
    good = [run for run in runs if not run["failure"]]
    rows = [
        {**{k: run[k] for k in ("wall", "cpu", "peak", "others")}, **run["figures"]} for run in good
    ]
    names = dict.fromkeys(name for row in rows for name in row)
    medians = {}
    for name in names:
        values = [math.inf if row.get(name) is None else row[name] for row in rows]
        if all(isinstance(value, int | float) for value in values):
            medians[name] = float(median(values))
    return medians
