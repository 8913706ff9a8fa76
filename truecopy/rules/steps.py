"""Rule TC502: the size of a step against that of the weights, with what came of it."""

from collections.abc import Sequence
from typing import Final

from truecopy.reports.wording import format_number, format_percent
from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Finding
from truecopy.rules.measured import (
    ADAPTIVE,
    AS_THE_MEAN,
    FEW_STEPS,
    HALF,
    STEEP,
    SYMPTOMS,
    compile_line,
    compiled,
    has_worked,
    is_above,
    is_autoencoder,
    is_far_behind_pca,
    is_number,
    is_settled,
    is_trained,
    left_over,
    planned_steps,
    slope_of,
)
from truecopy.rules.modelfacts import CompileFacts
from truecopy.rules.rule import find, rule

# Initial weights of usual layers are 0.02 to 0.2: from 0.03 on, each such step is of their size.
# Adam at 0.01 trains many a small network well, so the number alone is never enough below.
_LARGE_ADAPTIVE: Final = 0.03
# A step of a third of the layer's weights overwrites it within three.
_LARGE_UPDATE: Final = 0.3
# Adadelta's paper has 1.0, Keras 0.001: its steps then are a thousandth of what it is made for.
_SMALL_ADADELTA: Final = 0.05
# All steps together move the weights by less than a tenth: they stay about where they started.
_SMALL_TRAVEL: Final = 0.1
# Steps that float32 rounds away, whatever the weights. A cosine that ends there was far above for
# most of its epochs, in which the loss moved.
_VANISHED: Final = 1e-7
_UNMOVED: Final = 1e-3
# A callback that cuts the rate to a tenth while the loss falls fast, and ends at a hundredth of it
# or less; a little more for float32.
_CUT: Final = 0.101
_GONE: Final = 0.0101
# Keras' default is 1e-7, and 1e-4 is given on purpose. Adam's first step, divided by the weights'
# size, is 5 to 50 times the rate; where epsilon is far above the gradients it is below the rate.
_LARGE_EPSILON: Final = 1e-3
_FEWEST_EPOCHS: Final = 4
# A first epoch (or step) three times the mean target's loss: worse than not looking at the input.
_EXPLODED: Final = 3.0
# A contract that leaves this much out of reach explains a bad end without the optimiser.
_OTHER_REASON: Final = 0.3
_DEFAULT: Final = 0.001


@rule("TC502", explains=(*SYMPTOMS, "diverged", "relu-latent", "overfitting", "stopped-too-early"))
def learning_rate_out_of_range(facts: AuditFacts) -> Finding | None:
    """The steps are far too large or far too small for these weights.

    What it checks
        The size of one step against that of the weights, together with what came of it. Too
        large: an adaptive optimiser with a step from 0.03 on, or a step of a third of a layer,
        and a loss that exploded or ended at the mean target's. Too small: all planned steps
        together move the weights by less than a tenth and little was learned, also where a
        large epsilon is to blame; a schedule that is at 0 long before the end, so that the loss
        stands still; a callback that cut it while the loss was falling by 5 % an epoch; Adadelta
        at Keras' default of 0.001, where its paper has 1.0.

    Why it matters
        Steps as large as the weights overwrite them: relu units die in the first few, and the
        output ends at the mean. Steps that are too small leave them where chance put them.

    Bad
        model.compile(optimizer=keras.optimizers.Adam(0.1), loss="mse")
        model.compile(optimizer="adadelta", loss="mse")

    Good
        model.compile(optimizer=keras.optimizers.Adam(0.001), loss="mse")

    When to ignore
        When a schedule brings the step into range within the first epoch.
    """
    made = compiled(facts)
    if made is None or not is_number(made.learning_rate) or not is_autoencoder(facts):
        return None
    if (has_worked(facts) and not is_far_behind_pca(facts)) or _other_reason(facts):
        return None
    update = _median([layer.update for layer in facts.model.layers])
    evidence = {
        "optimizer": made.optimizer,
        "learning_rate": made.learning_rate,
        "update": update,
        "left_over": left_over(facts),
        "steps": planned_steps(facts),
    }
    large = _is_too_large(facts, made, update)
    small = None if large else _is_too_small(facts, made, update)
    verdict = large or small
    if verdict is None:
        return None
    name = made.optimizer or "the optimiser"
    change = {"action": "set_optimizer", "optimizer": "adam", "learning_rate": _DEFAULT}
    if made.optimizer in ADAPTIVE and not _is_damped(facts, made):
        change = {"action": "set_learning_rate", "learning_rate": _DEFAULT}
    judged = is_settled(facts) or large is not None
    return find(
        learning_rate_out_of_range,
        "error" if judged and is_above(left_over(facts), AS_THE_MEAN) else "warning",
        f"The learning rate {format_number(made.learning_rate)} of {name} is too "
        f"{'large' if large else 'small'}: {verdict}.",
        evidence=evidence,
        fix=f"Use Adam with a learning rate of {_DEFAULT}.",
        change=change,
        cost=_cost(facts),
        where=compile_line(facts),
    )


def _cost(facts: AuditFacts) -> float:
    left = left_over(facts) if is_trained(facts) else None
    return HALF if left is None else min(left, 1.0)


def _other_reason(facts: AuditFacts) -> bool:
    """Whether a broken contract explains a bad end by itself."""
    contract = facts.contract
    return contract is not None and is_above(contract.unavoidable_share, _OTHER_REASON)


def _is_too_large(facts: AuditFacts, made: CompileFacts, update: float | None) -> str | None:
    """Say why the steps are too large, None where they aren't known to be."""
    rate = made.learning_rate
    adaptive = made.optimizer in ADAPTIVE and is_above(rate, _LARGE_ADAPTIVE)
    if not adaptive and not is_above(update, _LARGE_UPDATE):
        return None
    per_step = (
        f"a step is {format_percent(update)} of the weights it changes"
        if is_above(update, _LARGE_UPDATE)
        else f"it is {format_number((rate or 0.0) / _DEFAULT)} times Adam's default"
    )
    if not is_trained(facts):
        return per_step if adaptive and facts.training is None else None
    exploded, left = _explosion(facts), left_over(facts)
    if facts.training is not None and facts.training.diverged_at is not None:
        return f"{per_step}, and the loss is no number from step {facts.training.diverged_at} on"
    if is_above(left, AS_THE_MEAN) and (exploded is not None or _took_steps(facts)):
        peak = f", the loss rose to {format_number(exploded)}" if exploded is not None else ""
        return f"{per_step}{peak}, and {format_number(left)} of the mean target's error is left"
    if adaptive and exploded is not None and is_above(left, HALF):
        return f"{per_step}, the loss rose to {format_number(exploded)}"
    return None


def _took_steps(facts: AuditFacts) -> bool:
    """Whether enough steps were made for a usual rate to leave the mean target behind."""
    return facts.training is None or facts.training.steps >= 2 * FEW_STEPS


def _explosion(facts: AuditFacts) -> float | None:
    """Return the peak of the loss where it went far above the mean target's."""
    training, contract = facts.training, facts.contract
    if training is None or contract is None or not is_number(contract.mean):
        return None
    floor = contract.perfect if is_number(contract.perfect) else 0.0
    level = contract.mean - floor
    seen = [loss for loss in (*training.losses, *training.step_losses[1:]) if is_number(loss)]
    if not seen or level <= 0 or max(seen) - floor < _EXPLODED * level:
        return None
    return max(seen)


def _is_too_small(facts: AuditFacts, made: CompileFacts, update: float | None) -> str | None:
    """Say why the steps are too small, None where they aren't known to be."""
    rate, left, steps = made.learning_rate, left_over(facts), planned_steps(facts)
    learned = is_trained(facts) and not is_above(left, HALF)
    if made.optimizer == "adadelta" and is_number(rate) and rate <= _SMALL_ADADELTA and not learned:
        return f"its paper has 1.0, Keras' default is {_DEFAULT}" + (
            f"; {format_number(left)} of the mean target's error is left" if left else ""
        )
    still = _say_still(facts, made)
    if still is not None:
        return still
    warming_up = made.scheduled and facts.training is not None and not facts.training.complete
    if not is_trained(facts) or warming_up or steps is None:
        return None
    damped = _is_damped(facts, made)
    if made.optimizer in ADAPTIVE and is_number(rate) and rate >= _DEFAULT and not damped:
        return None  # few steps are too few, not too small
    travel, told = _travel(facts, update, steps)
    # What was seen to move counts more than a step times their number.
    enough = HALF if told.startswith("moved") else AS_THE_MEAN
    if travel is None or travel >= _SMALL_TRAVEL or not is_above(left, enough):
        return None
    return (
        f"{steps:,} steps {told} the weights by {format_percent(travel)}, and "
        f"{format_number(left)} of the mean target's error is left"
        f"{' (epsilon is far above the gradients)' if damped else ''}"
    )


def _is_damped(facts: AuditFacts, made: CompileFacts) -> bool:
    """Whether an adaptive optimiser's epsilon makes its steps those of plain gradient descent.

    Adam divides a gradient by its size and epsilon: where epsilon is far larger, the step is the
    gradient times the rate, and much smaller than the rate.
    """
    if made.optimizer not in ADAPTIVE or not is_above(made.epsilon, _LARGE_EPSILON):
        return False
    first = _median([layer.gradient for layer in facts.model.layers])
    return first is not None and first < (made.learning_rate or 0.0)


def _say_still(facts: AuditFacts, made: CompileFacts) -> str | None:
    """Say why no weight changes: a rate of 0, or a schedule that is there long before the end."""
    rate, left, training = made.learning_rate, left_over(facts), facts.training
    if not made.scheduled:
        return "no weight ever changes" if rate == 0 else _say_cut(facts)
    losses = () if training is None else training.losses
    if len(losses) < _FEWEST_EPOCHS or not is_number(rate) or rate > _VANISHED:
        return None
    rest = losses[len(losses) // 2 :]
    moved = max(rest) - min(rest) >= _UNMOVED * abs(losses[0] - rest[-1])
    if moved or not is_above(left, HALF):
        return None
    return (
        "its schedule took it there long before the end, and "
        f"{format_number(left)} of the mean target's error is left"
    )


def _say_cut(facts: AuditFacts) -> str | None:
    """Say that a callback lowered the rate while the loss was falling fast; None where none did."""
    training, left = facts.training, left_over(facts)
    if training is None or not training.rates or len(training.rates) != len(training.losses):
        return None
    rates, losses = training.rates, training.losses
    if not all(map(is_number, (*rates, *losses))) or rates[-1] > _GONE * rates[0]:
        return None
    cut = next(k for k, rate in enumerate(rates) if rate <= _CUT * rates[0])
    slope = slope_of(losses[:cut], facts, epochs=1)
    if not is_above(slope, STEEP) or not (is_above(left, HALF) or is_far_behind_pca(facts)):
        return None
    return (
        f"a callback cut it to a tenth or less after epoch {cut}, which still took "
        f"{format_percent(slope)} off the loss; {format_number(left)} of the mean target's error "
        "is left"
    )


def _travel(facts: AuditFacts, update: float | None, steps: int) -> tuple[float | None, str]:
    """Return how far all planned steps move the weights, and the verb that says how it is known."""
    training = facts.training
    moved = _median([layer.changed for layer in facts.model.layers if layer.parameters])
    if is_number(moved) and training is not None and training.steps > 0:
        return moved * max(steps / training.steps, 1.0), "moved"
    return (update * steps if is_number(update) else None), "move"


def _median(values: Sequence[float | None]) -> float | None:
    known = sorted(v for v in values if is_number(v))
    return known[len(known) // 2] if known else None
