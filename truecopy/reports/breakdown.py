"""What stands behind the figures: parts that add up, classes, tolerance, structure.

Each function turns the facts of an evaluation into rows that a page or a terminal shows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from truecopy.facts import ColumnScoreFacts, EvaluationFacts
from truecopy.reports.wording import format_number, format_percent

# More classes or columns than this are no longer read one by one: the worst ones are shown.
_MOST_CLASSES: Final = 24
_MOST_COLUMNS: Final = 24
# Grey levels that people have in mind: exact, not visible, barely visible, visible.
_LEVELS: Final = (0, 1, 2, 5, 10, 20, 50)

_TONES: Final = {"black": "0 (black)", "grey": "between (grey)", "white": "1 (white)"}
_VERDICTS: Final = {
    "right_exact": "right and exact",
    "right_not_exact": "right, but not exact",
    "wrong_exact": "exact, but counted wrong",
    "wrong_not_exact": "neither right nor exact",
}


@dataclass(frozen=True)
class Part:
    """A part of a whole: its key, its name in words, its count, and its share from 0 to 1."""

    key: str
    text: str
    count: float
    share: float


def list_tones(evaluation: EvaluationFacts) -> tuple[Part, ...]:
    """List how many target values are black, grey and white; empty where that says nothing."""
    counts = evaluation.explain.get("keras_accuracy", {}).get("targets", {})
    return _share_out({_TONES[key]: (key, count) for key, count in counts.items()})


def list_verdicts(evaluation: EvaluationFacts) -> tuple[Part, ...]:
    """List how many values are right, exact, both and neither: they add up to all values."""
    counts = evaluation.explain.get("keras_accuracy", {}).get("bridge", {})
    return _share_out({_VERDICTS[key]: (key, counts[key]) for key in _VERDICTS if key in counts})


def list_excess(evaluation: EvaluationFacts) -> tuple[Part, ...]:
    """List how much of the loss above its floor the black, grey and white targets hold."""
    held = evaluation.explain.get("bce", {}).get("excess_by_target", {})
    return _share_out({_TONES[key]: (key, nats) for key, nats in held.items()})


def _share_out(counts: dict[str, tuple[str, float]]) -> tuple[Part, ...]:
    total = sum(count for _, count in counts.values())
    return tuple(
        Part(key, text, count, max(count / total, 0.0) if total else 0.0)
        for text, (key, count) in counts.items()
    )


def list_classes(evaluation: EvaluationFacts) -> tuple[Part, ...]:
    """List the error of each class, worst first; the share is of the worst one's."""
    ordered = sorted(evaluation.classes.items(), key=lambda item: -item[1])[:_MOST_CLASSES]
    worst = ordered[0][1] if ordered else 0.0
    return tuple(Part(label, label, e, e / worst if worst else 0.0) for label, e in ordered)


def list_columns(evaluation: EvaluationFacts) -> tuple[tuple[str, ColumnScoreFacts], ...]:
    """List the columns of a table with their figures, worst skill first."""
    worst_first = sorted(
        evaluation.columns.items(), key=lambda item: (item[1].skill is None, item[1].skill or 0.0)
    )
    return tuple(worst_first[:_MOST_COLUMNS])


def describe_tolerance(evaluation: EvaluationFacts) -> str:
    """Say how many values are within some numbers of grey levels; empty where there are none."""
    curve = evaluation.tolerance
    shares = [f"{k}: {format_percent(curve[k])}" for k in _LEVELS if k < len(curve)]
    return "; ".join(shares)


def describe_structure(evaluation: EvaluationFacts) -> Iterator[tuple[str, str]]:
    """Say how copies and latents are spread, as pairs of a label and its text."""
    known = {name: value for name, value in evaluation.structure.items() if value is not None}
    if "variance_kept" in known:
        share = format_percent(known["variance_kept"])
        yield "variance", f"the copies have {share} of that of the targets"
    if "copies_effective_rank" in known:
        rank = format_number(known["copies_effective_rank"], 1)
        yield "copies", f"effective rank {rank}: about so many directions are in use"
    if "latents_active" in known:
        latent = "" if evaluation.latent is None else f" of {evaluation.latent}"
        rank = format_number(known.get("latents_effective_rank"), 1)
        active = f"{known['latents_active']}{latent} active (variance above 0.01)"
        yield "latents", f"{active}; effective rank {rank}"
    if "error_input_correlation" in known:
        correlation = format_number(known["error_input_correlation"], 2)
        yield "errors", f"correlation of the absolute error with the target's value {correlation}"


def describe_breakdown(evaluation: EvaluationFacts) -> Iterator[tuple[str, str]]:
    """Say tolerance, classes and structure in a few lines, as pairs of a label and its text."""
    tolerance = describe_tolerance(evaluation)
    if tolerance:
        yield "within", f"grey levels: {tolerance}"
    classes = list_classes(evaluation)
    if classes:
        worst, best = classes[0], min(evaluation.classes.items(), key=lambda item: item[1])
        yield (
            "classes",
            (
                f"mse by label from {format_number(best[1])} ({best[0]}) to "
                f"{format_number(worst.count)} ({worst.text})"
            ),
        )
    skills = {n: c.skill for n, c in evaluation.columns.items() if c.skill is not None}
    if skills:
        ordered = sorted((skill, name) for name, skill in skills.items())
        low, high = (
            f"{format_number(skill)} ({name})" for skill, name in (ordered[0], ordered[-1])
        )
        yield "columns", f"skill from {low} to {high}"
    yield from describe_structure(evaluation)
