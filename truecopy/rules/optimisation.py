"""Rules TC5xx on the loss over the epochs: flat, broken, or still falling."""

import math
from typing import Final

from truecopy.reports.wording import format_number, format_percent
from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Finding
from truecopy.rules.measured import (
    ADAPTIVE,
    AS_THE_MEAN,
    HALF,
    STEEP,
    SYMPTOMS,
    compiled,
    failure_severity,
    has_worked,
    is_above,
    is_autoencoder,
    is_far_behind_pca,
    is_number,
    is_settled,
    late_slope,
    left_over,
    symptom_cost,
)
from truecopy.rules.rule import find, rule

# Keras' default for Adam; where steps of that size were too large, a tenth of theirs.
_DEFAULT: Final = 1e-3
_SMALLER: Final = 0.1
# Less than a fiftieth of what could fall has fallen.
_FLAT: Final = 0.02
_FEWEST_EPOCHS: Final = 3
# The loss ends this share of its whole fall above its best.
_REBOUND: Final = 0.5
# A rise of a tenth of the level in every fifth epoch is no scatter of batches.
_JUMP: Final = 0.1
_JUMPS: Final = 0.2
# Where PCA of the same width does far better, every tenth is enough.
_JUMPS_BEHIND: Final = 0.1
_ENOUGH_EPOCHS: Final = 6


@rule("TC503", explains=("stopped-too-early", "worse-than-pca"))
def loss_not_decreasing(facts: AuditFacts) -> Finding | None:
    """The loss is flat, jumps up and down, or ends well above where it has been.

    What it checks
        The epochs' losses, where nothing was learned: a fall of less than 2 % of what could
        fall, an end above the best epoch by half of the whole fall, or a rise of a tenth in every
        fifth epoch. Also where PCA of the same width is far better: a rise of a tenth in every
        tenth epoch.

    Why it matters
        Nothing is being learned. The reason is elsewhere: the loss, the data, the step, or
        units that are dead.

    Bad
        loss: 0.6931 - loss: 0.6930 - loss: 0.6930

    Good
        loss: 0.28 - loss: 0.14 - loss: 0.11

    When to ignore
        When the training goes on from a trained model.
    """
    training, left = facts.training, left_over(facts)
    if training is None or not is_autoencoder(facts) or len(training.losses) < _FEWEST_EPOCHS:
        return None
    if not all(map(is_number, training.losses)) or not is_settled(facts):
        return None
    failed = is_above(left, AS_THE_MEAN)
    if not failed and (has_worked(facts) or not is_far_behind_pca(facts)):
        return None
    first, last, best = training.losses[0], training.losses[-1], min(training.losses)
    floor = facts.contract.perfect if facts.contract is not None else 0.0
    room = first - floor if is_number(floor) and first > floor else abs(first)
    flat = failed and first - best < _FLAT * room
    rising = failed and last - best > _REBOUND * max(first - best, _FLAT * room)
    share = _JUMPS if failed else _JUMPS_BEHIND
    jumping = not flat and _jumps(training.losses, floor, share)
    if not flat and not rising and not jumping:
        return None
    shape = "hardly moves" if flat else "rises again" if rising else "jumps up and down"
    return find(
        loss_not_decreasing,
        failure_severity(facts),
        f"The loss {shape}: {format_number(first)} after the first of {len(training.losses)} "
        f"epochs, {format_number(best)} at best, {format_number(last)} at the end.",
        evidence={
            "first": first,
            "best": best,
            "last": last,
            "floor": floor,
            "epochs": len(training.losses),
            "left_over": left,
        },
        fix="Look for the reason in the other findings; try Adam with a step of 0.001.",
        cost=symptom_cost(facts) * HALF,
        where=facts.fit_where,
    )


def _jumps(losses: tuple[float, ...], floor: float, share: float) -> bool:
    """Whether the loss rises by much in such a share of the epochs instead of settling."""
    level = sorted(losses)[len(losses) // 2] - (floor if is_number(floor) else 0.0)
    rises = sum(1 for k in range(1, len(losses)) if losses[k] - losses[k - 1] > _JUMP * level)
    return len(losses) >= _ENOUGH_EPOCHS and level > 0 and rises >= share * len(losses)


@rule("TC504", explains=(*SYMPTOMS, "loss-not-minimal-at-target"))
def diverged(facts: AuditFacts) -> Finding | None:
    """The loss or the weights became NaN or infinite.

    What it checks
        The losses of all steps, the weights of all layers, and the output.

    Why it matters
        From there on every update is NaN: the model is lost. Usual reasons are steps that are
        too large, an exponential or a logarithm of something unbounded, and holes in the data.

    Bad
        kl = ops.exp(log_var)  # log_var beyond 88 overflows

    Good
        log_var = ops.clip(log_var, -10, 10)

    When to ignore
        Never.
    """
    training, seen = facts.training, facts.behaviour
    step = training.diverged_at if training is not None else None
    broken = [layer.name for layer in facts.model.layers if not layer.finite]
    losses = training.losses if training is not None else ()
    bad_epoch = next((k for k, loss in enumerate(losses, 1) if not _is_finite(loss)), None)
    output_broken = seen is not None and not seen.output_finite
    if step is None and not broken and bad_epoch is None and not output_broken:
        return None
    layer = (training.diverged_layer if training is not None else None) or next(iter(broken), None)
    when = f"at step {step}" if step is not None else f"in epoch {bad_epoch}"
    if step is None and bad_epoch is None:
        when = f"in {len(broken)} layers' weights" if broken else "in 1 or more outputs"
    first = f" (first layer: '{layer}')" if layer else ""
    fix, change = _calm(facts)
    return find(
        diverged,
        "error",
        f"Values became NaN or infinite {when}{first}.",
        evidence={
            "step": step,
            "epoch": bad_epoch,
            "layer": layer,
            "layers": broken,
            "output_finite": not output_broken,
        },
        fix=fix,
        change=change,
        cost=1.0,
        where=facts.fit_where,
    )


def _calm(facts: AuditFacts) -> tuple[str, dict[str, object]]:
    """Return what keeps the numbers finite: another loss where it is the loss, or smaller steps."""
    seen, made = facts.contract, compiled(facts)
    if seen is not None and not (is_number(seen.perfect) and is_number(seen.mean)):
        if made is not None and made.like == "binary_crossentropy" and not made.from_logits:
            text = "The loss takes the logarithm of 0: use Keras' binary_crossentropy, which keeps"
            text += " away from it, with a sigmoid output."
            changes = [
                {"action": "set_loss", "loss": "binary_crossentropy"},
                {"action": "set_output_activation", "activation": "sigmoid"},
            ]
            return text, {"action": "all", "changes": changes}
        text = "The loss itself is not finite on these targets: bound what it divides by or takes"
        text += " the logarithm of, or use mean_squared_error."
        return text, {"action": "set_loss", "loss": "mean_squared_error"}
    text = "Use a smaller step, clip gradients (clipnorm=1.0), and bound every exponential."
    if made is None or made.optimizer not in ADAPTIVE or not is_number(made.learning_rate):
        return text, {"action": "set_optimizer", "optimizer": "adam", "learning_rate": _DEFAULT}
    rate = min(_DEFAULT, _SMALLER * made.learning_rate)
    return text, {"action": "set_learning_rate", "learning_rate": rate}


def _is_finite(loss: float | None) -> bool:
    """Whether an epoch's loss is a number; a missing one came from JSON, which has no NaN."""
    return loss is not None and math.isfinite(loss)


@rule("TC510", explains=("worse-than-pca",))
def stopped_too_early(facts: AuditFacts) -> Finding | None:
    """The loss was still falling fast when the training ended.

    What it checks
        How much the last epochs took off what was left above the loss of a perfect copy: 5 % or
        more an epoch, in a training that ran to its own end.

    Why it matters
        The same program with more epochs gives a better copy for nothing.

    Bad
        model.fit(x, x, epochs=3)

    Good
        stop = keras.callbacks.EarlyStopping(patience=5)
        model.fit(x, x, epochs=200, validation_split=0.1, callbacks=[stop])

    When to ignore
        When a quick trial is all you want.
    """
    training = facts.training
    if training is None or not is_autoencoder(facts) or not training.complete:
        return None
    slope, losses = late_slope(facts), training.losses
    if slope is None or slope < STEEP:
        return None
    floor = facts.contract.perfect if facts.contract is not None else 0.0
    return find(
        stopped_too_early,
        "note",
        f"The last of {len(losses)} epochs still took {format_percent(slope)} off the loss "
        f"({format_number(losses[-1])}, a perfect copy {format_number(floor)}).",
        evidence={"slope": slope, "last": losses[-1], "floor": floor, "epochs": len(losses)},
        fix="Train longer, and let EarlyStopping end it.",
        change={"action": "set_epochs", "epochs": 3 * max(len(losses), training.planned_epochs)},
        where=facts.fit_where,
    )
