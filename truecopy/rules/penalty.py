"""Rules on the terms of the loss: which one rules, and which one grows with the batch."""

from typing import Final

from truecopy.reports.wording import format_number, format_percent
from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Finding, Severity
from truecopy.rules.measured import (
    AS_THE_MEAN,
    HALF,
    SYMPTOMS,
    compile_line,
    compiled,
    find_layer,
    has_failed,
    is_above,
    is_autoencoder,
    is_number,
    is_settled,
    is_trained,
    left_over,
)
from truecopy.rules.modelfacts import Where
from truecopy.rules.rule import find, rule

# There is none, or what layers add is no penalty but the loss itself.
_NO_PENALTY: Final = ("none", "add_loss")
# All codes but a few are 0: even sparse codes of a thousand units have some dozen at work.
_ALL_ZERO: Final = 0.95
# A rewarded penalty is no rounding: a hundredth of the reconstruction and more.
_REWARD: Final = 0.01
# Given twice, a mean stays and a sum doubles; half-way between, one of the terms is a sum.
_GROWS: Final = 1.5
_MIXED: Final = 1.1
_SAME: Final = 0.1
# After the change the penalty costs a tenth of what a copy saves.
_AFTERWARDS: Final = 0.1


@rule("TC506", explains=(*SYMPTOMS, "relu-latent", "latent-too-narrow", "posterior-collapse"))
def regulariser_dominates(facts: AuditFacts) -> Finding | None:
    """The penalty costs more than a copy can save, so the network gives up copying.

    What it checks
        What all layers add to the loss, now and before training, against what a perfect copy
        saves over the mean target, where half or more was not learned; a penalty below 0; and
        penalised codes that are nearly all 0.

    Why it matters
        Training lowers the sum. When zero codes save more than a copy does, zero codes are what
        one gets: the mean image with an excellent penalty. Keras 3 sums an activity regulariser
        over the batch: the coefficient of an older program is too large by the batch size.

    Bad
        self.add_loss(1e-3 * ops.sum(ops.abs(codes)))  # grows with the batch

    Good
        self.add_loss(1e-3 * ops.mean(ops.sum(ops.abs(codes), axis=-1)))

    When to ignore
        When the penalty is what you want to see.
    """
    seen, made, left = facts.behaviour, compiled(facts), left_over(facts)
    if seen is None or made is None or not is_autoencoder(facts):
        return None
    if made.loss in _NO_PENALTY or facts.variational is not None or not is_number(seen.penalty):
        return None
    rewarded = is_number(seen.reconstruction) and seen.penalty < -_REWARD * abs(seen.reconstruction)
    price = max(p for p in (seen.penalty, seen.penalty_fresh) if is_number(p))
    saving = _saving(facts)
    told = _tell(facts, price, saving, rewarded=rewarded)
    if told is None:
        return None
    batch = _batch_of(facts)
    grows = is_above(facts.contract.penalty_scaling if facts.contract else None, _GROWS)
    price = abs(price) if rewarded else price
    by = 1 / batch if grows and batch else _AFTERWARDS * (saving or price) / max(price, 1e-12)
    severity: Severity = "error" if rewarded or has_failed(facts) else "warning"
    return find(
        regulariser_dominates,
        severity,
        f"{told}.",
        evidence={
            "penalty": seen.penalty,
            "penalty_fresh": seen.penalty_fresh,
            "saving": saving,
            "reconstruction": seen.reconstruction,
            "left_over": left,
            "penalty_scaling": facts.contract.penalty_scaling if facts.contract else None,
        },
        fix=f"Give the penalty the other sign, and {format_number(min(by, 1.0))} of its weight."
        if rewarded
        else "Average the penalty over the rows of the batch."
        if grows
        else f"Multiply the penalty by about {format_number(min(by, 1.0))}.",
        change={"action": "scale_penalty", "by": -min(by, 1.0) if rewarded else min(by, 1.0)},
        cost=min(left, 1.0) if left is not None else HALF,
        where=_penalty_line(facts),
    )


def _tell(facts: AuditFacts, price: float, saving: float | None, *, rewarded: bool) -> str | None:
    """Say how the penalty rules, None where it doesn't."""
    seen, left = facts.behaviour, left_over(facts)
    if seen is None:
        return None
    if rewarded:
        return (
            f"The layers add {format_number(seen.penalty)} to a reconstruction loss of "
            f"{format_number(seen.reconstruction)}: what should be penalised is rewarded"
        )
    if not is_settled(facts) or not is_above(left, HALF):
        return None
    if saving is not None and price >= saving > 0:
        return (
            f"The penalty costs {format_number(price)}, and a perfect copy saves only "
            f"{format_number(saving)} over the mean target; {format_percent(left)} of its error is "
            "left"
        )
    latent = find_layer(facts, facts.model.latent_layer)
    codes = _penalised_zeros(facts)
    if codes is None or not is_above(left, AS_THE_MEAN):
        return None
    name = latent.name if latent is not None else facts.model.latent_layer
    return (
        f"{format_percent(codes)} of the penalised codes of '{name}' are 0, and "
        f"{format_percent(left)} of the mean target's error is left"
    )


def _penalised_zeros(facts: AuditFacts) -> float | None:
    """Return the share of zeros of penalised layers where it is nearly all."""
    layers = [layer for layer in facts.model.layers if layer.part != "output"]
    latent = find_layer(facts, facts.model.latent_layer)
    hit = [layer for layer in layers if layer.sparse]
    if facts.model.penalised and latent is not None:
        hit.append(latent)
    zeros = [layer.share_zero for layer in hit if is_above(layer.share_zero, _ALL_ZERO)]
    return max(zeros, default=None)


def _saving(facts: AuditFacts) -> float | None:
    """Return what a perfect copy saves over the mean target, in units of the loss."""
    contract = facts.contract
    if contract is None or not (is_number(contract.mean) and is_number(contract.perfect)):
        return None
    return contract.mean - contract.perfect


def _batch_of(facts: AuditFacts) -> int | None:
    return facts.training.batch_size if facts.training is not None else None


def _penalty_line(facts: AuditFacts) -> Where | None:
    latent = find_layer(facts, facts.model.latent_layer)
    return latent.where if latent is not None and latent.where else compile_line(facts)


@rule(
    "TC606",
    explains=(
        *SYMPTOMS,
        *("regulariser-dominates", "relu-latent", "kl-scale-mismatch", "posterior-collapse"),
        "latent-too-narrow",
    ),
)
def loss_scales_with_batch(facts: AuditFacts) -> Finding | None:
    """One term of the loss is summed over the batch and another is averaged.

    What it checks
        The loss of a batch given twice against that of the batch: 1 for a mean, 2 for a sum,
        for the whole loss and for what layers add; where half or more was not learned, or one
        of the two is a KL term.

    Why it matters
        The summed term weighs as much more as the batch has rows, so the balance of the loss
        hangs on `batch_size`. At 128 rows a penalty of 0.001 is one of 0.128.

    Bad
        self.add_loss(ops.sum(kl))  # the other term is a mean

    Good
        self.add_loss(ops.mean(ops.sum(kl, axis=-1)))

    When to ignore
        When all terms are sums, and the step's size allows for it.
    """
    contract, left = facts.contract, left_over(facts)
    if contract is None or not is_autoencoder(facts) or not is_number(contract.batch_scaling):
        return None
    added, rest = contract.penalty_scaling, _scaling_of_the_rest(facts)
    if not _is_mixed(facts, contract.batch_scaling, added, rest):
        return None
    judged = is_trained(facts) and is_settled(facts)
    if judged and not is_above(left, HALF) and facts.variational is None:
        return None
    batch = _batch_of(facts)
    rows = f" at {batch} rows a batch it weighs {batch} times as much" if batch else ""
    return find(
        loss_scales_with_batch,
        "error" if has_failed(facts) else "warning" if judged else "note",
        f"A batch given twice costs {format_number(contract.batch_scaling)} times as much in all, "
        f"and {format_number(added)} times in what layers add: one term is a sum over the batch"
        f"{';' if rows else ''}{rows}.",
        evidence={
            "batch_scaling": contract.batch_scaling,
            "penalty_scaling": added,
            "rest_scaling": rest,
            "batch_size": batch,
            "left_over": left,
        },
        fix="Average the summed term over the rows of the batch.",
        change={"action": "average_penalty"} if is_above(added, _GROWS) else None,
        cost=min(left, 1.0) if left is not None else HALF,
        where=_penalty_line(facts),
    )


def _scaling_of_the_rest(facts: AuditFacts) -> float | None:
    """Return how the loss without what layers add changes when the batch is given twice."""
    contract, seen = facts.contract, facts.behaviour
    if contract is None or not is_number(contract.batch_scaling):
        return None
    added = contract.penalty_scaling
    if seen is None or not is_number(added):
        return contract.batch_scaling
    if not (is_number(seen.penalty) and is_number(seen.reconstruction)):
        return None
    if abs(seen.reconstruction) <= _REWARD * abs(seen.penalty):
        return None
    whole = seen.penalty + seen.reconstruction
    return (contract.batch_scaling * whole - added * seen.penalty) / seen.reconstruction


def _is_mixed(facts: AuditFacts, whole: float, added: float | None, rest: float | None) -> bool:
    """Whether one term doubles with the batch and another stays.

    A weight decay stays beside an error that is summed, and that is right: only a KL term that
    stays there is out of step.
    """
    if not is_number(added) or not is_number(rest):
        return _MIXED <= whole <= 2 - _SAME
    if abs(added - rest) <= _GROWS - 1:
        return False
    return added >= _GROWS or (rest >= _GROWS and facts.variational is not None)
