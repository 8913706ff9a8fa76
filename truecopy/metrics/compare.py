"""Two models on the same rows: the difference of every figure, with a paired interval."""

from typing import Any

import numpy as np

from truecopy.errors import ShapeMismatch
from truecopy.facts import ComparisonFacts, DifferenceFacts
from truecopy.metrics.evaluate import Scorecard
from truecopy.metrics.tally import find_interval
from truecopy.reports.result import Result
from truecopy.reports.terminal import render_comparison


class Comparison(Result):
    """Which of two models copies better, figure by figure."""

    def __init__(self, facts: ComparisonFacts) -> None:
        self._facts = facts

    @property
    def facts(self) -> ComparisonFacts:
        """The figures and their differences."""
        return self._facts

    def _render(self) -> Any:
        return render_comparison(self._facts)


def compare(first: Scorecard, second: Scorecard) -> Comparison:
    """Compare two models scored on the same rows.

    The interval of a difference is paired: both scorecards' bootstrap replicates drew the same
    rows, so what both models find hard cancels.

    Args:
        first: One model's scorecard.
        second: Another's, of the same rows with the same noise.

    Raises:
        ShapeMismatch: The scorecards are not of the same rows.
    """
    a, b = first.facts, second.facts
    # A perfect copy's cross-entropy and a blank page's errors tell other rows apart.
    same = a.rows == b.rows and a.scores.keys() == b.scores.keys()
    same = same and all(
        np.isclose(a.scores[name].perfect, b.scores[name].perfect, rtol=1e-6)
        and np.isclose(
            a.scores[name].baselines["blank"] or 0, b.scores[name].baselines["blank"] or 0
        )
        for name in a.scores
    )
    if not same:
        message = (
            f"The scorecards are of different rows ({a.rows:,} of {a.data}, {b.rows:,} of "
            f"{b.data}). Score both models on the same data."
        )
        raise ShapeMismatch(message)
    names = a.model, b.model if a.model != b.model else f"{b.model} (second)"
    differences = {
        name: _difference(first, second, name, names) for name in first.details.replicates
    }
    return Comparison(
        ComparisonFacts(
            first=names[0], second=names[1], data=a.data, rows=a.rows, differences=differences
        )
    )


def _difference(
    first: Scorecard, second: Scorecard, name: str, names: tuple[str, str]
) -> DifferenceFacts:
    a, b = first.facts.scores[name], second.facts.scores[name]
    low, high = find_interval(first.details.replicates[name] - second.details.replicates[name])
    better = None
    if low > 0 or high < 0:
        better = names[0] if (low > 0) == a.higher_is_better else names[1]
    return DifferenceFacts(
        first=a.value, second=b.value, difference=a.value - b.value, ci95=(low, high), better=better
    )
