"""Rules TC2xx on losses that read probabilities: are the targets and the output such?"""

from typing import Any, Final

from truecopy.facts import DataFacts
from truecopy.reports.wording import format_number, format_percent, format_range
from truecopy.rules.facts import AuditFacts, ContractFacts
from truecopy.rules.finding import Finding
from truecopy.rules.inputs import GREY_MAXIMA, sums_to_one
from truecopy.rules.measured import (
    compile_line,
    compiled,
    describe_output,
    is_above,
    is_autoencoder,
    is_number,
    output_line,
)
from truecopy.rules.modelfacts import CompileFacts
from truecopy.rules.output import BROKEN_CONTRACT, is_cross_entropy
from truecopy.rules.rule import find, rule

# The objective itself is broken: what is learned is something else. Softmax (1 or more), which
# breaks the output whatever the loss, comes before; what can be measured ranks by its measure.
_NO_MINIMUM_COST: Final = 0.9
_LOGITS_COST: Final = 0.85
# A few targets that rounding put outside [0, 1] do no harm.
_A_FEW: Final = 1e-3
# Losses that differ by no more are the same number, rounded.
_ALIKE: Final = 1e-6
# Bounds beyond [0, 1] by more than rounding.
_BEYOND: Final = 1e-3
# A better point than the target counts from 1 % of what a mean prediction costs more.
_BETTER: Final = 0.01


@rule(
    "TC203",
    explains=(*BROKEN_CONTRACT, "target-outside-output-range", "logits-mismatch", "diverged"),
)
def bce_target_outside_unit_interval(facts: AuditFacts) -> Finding | None:
    """Binary cross-entropy with targets outside [0, 1] has no lower bound.

    What it checks
        The share of targets below 0 or above 1 under binary cross-entropy, or under a loss of
        your own that falls without end on these targets.

    Why it matters
        -(y log p + (1 - y) log(1 - p)) has its minimum at p = y only for y in [0, 1]. For
        y = 255 it falls for ever as p goes to 1, so every pixel that is not black is driven to
        1, and the loss goes far below zero.

    Bad
        model.compile(loss="binary_crossentropy")
        model.fit(x, x)  # x in 0..255, or standardised

    Good
        model.fit(x / 255, x / 255)

    When to ignore
        Never.
    """
    data, contract, made = facts.data, facts.contract, compiled(facts)
    if data is None or contract is None or made is None or not is_autoencoder(facts):
        return None
    outside = sum(s for s in (contract.below_zero, contract.above_one) if is_number(s))
    named = is_cross_entropy(facts)
    endless = made.own and contract.unbounded and not _is_linear(contract)
    if outside <= _A_FEW or not (named or endless):
        return None
    span = (data.targets.minimum, data.targets.maximum)
    rows = round(outside * data.targets.rows * data.targets.features)
    change, fix = _mend_targets(data.targets)
    loss = made.loss if named else f"the loss '{made.loss}'"
    return find(
        bce_target_outside_unit_interval,
        "error",
        f"The targets span {format_range(span)}, and {loss} needs them in [0, 1]: "
        f"{format_percent(outside)} lie outside ({rows:,} values), where the loss falls without "
        "end.",
        evidence={
            "target_range": span,
            "outside": outside,
            "values_outside": rows,
            "below_zero": contract.below_zero,
            "above_one": contract.above_one,
            "loss_of_perfect_copy": contract.perfect,
            "unbounded": contract.unbounded,
        },
        fix=fix,
        change=change,
        cost=_NO_MINIMUM_COST,
        where=compile_line(facts),
    )


def _is_linear(contract: ContractFacts) -> bool:
    """Whether the loss charges a copy, the mean and zeros alike: it only adds up differences."""
    charged = (contract.perfect, contract.mean, contract.blank)
    return all(map(is_number, charged)) and max(charged) - min(charged) <= _ALIKE


def _mend_targets(targets: DataFacts) -> tuple[dict[str, Any], str]:
    """Return the change that gives the loss a minimum at the targets."""
    if targets.minimum >= 0:
        if targets.maximum in GREY_MAXIMA:
            top = format_number(targets.maximum)
            return (
                {"action": "scale_data", "scaling": "divide", "by": targets.maximum},
                f"Divide inputs and targets by {top}, as float32.",
            )
        return (
            {"action": "scale_data", "scaling": "minmax"},
            "Scale inputs and targets into [0, 1], or use mean_squared_error and a linear output.",
        )
    changes = [
        {"action": "set_loss", "loss": "mean_squared_error"},
        {"action": "set_output_activation", "activation": "linear"},
    ]
    return (
        {"action": "all", "changes": changes},
        "Use mean_squared_error with a linear output, or scale the data into [0, 1].",
    )


@rule("TC204", explains=(*BROKEN_CONTRACT, "target-outside-output-range", "diverged"))
def logits_mismatch(facts: AuditFacts) -> Finding | None:
    """The loss reads the output as probabilities and it gives logits, or the reverse.

    What it checks
        A cross-entropy with `from_logits=False` on an output that leaves [0, 1] (of a choice: one
        that is negative); one with `from_logits=True` on an output that was squashed already;
        an output squashed twice.

    Why it matters
        Without `from_logits`, Keras clips the output to [0, 1]: beyond it there is no gradient,
        and a wrong value costs about 16. With it, a sigmoid output is squashed again and can't
        say anything below 0.5 or above 0.73.

    Bad
        outputs = layers.Dense(784)(h)  # linear
        model.compile(loss="binary_crossentropy")

    Good
        outputs = layers.Dense(784, activation="sigmoid")(h)
        model.compile(loss="binary_crossentropy")

    When to ignore
        Never.
    """
    made, data = compiled(facts), facts.data
    if made is None or not is_autoencoder(facts):
        return None
    mismatch = _find_mismatch(facts, made)
    if mismatch is None:
        return None
    sentence, change, fix = mismatch
    clipped = facts.contract.clipped_gradient if facts.contract is not None else None
    outside = facts.behaviour.output_outside if facts.behaviour is not None else None
    share = f": {format_percent(outside)} of the outputs are clipped" if is_number(outside) else ""
    return find(
        logits_mismatch,
        "error",
        f"{sentence[0].upper()}{sentence[1:]}{share if outside else ''}.",
        evidence={
            "output_bounds": facts.model.output_bounds,
            "from_logits": made.from_logits,
            "loss": made.loss,
            "outside": outside,
            "clipped_gradient": clipped,
            "target_range": (data.targets.minimum, data.targets.maximum) if data else None,
        },
        fix=fix,
        change=change,
        cost=_LOGITS_COST,
        where=output_line(facts),
    )


def _find_mismatch(facts: AuditFacts, made: CompileFacts) -> tuple[str, dict[str, Any], str] | None:
    """Return what is read wrongly, the change that mends it, and that in words."""
    bounds = facts.model.output_bounds
    if made.from_logits and _is_unit(bounds):
        loss = "the loss in add_loss" if made.loss == "add_loss" else made.loss
        return (
            f"{describe_output(facts)} is already in [0, 1] and {loss} squashes it again",
            {"action": "set_from_logits", "from_logits": False},
            "Set from_logits=False, or make the output linear.",
        )
    if facts.model.squashed_twice:
        return (
            f"the output is squashed twice and spans only {format_number(_width(bounds))}",
            {},
            "Leave out one of the two activations at the output.",
        )
    choice = _gives_scores(facts)
    if not choice and not _gives_logits(facts):
        return None
    activation = "softmax" if choice else "sigmoid"
    seen = facts.behaviour.output if facts.behaviour is not None else None
    spans = f" (seen: {format_range(seen)})" if seen and all(map(is_number, seen)) else ""
    named = describe_output(facts)
    return (
        f"{named} is not confined to [0, 1]{spans} and {made.loss} takes it for a probability",
        {"action": "set_output_activation", "activation": activation},
        f"Use a {activation} output, or from_logits=True and a {activation} when predicting.",
    )


def _is_unit(bounds: tuple[float | None, float | None]) -> bool:
    low, high = bounds
    return is_above(low, -_BEYOND) and is_number(high) and high <= 1 + _BEYOND


def _width(bounds: tuple[float | None, float | None]) -> float | None:
    low, high = bounds
    return high - low if is_number(low) and is_number(high) else None


def _gives_scores(facts: AuditFacts) -> bool:
    """Whether an output that may be negative meets a loss that wants shares of a choice."""
    made, seen = compiled(facts), facts.behaviour
    if made is None or made.own or made.from_logits or facts.model.softmax_axis is not None:
        return False
    if "categorical_crossentropy" not in made.loss or seen is None or seen.output is None:
        return False
    if not is_number(seen.output[0]) or seen.output[0] >= -_BEYOND:
        return False
    shares = facts.data is not None and sums_to_one(facts.data.target_sums)
    return shares or made.loss.startswith("sparse_")


def _gives_logits(facts: AuditFacts) -> bool:
    """Whether an output that leaves [0, 1] meets a loss that wants probabilities."""
    made, contract = compiled(facts), facts.contract
    if made is None or made.from_logits or _is_unit(facts.model.output_bounds):
        return False
    if facts.model.softmax_axis is not None:
        return False
    outside = facts.data is not None and (facts.data.targets.minimum < -_BEYOND)
    if is_cross_entropy(facts) and not outside:
        return True
    clipped = contract.clipped_gradient if contract is not None else None
    return made.own and is_above(clipped, _BETTER) and not outside
