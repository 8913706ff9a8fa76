"""Rules TC2xx on what the output can give, against what the targets ask for."""

from typing import Any, Final

from truecopy.facts import DataFacts
from truecopy.reports.wording import format_number, format_percent, format_range
from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Finding
from truecopy.rules.inputs import GREY_MAXIMA, sums_to_one
from truecopy.rules.measured import (
    SYMPTOMS,
    compiled,
    describe_output,
    is_above,
    is_autoencoder,
    is_number,
    output_line,
)
from truecopy.rules.modelfacts import Bounds
from truecopy.rules.rule import find, rule

# Softmax rounding and smoothing of labels leave less than this; a picture under softmax leaves
# more than all of it.
_SOFTMAX_SHARE: Final = 0.02
# Softmax spoils the whole output whatever else is wrong, so it comes before the other contracts.
_SOFTMAX_COST: Final = 1.0
# Rounding and a few far-off values stay below a hundredth of what there is to learn.
_UNREACHABLE: Final = 0.01
_MUCH_UNREACHABLE: Final = 0.05
# Without a measured loss: a target this many standard deviations of all values out of reach.
_FAR_OUTSIDE: Final = 0.5
_UNMEASURED_COST: Final = 0.5
# A bound that is wider than the targets by a quarter of their width on one side.
_WIDER: Final = 0.25

# What follows from any contract between output, loss and target that is broken.
BROKEN_CONTRACT: Final = (
    *SYMPTOMS,
    *("loss-not-minimal-at-target", "loss-floor-not-zero", "output-range-wider-than-target"),
)


@rule("TC201", explains=(*BROKEN_CONTRACT, "target-outside-output-range", "logits-mismatch"))
def softmax_reconstruction(facts: AuditFacts) -> Finding | None:
    """Softmax outputs share a sum of 1; the targets have another sum.

    What it checks
        A softmax over an axis whose targets do not sum to 1. One-hot steps are left alone.

    Why it matters
        Softmax is for choosing one of several. Over the pixels of a picture it deals out a
        single unit of brightness among all of them, so no pixel can be right, and no training
        changes that.

    Bad
        outputs = layers.Dense(784, activation="softmax")(h)

    Good
        outputs = layers.Dense(784, activation="sigmoid")(h)  # targets in [0, 1]

    When to ignore
        When the targets are probabilities that sum to 1 along that axis.
    """
    data, contract, axis = facts.data, facts.contract, facts.model.softmax_axis
    if data is None or axis is None or not is_autoencoder(facts):
        return None
    sums = data.target_sums
    left = contract.unavoidable_share if contract is not None else None
    low, high = data.targets.row_sums
    if sums_to_one(sums if axis == -1 else (low, low, high) if axis == 0 else None):
        return None
    if is_number(left) and left < _SOFTMAX_SHARE:
        return None
    seen, shown = sums[1] if sums is not None else None, ""
    if axis == 0:
        shown = f" while those of a target sum to {format_range(data.targets.row_sums)}"
    elif axis == -1 and is_number(seen):
        shown = f" while those of a target sum to {format_number(seen)} (median)"
    along = f"outputs along axis {axis}" if axis else "outputs of a row"
    cost = f"{format_number(left)} times the mean target's" if is_number(left) else "a part of the"
    change = _output_for(data.targets)
    return find(
        softmax_reconstruction,
        "error",
        f"Softmax makes the {along} sum to 1{shown}: {cost} squared error "
        "remains whatever is learned.",
        evidence={
            "axis": axis,
            "target_sums": data.targets.row_sums if axis == 0 else sums,
            "unavoidable_share": left,
            "unavoidable": contract.unavoidable if contract is not None else None,
        },
        fix=f"Use a {change['activation']} output, which fits targets in "
        f"{format_range((data.targets.minimum, data.targets.maximum))}"
        + (", once they are scaled." if data.targets.maximum in GREY_MAXIMA[1:] else "."),
        change=change,
        cost=max(_SOFTMAX_COST, left) if is_number(left) else _SOFTMAX_COST,
        where=output_line(facts),
    )


def _output_for(targets: DataFacts) -> dict[str, Any]:
    """Return the change to the output activation that reaches the targets."""
    inside = targets.minimum >= 0 and (targets.maximum <= 1 or targets.maximum in GREY_MAXIMA)
    return {"action": "set_output_activation", "activation": "sigmoid" if inside else "linear"}


@rule("TC202", explains=BROKEN_CONTRACT)
def target_outside_output_range(facts: AuditFacts) -> Finding | None:
    """Some targets lie where the output cannot get.

    What it checks
        The range that the last operation can give, found by driving it with extreme numbers,
        against the targets: at least 1 % of the mean target's squared error is out of reach.
        Also where each value could be reached but not all of a row at once, because something
        without weights, such as a normalisation, ties them together.

    Why it matters
        What the output can't reach stays wrong however long the training is; units that should
        go further than they can are pressed against their bound and stop learning.

    Bad
        x = StandardScaler().fit_transform(table)  # half of it below 0
        outputs = layers.Dense(n, activation="relu")(h)

    Good
        outputs = layers.Dense(n)(h)  # linear

    When to ignore
        When the values out of reach are errors in the data.
    """
    data, contract = facts.data, facts.contract
    if data is None or not is_autoencoder(facts):
        return None
    if contract is None:
        return _by_range_alone(facts, data.targets)
    left, outside = contract.unavoidable_share, contract.outside
    beyond = is_above(outside, 0.0) and outside > 0
    if not is_above(left, _UNREACHABLE) or not (beyond or contract.tied):
        return None
    span = (data.targets.minimum, data.targets.maximum)
    change, fix = _untie(data.targets) if contract.tied else _reach(facts, data.targets)
    told = (
        f"The targets span {format_range(span)} but {describe_output(facts)} reaches only "
        f"{_format_bounds(facts.model.output_bounds)}: {format_percent(outside)} of the values "
        f"are out of reach"
    )
    if contract.tied:
        told = (
            f"What follows '{facts.model.output_layer}' ties the values of an output row to each "
            "other, and no row it can give is near its target"
        )
    return find(
        target_outside_output_range,
        "error" if left >= _MUCH_UNREACHABLE else "warning",
        f"{told}, and no training can bring the MSE below {format_number(contract.unavoidable)} "
        f"({format_percent(left)} of the mean target's).",
        evidence={
            "target_range": span,
            "output_bounds": facts.model.output_bounds,
            "outside": outside,
            "unavoidable": contract.unavoidable,
            "unavoidable_share": left,
            "tied": contract.tied,
        },
        fix=fix,
        change=change,
        cost=left,
        where=output_line(facts),
    )


def _by_range_alone(facts: AuditFacts, targets: DataFacts) -> Finding | None:
    """Return the finding where no loss could be measured: bounds against the targets' range."""
    low, high = facts.model.output_bounds
    span = (targets.minimum, targets.maximum)
    if facts.model.softmax_axis is not None or not all(map(is_number, (*span, targets.spread))):
        return None
    below = low - span[0] if is_number(low) else 0.0
    above = span[1] - high if is_number(high) else 0.0
    if max(below, above) <= _FAR_OUTSIDE * targets.spread:
        return None
    change, fix = _reach(facts, targets)
    return find(
        target_outside_output_range,
        "error",
        f"The targets span {format_range(span)} but {describe_output(facts)} reaches only "
        f"{_format_bounds(facts.model.output_bounds)}.",
        evidence={"target_range": span, "output_bounds": facts.model.output_bounds},
        fix=fix,
        change=change,
        cost=_UNMEASURED_COST,
        where=output_line(facts),
    )


def _reach(facts: AuditFacts, targets: DataFacts) -> tuple[dict[str, Any], str]:
    """Return the change that brings the targets into reach."""
    cross_entropy = is_cross_entropy(facts)
    if targets.minimum >= 0 and targets.maximum in GREY_MAXIMA[1:]:
        top = format_number(targets.maximum)
        change: dict[str, Any] = {"action": "scale_data", "scaling": "divide"}
        return change | {"by": targets.maximum}, f"Divide inputs and targets by {top}."
    if facts.model.recurrent_output:
        return (
            {"action": "scale_data", "scaling": "minmax"},
            "Add a linear Dense layer after the recurrent one, or scale the data into [0, 1].",
        )
    if facts.model.output_activation == "custom":
        return {}, "Take away what bounds the output, or scale the data into its range."
    change = {"action": "set_output_activation", "activation": "linear"}
    if cross_entropy:
        loss = {"action": "set_loss", "loss": "mean_squared_error"}
        return (
            {"action": "all", "changes": [change, loss]},
            "Use a linear output with mean_squared_error, or scale the data into [0, 1].",
        )
    return change, "Use a linear output, or scale the data into the range of the output."


def _untie(targets: DataFacts) -> tuple[dict[str, Any], str]:
    """Return the change that leaves out what ties the values of an output row together."""
    change = _output_for(targets)
    return change, (
        f"Leave out what follows the last layer with weights, and use a {change['activation']} "
        "output."
    )


def is_cross_entropy(facts: AuditFacts) -> bool:
    """Whether the loss is Keras' binary cross-entropy, plain or focal."""
    made = compiled(facts)
    return made is not None and not made.own and made.loss.startswith("binary_")


def _format_bounds(bounds: Bounds) -> str:
    low, high = bounds
    left = "(-inf" if low is None else f"[{format_number(low)}"
    return f"{left}, " + ("inf)" if high is None else f"{format_number(high)}]")


@rule("TC207")
def output_range_wider_than_target(facts: AuditFacts) -> Finding | None:
    """The output's range is wider than the targets need, and part of it is wasted.

    What it checks
        An output bounded on both sides whose bounds lie more than a quarter of the targets'
        width beyond them. A linear output is never reported.

    Why it matters
        With tanh for targets in [0, 1], all that is dark has to sit at the steep middle of the
        curve instead of at its end, which takes longer to learn and leaves noise.

    Bad
        outputs = layers.Dense(784, activation="tanh")(h)  # targets in [0, 1]

    Good
        outputs = layers.Dense(784, activation="sigmoid")(h)

    When to ignore
        When other data will fill the range.
    """
    data, (low, high) = facts.data, facts.model.output_bounds
    if data is None or not is_autoencoder(facts) or facts.model.softmax_axis is not None:
        return None
    span = (data.targets.minimum, data.targets.maximum)
    if not (is_number(low) and is_number(high) and all(map(is_number, span))):
        return None
    width = span[1] - span[0]
    below, above = span[0] - low, high - span[1]
    if width <= 0 or max(below, above) <= _WIDER * width or min(below, above) < -_WIDER * width:
        return None
    unit = span[0] >= 0 and span[1] <= 1 and low < 0
    change = {"action": "set_output_activation", "activation": "sigmoid"} if unit else None
    return find(
        output_range_wider_than_target,
        "note",
        f"{describe_output(facts).capitalize()} gives {_format_bounds((low, high))}, the targets "
        f"span {format_range(span)}.",
        evidence={"target_range": span, "output_bounds": (low, high)},
        fix="Use a sigmoid output." if unit else "Scale the data to the range of the output.",
        change=change,
        where=output_line(facts),
    )
