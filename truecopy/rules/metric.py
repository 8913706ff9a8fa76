"""Rules TC3xx: figures that are shown while training, and what they can say."""

from typing import Final

from truecopy.reports.wording import format_number
from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Finding
from truecopy.rules.inputs import sums_to_one
from truecopy.rules.measured import compile_line, compiled, is_autoencoder, is_number
from truecopy.rules.modelfacts import MetricFacts
from truecopy.rules.rule import find, rule

# Nothing is out of reach, but all that is decided on the figure is decided on noise: it comes
# before findings that cost less than a tenth.
_MISLEADS: Final = 0.1
# The rest of a good copy's loss is of this size: a floor below it is not noticed.
_FLOOR: Final = 0.05


@rule("TC301")
def accuracy_on_reconstruction(facts: AuditFacts) -> Finding | None:
    """Accuracy counts exact matches, which says next to nothing about a copy.

    What it checks
        Metrics that round, threshold or take the argmax, on targets that are neither 0/1 nor
        one-hot.

    Why it matters
        Keras resolves "accuracy" by the last dimension: 1 gives BinaryAccuracy, which asks that
        the rounded output equals the grey target; anything else CategoricalAccuracy, which asks
        whether the brightest pixel, or the strongest channel, is in the same place. On MNIST a
        blank page scores 0.81 and a perfect copy 0.82.

    Bad
        model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])

    Good
        model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["mse"])

    When to ignore
        When the targets are categories.
    """
    made = compiled(facts)
    if made is None or not is_autoencoder(facts):
        return None
    counting = [metric for metric in made.metrics if metric.counts]
    if not counting or not _is_continuous(facts, counting[0]):
        return None
    first = counting[0]
    known = {
        "a blank page": first.blank,
        "the mean target": first.mean,
        "a perfect copy": first.perfect,
        "this model": first.seen,
    }
    told = [f"{format_number(v)} for {name}" for name, v in known.items() if is_number(v)]
    values = ", ".join(told) or "values for these shapes that are 1 dimension's matter"
    return find(
        accuracy_on_reconstruction,
        "warning",
        f"'{first.asked}' resolves to {first.resolves_to}, which counts matches of grey values "
        f"(output shape {facts.model.output_shape}): {values}.",
        evidence={
            "metrics": [m.asked for m in counting],
            "resolves_to": first.resolves_to,
            "blank": first.blank,
            "mean": first.mean,
            "perfect": first.perfect,
            "seen": first.seen,
        },
        fix="Replace it by 'mse' (0 for a perfect copy), or a metric of truecopy.metrics.",
        change={"action": "set_metrics", "metrics": ["mse"]},
        cost=_MISLEADS,
        where=compile_line(facts),
    )


def _is_continuous(facts: AuditFacts, metric: MetricFacts) -> bool:
    """Whether counting matches is the wrong question for these targets."""
    data = facts.data
    if data is None:
        return facts.model.softmax_axis is None
    targets = data.targets
    if targets.groups or sums_to_one(data.target_sums):
        return False
    if facts.model.softmax_axis is not None and targets.integers and not targets.binary:
        return targets.shape == facts.model.output_shape
    return not targets.binary or metric.resolves_to.startswith("Categorical")


@rule("TC302")
def loss_floor_not_zero(facts: AuditFacts) -> Finding | None:
    """The loss of a perfect copy is not 0, so the number alone says little.

    What it checks
        The compiled loss at the targets themselves, where they are its minimum.

    Why it matters
        Binary cross-entropy of a grey value y is lowest at p = y, and there it is the entropy
        of y, not 0. A training that ends at 0.093 on MNIST is 0.02 above its floor.

    Bad
        print(history.history["loss"][-1])  # 0.63: good or bad?

    Good
        model.compile(loss="binary_crossentropy", metrics=["mse"])

    When to ignore
        Always, once it is known: the loss is right, its level is not comparable.
    """
    contract = facts.contract
    if contract is None or not is_autoencoder(facts) or contract.better is not None:
        return None
    perfect, mean = contract.perfect, contract.mean
    if not is_number(perfect) or not is_number(mean) or contract.unbounded:
        return None
    if abs(perfect) < _FLOOR * max(abs(mean), abs(mean - perfect)) or perfect == 0:
        return None
    seen = contract.seen
    above = f"; this model is {format_number(seen - perfect)} above" if is_number(seen) else ""
    return find(
        loss_floor_not_zero,
        "note",
        f"The loss of a perfect copy is {format_number(perfect)} on these targets, that of the "
        f"mean target {format_number(mean)}{above}.",
        evidence={
            "floor": perfect,
            "mean": mean,
            "seen": seen,
            "above_floor": seen - perfect if is_number(seen) else None,
        },
        fix="Read the loss above its floor, or watch 'mse' as well.",
        where=compile_line(facts),
    )
