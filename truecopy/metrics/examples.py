"""The rows a report shows as pictures: the best, the median and the worst copies."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.facts import Example, Examples
from truecopy.metrics.scoring import Details
from truecopy.metrics.task import Task

_EACH: Final = 3
# Points of the scatter: more would only lie on each other.
_POINTS: Final = 2_000


def pick_examples(task: Task, details: Details) -> Examples:
    """Fetch the best, median and worst rows, in a second pass that copies only them.

    Args:
        task: What was evaluated.
        details: The errors of its rows and features.
    """
    errors = details.row_errors
    order = np.argsort(errors, kind="stable")
    count = min(_EACH, len(order))
    middle = max(0, len(order) // 2 - count // 2)
    chosen = {
        "best": order[:count],
        "median": order[middle : middle + count],
        "worst": order[-count:][::-1],
    }
    found = _fetch(task, np.unique(np.concatenate(list(chosen.values()))))
    rows = tuple(
        Example(title=title, row=int(row), error=float(errors[row]), **found[int(row)])
        for title, numbers in chosen.items()
        for row in numbers
    )
    some = np.linspace(0, len(errors) - 1, min(_POINTS, len(errors))).astype(int)
    linear = details.pca_row_errors
    return Examples(
        rows=rows,
        mean_error=details.feature_errors,
        row_errors=errors[some] if len(linear) else linear,
        pca_errors=linear[some] if len(linear) else linear,
    )


def _fetch(task: Task, wanted: NDArray[np.intp]) -> dict[int, dict[str, Any]]:
    """Return original, noisy and reconstruction of the wanted rows, by row number."""
    found: dict[int, dict[str, Any]] = {}
    for first, seen, target in task.batches():
        inside = wanted[(wanted >= first) & (wanted < first + len(target))] - first
        if not len(inside):
            continue
        copied = task.copy(seen[inside], first)
        for position, copy in zip(inside, copied, strict=True):
            found[first + int(position)] = {
                "original": target[position],
                "noisy": seen[position] if task.corrupted else None,
                "reconstruction": np.asarray(copy, np.float32),
            }
    return found
