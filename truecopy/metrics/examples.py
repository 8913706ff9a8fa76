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
_DIRECTIONS: Final = 2
# A prediction takes as long for one row as for this many.
_AT_ONCE: Final = 512

_Fetched = tuple[dict[int, dict[str, Any]], list[NDArray[Any]]]


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
    some = np.linspace(0, len(errors) - 1, min(_POINTS, len(errors))).astype(int)
    found, codes = _fetch(task, np.unique(np.concatenate(list(chosen.values()))), some)
    rows = tuple(
        Example(title=title, row=int(row), error=float(errors[row]), **found[int(row)])
        for title, numbers in chosen.items()
        for row in numbers
    )
    linear = details.pca_row_errors
    latents, shares = _spread(np.concatenate(codes)) if codes else (np.zeros((0, 2)), ())
    return Examples(
        rows=rows,
        mean_error=details.feature_errors,
        row_errors=errors[some],
        pca_errors=linear[some] if len(linear) else linear,
        latents=latents,
        latent_shares=shares,
    )


def _spread(latents: NDArray[Any]) -> tuple[NDArray[np.float64], tuple[float, ...]]:
    """Return latents (rows, width) along their two main directions, and these' shares of variance.

    Empty for one latent, or where the latents never change.
    """
    centred = np.asarray(latents, np.float64).reshape(len(latents), -1)
    centred -= centred.mean(axis=0)
    _, strengths, directions = np.linalg.svd(centred, full_matrices=False)
    total = float(np.square(strengths).sum())
    if len(strengths) < _DIRECTIONS or not np.isfinite(total) or total == 0:
        return np.zeros((0, _DIRECTIONS)), ()
    shares = tuple(float(strength**2 / total) for strength in strengths[:_DIRECTIONS])
    return centred @ directions[:_DIRECTIONS].T, shares


def _fetch(task: Task, wanted: NDArray[np.intp], coded: NDArray[np.intp]) -> _Fetched:
    """Return original, noisy and copy of the `wanted` rows by number, and latents of `coded`."""
    found: dict[int, dict[str, Any]] = {}
    codes: list[NDArray[Any]] = []
    waiting: list[NDArray[np.float32]] = []
    for first, seen, target in task.batches():
        if task.copier.encodes is not None:
            waiting.append(seen[_within(coded, first, len(target))])
            if sum(map(len, waiting)) >= _AT_ONCE:
                codes.append(_encode(task, waiting))
        inside = _within(wanted, first, len(target))
        if not len(inside):
            continue
        copied = task.copy(seen[inside], first).rows
        for position, copy in zip(inside, copied, strict=True):
            found[first + int(position)] = {
                "original": target[position],
                "noisy": seen[position] if task.corrupted else None,
                "reconstruction": np.asarray(copy, np.float32),
            }
    if any(map(len, waiting)):
        codes.append(_encode(task, waiting))
    return found, codes


def _within(chosen: NDArray[np.intp], first: int, rows: int) -> NDArray[np.intp]:
    """Return where the chosen rows are among `rows` rows from `first` on."""
    places: NDArray[np.intp] = chosen[(chosen >= first) & (chosen < first + rows)] - first
    return places


def _encode(task: Task, waiting: list[NDArray[np.float32]]) -> NDArray[Any]:
    """Return the latents of the rows that wait, and let go of them."""
    rows = np.concatenate(waiting)
    waiting.clear()
    return task.copier.encode(rows, task.baselines.units)
