"""A figure explained in sentences, with this evaluation's own numbers: how it comes about.

The counts behind the sentences add up to the last pixel; see `truecopy.metrics.bridge`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from truecopy.facts import EvaluationFacts


def tell_score(name: str, facts: EvaluationFacts) -> tuple[str, ...]:
    """Return the sentences that explain one score of an evaluation."""
    score = facts.scores[name]
    skill = "no scale" if score.skill is None else f"skill {score.skill:.3f}"
    opening = (
        f"{facts.model} on {facts.data}: {name} {score.value:.7g}, between {score.floor:.7g} "
        f"({score.floor_from}) and {score.perfect:.7g} (a perfect copy): {skill}."
    )
    tell = _TELL.get(name)
    if tell is None or name not in facts.explain:
        return (opening,)
    return (opening, *tell(facts.explain[name]))


def _tell_accuracy(told: Mapping[str, Any]) -> tuple[str, ...]:
    resolved = (
        f"Keras resolves 'accuracy' to {told['resolves_to']}, because the last dimension of the "
        f"output is {told['last_dimension']}. Its own evaluate, which adds up batches of 32 rows "
        f"in float32, gives {told['keras_float32']:.9g}."
    )
    if "values" not in told:
        return (resolved,)
    if told["resolves_to"] != "binary_accuracy":
        return (
            (
                f"{resolved} It asks whether the largest entry along that dimension is in the same "
                "place. What follows is the classic count, value by value."
            ),
            *_tell_bridge(told),
        )
    return (resolved, *_tell_bridge(told))


def _tell_bridge(told: Mapping[str, Any]) -> tuple[str, ...]:
    total, targets, right = told["values"], told["targets"], told["right"]
    bridge: Mapping[str, int] = told["bridge"]
    counted = bridge["right_exact"] + bridge["right_not_exact"]
    exact = bridge["right_exact"] + bridge["wrong_exact"]
    return (
        (
            f"Of {total:,} values {targets['black']:,} are 0, {targets['white']:,} are 1 and "
            f"{targets['grey']:,} are grey. Only the first two kinds, {told['can_be_right']:,} or "
            f"{told['can_be_right'] / total:.4%}, can ever count as right: a grey target equals "
            "neither 0 nor 1."
        ),
        (
            f"Right here: {right['black']:,} black and {right['white']:,} white, {counted:,} "
            f"together: {counted / total:.4%}."
        ),
        (
            f"From accuracy to exact match: {counted:,} right - {bridge['right_not_exact']:,} "
            f"right but not exact + {bridge['wrong_exact']:,} exact but counted wrong = "
            f"{exact:,} exact in 8 bits: {exact / total:.4%}. {bridge['wrong_not_exact']:,} are "
            "neither."
        ),
        (
            f"Truncating, as (255 * p).astype('uint8') does, in place of rounding loses "
            f"{told['only_rounded']:,} exact values and gains {told['only_truncated']:,}: it "
            "counts 254.9 as 254, and 0.9 as 0. That makes "
            f"{exact - told['only_rounded'] + told['only_truncated']:,} exact when truncated: "
            f"{(exact - told['only_rounded'] + told['only_truncated']) / total:.4%}."
        ),
    )


def _tell_loss(told: Mapping[str, Any]) -> tuple[str, ...]:
    excess, parts = told["excess"], told["excess_by_target"]
    shares = ", ".join(f"{part:.4g} in {tone} targets" for tone, part in parts.items())
    sentence = (
        f"A perfect copy costs {told['floor']:.7g}, the targets' entropy; no training gets "
        f"below. What can be learned is the excess of {excess:.4g} nats per value: {shares}."
    )
    return (sentence,)


_TELL: Final[dict[str, Callable[[Mapping[str, Any]], tuple[str, ...]]]] = {
    "keras_accuracy": _tell_accuracy,
    "bce": _tell_loss,
}
