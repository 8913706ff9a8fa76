"""Rules TC5xx on what the network does: with its input, with dropout, with rows it hasn't seen."""

from typing import Any, Final

from truecopy.reports.wording import format_number, format_percent
from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Finding
from truecopy.rules.measured import (
    AS_THE_MEAN,
    FEW_STEPS,
    HALF,
    SCALING_LAYERS,
    behind_pca,
    compile_line,
    failure_severity,
    is_above,
    is_autoencoder,
    is_number,
    is_settled,
    is_short,
    is_trained,
    left_over,
    planned_steps,
    symptom_cost,
)
from truecopy.rules.modelfacts import LayerFacts
from truecopy.rules.rule import find, rule

# A spread of a tenth of the targets': all pictures look the same.
_SAME: Final = 0.1
# Inference is worse than training mode by half and by a twentieth of what there is to learn:
# beyond what batch statistics of some dozen rows scatter.
_WORSE: Final = 1.5
_GAP: Final = 0.05
# Dropout on the output: the error in training mode is twice that of inference and more.
_DROPPED: Final = 2.0
_DROPPED_GAP: Final = 0.2
# From here on at most a fifth gets through, and the network may learn nothing in either mode.
_NEARLY_ALL_DROPPED: Final = 0.8
# Behind PCA by a half: a latent under dropout keeps clearly less than it could.
_BEHIND_PCA: Final = 1.5
# A moving average that still holds a fifth of its start value at the planned end won't recover.
_STILL_START: Final = 0.2
# PCA of the same width would explain a quarter more of all there is to learn.
_FAR_BEHIND: Final = 0.25
_GOOD_MOMENTUM: Final = 0.9
_DROPOUT: Final = (
    *("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout"),
    *("GaussianDropout",),
)


@rule(
    "TC501",
    explains=(
        *("loss-not-decreasing", "worse-than-trivial", "worse-than-pca", "dead-output-units"),
        *("cannot-fit-one-batch", "saturated-units", "stopped-too-early"),
    ),
)
def collapsed_to_mean(facts: AuditFacts) -> Finding | None:
    """The output is the same for all inputs: nothing of what differs gets through.

    What it checks
        The spread of the outputs over rows against that of the targets (below a tenth), where
        the error is that of the mean target or worse.

    Why it matters
        The mean image is the best answer of a network that doesn't look at its input. The loss
        falls until there and stays, which looks like training.

    Bad
        every picture comes out as the same grey blur

    Good
        a spread near that of the targets

    When to ignore
        In the first steps of a training: deep networks pass through this. Of a training that
        ends before 300 steps it is only a note.
    """
    seen, left = facts.behaviour, left_over(facts)
    if seen is None or not is_autoencoder(facts) or not is_settled(facts):
        return None
    if not is_number(seen.spread) or seen.spread >= _SAME or not is_above(left, AS_THE_MEAN):
        return None
    causes = "Look for the reason in scale, output, loss and step; check that layers are connected."
    return find(
        collapsed_to_mean,
        failure_severity(facts),
        f"The outputs vary over rows by {format_percent(seen.spread)} of what the targets do, "
        f"and the MSE {format_number(seen.mse)} is {format_number(left)} times that of the mean "
        f"target ({format_number(seen.mse_mean)}).",
        evidence={
            "spread": seen.spread,
            "dependence": seen.dependence,
            "mse": seen.mse,
            "mse_mean": seen.mse_mean,
            "left_over": left,
        },
        fix=f"Train longer, these were few steps. {causes}" if is_short(facts) else causes,
        cost=symptom_cost(facts),
        where=facts.fit_where,
    )


@rule(
    "TC505",
    explains=(
        *("worse-than-trivial", "worse-than-pca", "overfitting", "collapsed-to-mean"),
        *(
            "saturated-units",
            "dead-units",
            "dead-output-units",
            "relu-latent",
            "cannot-fit-one-batch",
            "untrained-part",
            "loss-not-decreasing",
        ),
    ),
)
def train_eval_gap(facts: AuditFacts) -> Finding | None:
    """The network copies well while training and badly when used, or the reverse.

    What it checks
        The error of the same rows in training mode and in inference mode. Inference clearly
        worse: batch normalisation whose moving averages are not those of the data. Training
        clearly worse: dropout on the output or on a narrow latent; or such a dropout of 80 % or
        more, where nothing was learned. Other dropout is left alone, but for one of 80 % or more
        behind weights where PCA of the same width is far better; and batch normalisation of
        single rows, which gives 0 whatever comes in.

    Why it matters
        `predict` uses other numbers than `fit`. After n steps a moving average with momentum m
        still holds m ** n of its start value: 63 % at 0.999 after 456 steps.

    Bad
        layers.BatchNormalization(momentum=0.999)  # and a few hundred steps

    Good
        layers.BatchNormalization(momentum=0.9)

    When to ignore
        When the training goes on for long enough to settle the averages.
    """
    seen = facts.behaviour
    if seen is None or not is_trained(facts) or not is_autoencoder(facts):
        return None
    if not (is_number(seen.mse) and is_number(seen.mse_training) and is_number(seen.mse_mean)):
        return None
    few = facts.training is not None and 0 < facts.training.steps < FEW_STEPS
    if seen.mse_mean <= 0 or few:
        return None
    alone = _find_normalised_alone(facts)
    if alone is not None:
        return _normalised_alone(facts, alone)
    gap = (seen.mse - seen.mse_training) / seen.mse_mean
    if gap > _GAP and seen.mse > _WORSE * seen.mse_training:
        return _inference_worse(facts, gap)
    return _training_worse(facts, -gap) or _dropped_nearly_all(facts)


def _find_normalised_alone(facts: AuditFacts) -> LayerFacts | None:
    """Return the first batch normalisation of vectors that sees one row at a time."""
    training = facts.training
    if training is None or training.batch_size != 1 or not is_above(left_over(facts), HALF):
        return None
    averaging = (e for e in facts.model.layers if is_number(e.momentum) and e.trainable)
    return next((layer for layer in averaging if len(layer.shape) == 1), None)


def _normalised_alone(facts: AuditFacts, layer: LayerFacts) -> Finding:
    left = left_over(facts)
    return find(
        train_eval_gap,
        failure_severity(facts) if is_above(left, AS_THE_MEAN) else "warning",
        f"'{layer.name}' normalises batches of a single row: each value less its own mean is 0, "
        "so in training nothing of the row gets through; "
        f"{format_percent(left or 0.0)} of the mean target's error is left.",
        evidence=_evidence_of(facts) | {"layer": layer.name, "batch_size": 1, "left_over": left},
        fix="Train with batches of 16 rows or more, or use LayerNormalization.",
        cost=min(left or 0.0, 1.0),
        where=layer.where,
    )


def _inference_worse(facts: AuditFacts, gap: float) -> Finding | None:
    """Return the finding of averages that don't fit, unless more steps will mend them."""
    seen = facts.behaviour
    if seen is None or _is_made_for_noise(facts):
        return None
    averaged = [layer for layer in facts.model.layers if is_number(layer.momentum)]
    slowest = max((layer.momentum or 0.0 for layer in averaged), default=None)
    steps, done = planned_steps(facts), facts.training.steps if facts.training else 0
    complete = facts.training is None or facts.training.complete
    if not complete and averaged and (steps is None or (slowest or 0.0) ** steps < _STILL_START):
        return None
    held = ""
    if slowest is not None and done:
        share = format_percent(slowest**done)
        held = f" Momentum {slowest} still holds {share} of its start values after {done:,} steps."
    change = {"action": "set_momentum", "momentum": _GOOD_MOMENTUM} if averaged else None
    return find(
        train_eval_gap,
        "error" if gap > HALF else "warning",
        f"On the same rows the MSE is {format_number(seen.mse)} in inference "
        f"mode and {format_number(seen.mse_training)} in training mode." + held,
        evidence=_evidence_of(facts) | {"momentum": slowest, "steps": done},
        fix="Give BatchNormalization a momentum of 0.9, or train for longer."
        if averaged
        else "Find what differs between training and inference mode, and make it the same.",
        change=change,
        cost=min(gap, 1.0),
        where=averaged[0].where if averaged else compile_line(facts),
    )


def _is_made_for_noise(facts: AuditFacts) -> bool:
    """Whether the model corrupts its training rows, and copies noisy validation rows better."""
    seen = facts.behaviour
    if seen is None or not facts.model.noise or not is_number(seen.validation_mse):
        return False
    return is_number(seen.mse) and seen.validation_mse < seen.mse


def _evidence_of(facts: AuditFacts) -> dict[str, Any]:
    seen = facts.behaviour
    return {
        "mse": seen.mse if seen else None,
        "mse_training": seen.mse_training if seen else None,
        "mse_mean": seen.mse_mean if seen else None,
    }


def _training_worse(facts: AuditFacts, gap: float) -> Finding | None:
    """Return the finding of dropout where it destroys what must be copied."""
    seen, culprit = facts.behaviour, _find_dropout(facts)
    if seen is None or culprit is None or seen.mse is None or seen.mse_training is None:
        return None
    after = _is_after_output(facts, culprit)
    if gap <= (_GAP if after else _DROPPED_GAP):
        return None
    if not after and seen.mse_training <= _DROPPED * seen.mse:
        return None
    told = (
        f": the MSE is {format_number(seen.mse_training)} in training mode and "
        f"{format_number(seen.mse)} in inference mode, the mean target's "
        f"{format_number(seen.mse_mean)}."
    )
    return _blame_dropout(facts, culprit, told, cost=min(gap, 1.0) * HALF)


def _dropped_nearly_all(facts: AuditFacts) -> Finding | None:
    """Return the finding of a dropout that lets so little through that both modes fail."""
    left = left_over(facts)
    culprit = _find_dropout(facts) if is_above(left, AS_THE_MEAN) else None
    if culprit is None and is_above(behind_pca(facts), _FAR_BEHIND):
        culprit = _find_dropped_units(facts)
    if culprit is None or not is_above(culprit.rate, _NEARLY_ALL_DROPPED):
        return None
    told = f", and {format_percent(left or 0.0)} of the mean target's error is left."
    return _blame_dropout(facts, culprit, told, cost=HALF)


def _blame_dropout(facts: AuditFacts, layer: LayerFacts, told: str, *, cost: float) -> Finding:
    """Return the finding that a layer drops too much; `told` is how its sentence goes on."""
    counts = _drops_what_counts(facts, layer)
    part = "output" if _is_after_output(facts, layer) else "latent" if counts else "hidden units"
    return find(
        train_eval_gap,
        "warning",
        f"'{layer.name}' drops {format_percent(layer.rate or 0.0)} of the {part}{told}",
        evidence=_evidence_of(facts) | {"layer": layer.name, "rate": layer.rate},
        fix=f"Remove the dropout on the {part}."
        if counts
        else "Give Dropout the share to drop, not the share to keep: 0.05 for 95 % kept.",
        change={"action": "remove_dropout", "layer": layer.name},
        cost=cost,
        where=layer.where,
    )


def _find_dropped_units(facts: AuditFacts) -> LayerFacts | None:
    """Return the first dropout behind weights, which is no noise on the input; None untrained."""
    weighted = False
    for layer in facts.model.layers if is_settled(facts) else ():
        if weighted and layer.kind in _DROPOUT and is_above(layer.rate, _NEARLY_ALL_DROPPED):
            return layer
        weighted = weighted or (layer.parameters > 0 and layer.kind not in SCALING_LAYERS)
    return None


def _find_dropout(facts: AuditFacts) -> LayerFacts | None:
    """Return the first layer that drops what must be copied."""
    return next((layer for layer in facts.model.layers if _drops_what_counts(facts, layer)), None)


def _drops_what_counts(facts: AuditFacts, layer: LayerFacts) -> bool:
    """Whether a layer drops outputs, or a narrow latent that is the worse for it."""
    if layer.kind not in _DROPOUT or not layer.rate:
        return False
    if _is_after_output(facts, layer):
        return True
    seen, latent = facts.behaviour, facts.model.latent
    if latent is None or layer.width > latent or seen is None:
        return False
    if not is_number(seen.mse) or not is_number(seen.mse_pca):
        return False
    return seen.mse > _BEHIND_PCA * seen.mse_pca


def _is_after_output(facts: AuditFacts, layer: LayerFacts) -> bool:
    """Whether a layer without weights works on what the output layer gave."""
    names = [each.name for each in facts.model.layers]
    output = facts.model.output_layer
    return output in names and names.index(layer.name) > names.index(output)
