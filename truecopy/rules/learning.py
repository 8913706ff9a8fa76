"""Rules TC5xx on learning: a single batch, parts that stay still, rows it hasn't seen."""

from typing import Final

from truecopy.reports.wording import format_number, format_percent
from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Finding
from truecopy.rules.measured import (
    HALF,
    SYMPTOM,
    SYMPTOMS,
    began_alike,
    draw_again,
    find_frozen,
    has_worked,
    is_autoencoder,
    is_number,
    is_settled,
    is_trained,
    left_over,
    lost,
    symptom_cost,
)
from truecopy.rules.modelfacts import LayerFacts
from truecopy.rules.rule import find, rule

# A network that can copy at all gets rid of a tenth of a single batch's error in some steps.
_FITTED: Final = 0.1
_UNMOVED: Final = 0.02
# Gradients of single precision below this are 0 or rounding.
_NO_GRADIENT: Final = 1e-12
_FEWEST_EPOCHS: Final = 5
# The validation error is a fifth above its best, while the training error went on falling.
_RISE: Final = 0.2
_OVERFIT_COST: Final = 0.1
# The error on other rows is ten times that on the training rows, and a quarter of what there was to
# learn is left there.
_GAP: Final = 10.0
_NOT_LEARNED: Final = 0.25


@rule("TC507", explains=("worse-than-pca", "loss-not-decreasing"))
def cannot_fit_one_batch(facts: AuditFacts) -> Finding | None:
    """Even a single batch can't be learned by heart.

    What it checks
        The loss of one batch before and after fitting just that one for some steps, against the
        loss of a perfect copy and that of the batch's mean.

    Why it matters
        A network that can't copy a few rows that it sees again and again has no chance with all.
        The fault is then in its construction, the loss or the step, not in the data.

    Bad
        loss of one batch: 0.26 before, 0.26 after 50 steps

    Good
        loss of one batch: 0.26 before, 0.02 after 50 steps

    When to ignore
        When the network is so deep that some dozen steps say nothing.
    """
    seen = facts.behaviour
    if seen is None or seen.one_batch is None or not is_autoencoder(facts) or has_worked(facts):
        return None
    before, after = seen.one_batch
    floor = seen.one_batch_floor
    if not (is_number(before) and is_number(after) and is_number(floor)):
        return None
    start = max(before, seen.one_batch_mean) if is_number(seen.one_batch_mean) else before
    left = left_over(facts) if is_trained(facts) else None
    if start <= floor or (left is not None and left < HALF):
        return None
    fitted = (start - after) / (start - floor)
    unmoved = (before - after) / (start - floor) < _UNMOVED
    if fitted >= _FITTED or not unmoved:
        return None
    return find(
        cannot_fit_one_batch,
        "warning" if is_settled(facts) else "note",
        f"Fitting a single batch brings its loss from {format_number(before)} to "
        f"{format_number(after)}; a perfect copy would cost {format_number(floor)}.",
        evidence={
            "before": before,
            "after": after,
            "floor": floor,
            "mean": seen.one_batch_mean,
        },
        fix="Check that the layers are connected, the loss fits the output, and the step's size.",
        cost=symptom_cost(facts) * SYMPTOM,
        where=facts.fit_where,
    )


@rule("TC508", explains=tuple(name for name in SYMPTOMS if name != "untrained-part"))
def untrained_part(facts: AuditFacts) -> Finding | None:
    """Some weights get no gradient, or never changed.

    What it checks
        Trainable weights whose gradient is exactly 0 for a whole batch, or that are the same
        after the training as before; frozen weights where the copy is clearly worse than PCA's.
        Weights that all began as one number, such as 0, are told apart: they are the cause.

    Why it matters
        What stays at its random start does nothing for the copy. Usual reasons: a part that
        isn't connected to the loss, an operation without gradient (argmax, round), another
        model than the one that is compiled.

    Bad
        z = ops.round(layers.Dense(32)(h))  # no gradient passes

    Good
        z = layers.Dense(32)(h)

    When to ignore
        When the part is meant to stay as it is: set `trainable = False`.
    """
    if not is_autoencoder(facts):
        return None
    still = [
        layer
        for layer in facts.model.layers
        if layer.trainable and layer.parameters and _is_still(facts, layer)
    ]
    frozen, alike = find_frozen(facts), [layer for layer in still if began_alike(layer)]
    still += frozen
    if not still:
        return None
    parameters = sum(layer.parameters for layer in still)
    share = parameters / max(facts.model.parameters, parameters)
    names = ", ".join(f"'{layer.name}'" for layer in still[:3])
    left = left_over(facts) if is_trained(facts) else None
    return find(
        untrained_part,
        "warning",
        f"{len(still)} layers with {parameters:,} weights ({format_percent(share)} of all) "
        f"get no gradient, never changed or are frozen: {names}{_tell_alike(alike)}.",
        evidence={
            "layers": [layer.name for layer in still],
            "parameters": parameters,
            "share": share,
            "left_over": left,
        },
        fix="Draw the weights at random: Keras' own kernel_initializer does."
        if alike
        else "Connect these layers to the loss, and set trainable = True.",
        change=draw_again(facts) if alike else None,
        # What is frozen at random, or began as one number, is the cause; else without gradient is
        # what something else led to.
        cost=lost(facts) if frozen or alike else symptom_cost(facts),
        where=still[0].where,
    )


def _tell_alike(alike: list[LayerFacts]) -> str:
    if not alike:
        return ""
    names = ", ".join(f"'{layer.name}'" for layer in alike[:3])
    return f"; the weights of {names} began as one and the same number"


def _is_still(facts: AuditFacts, layer: LayerFacts) -> bool:
    """Whether a layer's weights neither moved nor, where that isn't known, get a gradient."""
    if facts.training is not None and facts.training.steps > 0 and layer.changed is not None:
        return layer.changed == 0
    small = is_number(layer.gradient) and layer.gradient <= _NO_GRADIENT
    return small and not has_worked(facts)


@rule("TC509")
def overfitting(facts: AuditFacts) -> Finding | None:
    """The validation error rises while the training error goes on falling.

    What it checks
        The validation losses' end against their best epoch (a fifth worse, above the loss of a
        perfect copy), where the training loss is lower than it was then. Or a validation error
        ten times that of the training rows, with a quarter of what there is to learn left.
        Trainings with EarlyStopping are left alone.

    Why it matters
        The network learns its rows by heart; on new rows it gets worse with every epoch.

    Bad
        model.fit(x, x, epochs=500, validation_data=(v, v))

    Good
        stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
        model.fit(x, x, epochs=500, validation_data=(v, v), callbacks=[stop])

    When to ignore
        When only these very rows have to be copied.
    """
    training = facts.training
    if training is None or training.early_stopping or not is_autoencoder(facts):
        return None
    losses, held = training.losses, training.validation_losses
    if len(held) < _FEWEST_EPOCHS or len(held) != len(losses):
        return None
    if not all(map(is_number, (*losses, *held))):
        return None
    best = min(range(len(held)), key=held.__getitem__)
    floor = facts.contract.perfect if facts.contract is not None else 0.0
    base = floor if is_number(floor) and floor < held[best] else 0.0
    room = held[best] - base
    rise = (held[-1] - held[best]) / room if room > 0 else 0.0
    if rise < _RISE or losses[-1] >= losses[best]:
        return _find_gap(facts)
    return find(
        overfitting,
        "warning",
        f"The validation loss rose from {format_number(held[best])} in epoch {best + 1} to "
        f"{format_number(held[-1])} in epoch {len(held)}, while the training loss fell from "
        f"{format_number(losses[best])} to {format_number(losses[-1])}.",
        evidence={
            "best": held[best],
            "best_epoch": best + 1,
            "last": held[-1],
            "training_at_best": losses[best],
            "training_last": losses[-1],
            "rise": rise,
        },
        fix="Stop at the best epoch (EarlyStopping), or make the network smaller.",
        change={"action": "set_epochs", "epochs": best + 1},
        cost=_OVERFIT_COST,
        where=facts.fit_where,
    )


def _find_gap(facts: AuditFacts) -> Finding | None:
    """Return the finding of rows learned by heart, though no epoch made the others worse."""
    seen = facts.behaviour
    if seen is None or not is_number(seen.mse) or not is_number(seen.validation_mse):
        return None
    left = seen.validation_mse / seen.validation_mse_mean if seen.validation_mse_mean else None
    if left is None or seen.validation_mse < _GAP * seen.mse or left < _NOT_LEARNED:
        return None
    return find(
        overfitting,
        "warning",
        f"The MSE is {format_number(seen.mse)} on the training rows and "
        f"{format_number(seen.validation_mse)} on the validation rows, where "
        f"{format_percent(left)} of the mean target's error is left.",
        evidence={
            "mse": seen.mse,
            "validation_mse": seen.validation_mse,
            "validation_left_over": left,
            "rows": facts.data.inputs.rows if facts.data is not None else None,
        },
        fix="Train on more rows, or make the network smaller.",
        cost=_OVERFIT_COST,
        where=facts.fit_where,
    )
