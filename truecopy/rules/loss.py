"""Rules TC2xx on the loss: does what was compiled ask for a copy?"""

from typing import Final

from truecopy.reports.wording import format_number, format_percent
from truecopy.rules.facts import AuditFacts, ContractFacts
from truecopy.rules.finding import Finding
from truecopy.rules.measured import (
    SYMPTOMS,
    compile_line,
    compiled,
    is_above,
    is_autoencoder,
    is_number,
)
from truecopy.rules.output import BROKEN_CONTRACT
from truecopy.rules.rule import find, rule

# The objective itself is broken: what is learned is something else. Softmax (1 or more), which
# breaks the output whatever the loss, comes before; what can be measured ranks by its measure.
_CATEGORICAL_COST: Final = 0.95
_NOT_MINIMAL_COST: Final = 0.7
# A better point than the target counts from 1 % of what a mean prediction costs more.
_BETTER: Final = 0.01
# Rows that differ by half of their mean cost a mean prediction a tenth of a blank and more.
_VARIED: Final = 0.5
# Where nearly half of the values don't count, the loss is not that of a copy.
_IGNORED: Final = 0.4
# Sums this far from 1 are no one-hot or probability targets.
_NOT_ONE: Final = 0.05


@rule("TC205", explains=(*SYMPTOMS, "loss-floor-not-zero", "overfitting"))
def loss_not_minimal_at_target(facts: AuditFacts) -> Finding | None:
    """A perfect copy is not what the loss asks for.

    What it checks
        The loss, as compiled, at the targets themselves against small steps away from them,
        zeros, the mean target and other points; whether exchanging its arguments would mend it;
        whether it tells a copy from the mean target; and whether it leaves out many values.

    Why it matters
        Training goes where the loss is lowest. If that isn't the target, a better training
        gives a worse copy. Usual reasons: swapped arguments, a wrong sign, a missing term, or a
        mean over the wrong axis.

    Bad
        def loss(y_pred, y_true):  # Keras passes (y_true, y_pred)
            return -ops.mean(y_true * ops.log(y_pred + 1e-7))

    Good
        def loss(y_true, y_pred):
            return keras.losses.binary_crossentropy(y_true, y_pred)

    When to ignore
        When the loss masks values on purpose, or wants something other than a copy.
    """
    contract, made = facts.contract, compiled(facts)
    if contract is None or not is_autoencoder(facts):
        return None
    if not is_number(contract.perfect) and not contract.unbounded:
        return None
    if not _has_better(contract):
        blind = _takes_the_mean(facts, contract)
        if blind is not None or (made is not None and not made.own):
            return blind
        return _leaves_out(facts, contract)
    at = contract.better_at or "another point"
    reason = " Exchanging its two arguments mends it." if contract.swapped else ""
    fix = (
        "Write the loss as loss(y_true, y_pred)."
        if contract.swapped
        else "Use a loss that is lowest where output and target agree."
    )
    return find(
        loss_not_minimal_at_target,
        "error",
        f"A perfect copy costs {_tell(contract.perfect)}, but the loss is lower elsewhere: "
        f"{_tell_lower(contract, at)}.{reason}",
        evidence={
            "perfect": contract.perfect,
            "better": contract.better,
            "better_at": at,
            "mean": contract.mean,
            "blank": contract.blank,
            "swapped": contract.swapped,
            "unbounded": contract.unbounded,
        },
        fix=fix,
        change={"action": "set_loss", "loss": "mean_squared_error"},
        cost=_NOT_MINIMAL_COST,
        where=compile_line(facts),
    )


def _tell(loss: float | None) -> str:
    return format_number(loss) if is_number(loss) else "no finite number"


def _tell_lower(contract: ContractFacts, at: str) -> str:
    """Say where the loss is lower than for a perfect copy."""
    if contract.unbounded or not is_number(contract.better):
        return "it has no lower bound"
    return f"{format_number(contract.better)} at {at}"


def _has_better(contract: ContractFacts) -> bool:
    """Whether a point is better than the target by more than rounding."""
    if contract.unbounded or not is_number(contract.better):
        return contract.unbounded
    gain = contract.perfect - contract.better
    scale = abs(contract.perfect)
    if is_number(contract.mean) and contract.mean > contract.perfect:
        scale = contract.mean - contract.perfect
    return gain > _BETTER * scale and gain > 0


def _takes_the_mean(facts: AuditFacts, contract: ContractFacts) -> Finding | None:
    """Return the finding of a loss that is as content with the mean target as with a copy."""
    data = facts.data
    if not (is_number(contract.mean) and is_number(contract.blank)) or data is None:
        return None
    gap, blank = contract.mean - contract.perfect, contract.blank - contract.perfect
    varied = is_above(data.variation, _VARIED)
    if not varied or blank <= 0 or not 0 <= gap < _BETTER * blank:
        return None
    return find(
        loss_not_minimal_at_target,
        "error",
        f"The mean target costs {format_number(contract.mean)} and a perfect copy "
        f"{format_number(contract.perfect)}, while zeros cost {format_number(contract.blank)}: the "
        "loss does not tell one row from another.",
        evidence={
            "perfect": contract.perfect,
            "mean": contract.mean,
            "blank": contract.blank,
            "variation": data.variation,
        },
        fix="Compare each row with its own target: reduce over values first, rows last.",
        change={"action": "set_loss", "loss": "mean_squared_error"},
        cost=_NOT_MINIMAL_COST,
        where=compile_line(facts),
    )


def _leaves_out(facts: AuditFacts, contract: ContractFacts) -> Finding | None:
    """Return the finding of a loss that doesn't see many of the values."""
    if not is_above(contract.ignores, _IGNORED):
        return None
    return find(
        loss_not_minimal_at_target,
        "warning",
        f"{format_percent(contract.ignores)} of the target values can change without changing "
        "the loss.",
        evidence={"ignores": contract.ignores, "perfect": contract.perfect},
        fix="Let the loss compare all values.",
        change={"action": "set_loss", "loss": "mean_squared_error"},
        cost=min(contract.ignores, 1.0) * _NOT_MINIMAL_COST,
        where=compile_line(facts),
    )


@rule("TC206", explains=BROKEN_CONTRACT)
def categorical_loss_on_vectors(facts: AuditFacts) -> Finding | None:
    """Categorical cross-entropy wants one choice per group; these are vectors.

    What it checks
        Categorical cross-entropy or KL divergence where the targets don't sum to 1 over the
        last axis.

    Why it matters
        -sum(y log p) only rewards raising p where y is large. It never says what a grey of 0.3
        should be, it divides the output by its sum first, and it is not 0 for a copy.

    Bad
        model.compile(loss="categorical_crossentropy")  # pictures, or several labels a row

    Good
        model.compile(loss="binary_crossentropy")  # values in [0, 1]

    When to ignore
        When each row is a probability distribution.
    """
    made, data = compiled(facts), facts.data
    if made is None or data is None or data.target_sums is None or not is_autoencoder(facts):
        return None
    median = data.target_sums[1]
    named = made.loss in {
        "categorical_crossentropy",
        "kl_divergence",
        "kullback_leibler_divergence",
    }
    if not named or made.own or not is_number(median) or abs(median - 1) <= _NOT_ONE:
        return None
    unit = data.targets.minimum >= 0 and data.targets.maximum <= 1
    loss = "binary_crossentropy" if unit else "mean_squared_error"
    changes = [
        {"action": "set_loss", "loss": loss},
        {"action": "set_output_activation", "activation": "sigmoid" if unit else "linear"},
    ]
    perfect = facts.contract.perfect if facts.contract is not None else None
    return find(
        categorical_loss_on_vectors,
        "error",
        f"{made.loss} expects targets that sum to 1 over the last axis; these sum to "
        f"{format_number(median)} (median).",
        evidence={"loss": made.loss, "target_sums": data.target_sums, "perfect": perfect},
        fix=f"Use {loss} with a {changes[1]['activation']} output.",
        change={"action": "all", "changes": changes},
        cost=_CATEGORICAL_COST,
        where=compile_line(facts),
    )
