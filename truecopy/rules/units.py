"""Rules TC4xx on units that carry nothing: dead, pressed against a bound, or never changing."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from truecopy.reports.wording import format_percent
from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Finding, Severity
from truecopy.rules.inputs import LARGE
from truecopy.rules.measured import (
    AS_THE_MEAN,
    HALF,
    LONG_STEPS,
    STEEP,
    began_alike,
    behind_pca,
    draw_again,
    find_frozen,
    has_worked,
    is_above,
    is_autoencoder,
    is_far_behind_pca,
    is_settled,
    is_short,
    is_trained,
    late_slope,
    left_over,
    output_line,
    symptom_cost,
)
from truecopy.rules.modelfacts import LayerFacts
from truecopy.rules.rule import find, rule

# A few dead units are usual in relu layers, and the others take over. Half of a hidden layer, or
# a quarter of a latent, which has no spare ones, is not.
_DEAD: Final = 0.5
_DEAD_LATENT: Final = 0.25
# Of the targets' variance: what a decoder can't make up for. Codes that were trained with their
# relu lose a few hundredths.
_CLIPPED: Final = 0.15
# Nothing passes a layer that is all but dead.
_BLOCKED: Final = 0.95
_SATURATED: Final = 0.5
# Of all values of a hidden layer; with weights drawn five times too large it is 72 to 89 %.
_AT_BOUNDS: Final = 0.7
# Puts what was so from the start before what it led to.
_FROM_THE_START: Final = 0.05
# Output columns that never change: a few may be constant in this sample.
_DEAD_OUTPUTS: Final = 0.05
# A few that hold half of what is left count from a hundredth of the mean target's error on.
_HELD: Final = 0.01
# Activations that are exactly 0 for half of all numbers, with no way back.
_CUT: Final = ("relu", "relu6")

_BEHIND: Final = (
    *("collapsed-to-mean", "loss-not-decreasing", "cannot-fit-one-batch", "untrained-part"),
    *("worse-than-trivial", "worse-than-pca", "dead-output-units"),
)


@rule("TC403", explains=(*_BEHIND, "dead-units", "latent-too-narrow"))
def relu_latent(facts: AuditFacts) -> Finding | None:
    """Units of a relu latent are 0, or it clips codes whose signs matter.

    What it checks
        The share of latent units that are 0 on all rows, under relu: a quarter or more, where
        the copy is not good all the same. Or negative codes that are clipped: a linear map
        of the codes explains 15 % more of the targets before the relu than after it, and PCA
        of the same width is far better. Codes that are meant to be sparse are left alone.

    Why it matters
        A relu unit that is 0 for all rows gets no gradient and stays so; one that is 0 for some
        tells them apart no more. In a latent there are no spare units: what it should carry is
        replaced by its mean.

    Bad
        z = layers.Dense(6, activation="relu")(h)

    Good
        z = layers.Dense(6)(h)  # linear: keeps signs, never dies

    When to ignore
        When the codes must not be negative and enough of them are alive.
    """
    latent = _find_codes(facts)
    if latent is None or not is_autoencoder(facts) or has_worked(facts):
        return None
    if latent.sparse or facts.model.penalised or _is_cut_off(latent, facts):
        return None
    dead = _share(latent.dead, latent)
    if is_above(dead, _DEAD_LATENT):
        told = f"{latent.dead} of the {latent.units} relu units of the latent '{latent.name}' are 0"
        told += f" for all rows{_tell_loss(facts)}."
    elif is_above(latent.clipped, _CLIPPED) and is_far_behind_pca(facts):
        told = (
            f"The relu of the latent '{latent.name}' cuts off {format_percent(latent.clipped)} of"
        )
        told += f" the targets' variance, which its negative codes explained{_tell_loss(facts)}."
    else:
        return None
    return find(
        relu_latent,
        _severity_of(facts, dead or 0.0),
        told,
        evidence={
            "layer": latent.name,
            "dead": latent.dead,
            "units": latent.units,
            "share_zero": latent.share_zero,
            "clipped": latent.clipped,
            "left_over": left_over(facts),
        },
        fix="Make the latent linear, or use leaky_relu in the encoder.",
        change={"action": "set_activation", "layer": latent.name, "activation": "leaky_relu"},
        cost=_cost_of(facts),
        where=latent.where,
    )


def _find_codes(facts: AuditFacts) -> LayerFacts | None:
    """Return the layer whose relu gives the codes: the latent, or one right after it."""
    names = [layer.name for layer in facts.model.layers]
    if facts.model.latent_layer not in names:
        return None
    following = facts.model.layers[names.index(facts.model.latent_layer) :]
    for layer in following:
        if layer.width != following[0].width or (layer.parameters and layer is not following[0]):
            return None
        if layer.activation in _CUT:
            return layer
    return None


def _is_cut_off(latent: LayerFacts, facts: AuditFacts) -> bool:
    """Whether a layer before the latent is dead already, so that nothing comes to it."""
    before = facts.model.layers[: facts.model.layers.index(latent)]
    return any(is_above(_share(layer.dead, layer), _BLOCKED) for layer in before)


@rule("TC404", explains=_BEHIND)
def dead_units(facts: AuditFacts) -> Finding | None:
    """Units give the same constant for all rows, and learn nothing any more.

    What it checks
        The share of a hidden layer's units that sit at the activation's zero or bound for all
        rows: half or more (a quarter of a latent), where the copy is not good all the same.

    Why it matters
        A dead unit passes neither signal nor gradient. Usual reasons are steps that are too
        large, inputs that are too large, negative biases, or weights that all begin as 0.

    Bad
        keras.optimizers.Adam(learning_rate=0.1)  # throws relu units below 0

    Good
        keras.optimizers.Adam(learning_rate=0.001)
        layers.Dense(64, activation="leaky_relu")

    When to ignore
        When a penalty or a top-k wants most units to be 0.
    """
    # After frozen random layers many units die; then those are to blame.
    if not is_autoencoder(facts) or has_worked(facts) or find_frozen(facts):
        return None
    hit = [
        (share, layer)
        for layer in facts.model.layers
        if layer.part != "output"
        and not layer.sparse
        and not began_alike(layer)
        and is_above(share := _share(layer.dead, layer), _bound_of(layer, facts))
    ]
    if not hit:
        return None
    share, worst = max(hit, key=lambda item: item[0])
    names = [layer.name for _, layer in hit]
    change, fix = _mend_dead(facts, worst, names)
    began = ": its weights began as one and the same number" if worst.same_weights else ""
    return find(
        dead_units,
        _severity_of(facts, share),
        f"{worst.dead} of the {worst.units} units of '{worst.name}' "
        f"({worst.activation or worst.kind}) are constant for all rows{began}{_tell_loss(facts)}.",
        evidence={
            "layer": worst.name,
            "dead": worst.dead,
            "units": worst.units,
            "layers": names,
            "left_over": left_over(facts),
        },
        fix=fix,
        change=change,
        cost=_cost_of(facts),
        where=worst.where,
    )


def _bound_of(layer: LayerFacts, facts: AuditFacts) -> float:
    """Return the share of dead units from which a layer is reported."""
    latent = layer.name == facts.model.latent_layer or layer is _find_codes(facts)
    if latent and facts.model.penalised:
        return 2.0  # never: the penalty wants zeros, and its own rule says when it overdoes it
    return _DEAD_LATENT if latent else _DEAD


def _mend_dead(
    facts: AuditFacts, worst: LayerFacts, names: list[str]
) -> tuple[dict[str, Any], str]:
    """Return the change and its words: for weights that began as one number, or for relu."""
    if worst.same_weights:
        fix = "Draw the weights at random: Keras' own kernel_initializer does."
        return draw_again(facts), fix
    fix = "Use leaky_relu in these layers, or a smaller learning rate."
    return {"action": "set_activation", "layers": names, "activation": "leaky_relu"}, fix


def _share(count: int | None, layer: LayerFacts) -> float | None:
    return count / layer.units if count is not None and layer.units else None


def _severity_of(facts: AuditFacts, share: float) -> Severity:
    """Return how bad it is: a note where it isn't known to do harm.

    Deep in a network that gives the mean image still, rows hardly differ, and half of the relu
    units are 0 for all of them: most come to life once the network leaves it.
    """
    if share >= _BLOCKED:
        return "error"
    long = facts.training is None or facts.training.steps >= LONG_STEPS
    judged = is_settled(facts) or (is_trained(facts) and long and share >= _DEAD)
    left = left_over(facts)
    if not judged or left is None:
        return "note"
    on_its_way = is_above(late_slope(facts), STEEP) and left < AS_THE_MEAN
    return "note" if on_its_way else "warning"


def _tell_loss(facts: AuditFacts) -> str:
    left = left_over(facts) if is_trained(facts) else None
    return f"; {format_percent(left)} of the mean target's error is left" if left else ""


def _cost_of(facts: AuditFacts) -> float:
    """Return what PCA of this width would still have explained, or else all that is left."""
    behind = behind_pca(facts)
    left = left_over(facts)
    cost = behind if behind is not None else left if left is not None else HALF
    return min(max(cost, 0.0), 1.0)


@rule("TC405", explains=_BEHIND)
def saturated_units(facts: AuditFacts) -> Finding | None:
    """Bounded units sit at their bounds, where no gradient gets through.

    What it checks
        The share of a layer's sigmoid or tanh units that are within 1 % of a bound on over
        95 % of the rows: half or more, where the copy is not good all the same. Or such a share
        of all its values, whichever bound they are at: 70 % or more of a hidden layer. Where half
        of a hidden layer was there before the first step, that comes before its consequences; else
        a training of less than 300 steps has a note, as outputs begin at the mean's bounds.

    Why it matters
        At its bound the slope of a sigmoid is next to 0: nothing above or below such a unit
        learns through it. Usual reasons are unscaled inputs and weights that are too large.

    Bad
        h = layers.Dense(128, activation="tanh")(inputs)  # inputs 0..255

    Good
        h = layers.Dense(128, activation="tanh")(inputs / 255)

    When to ignore
        When the codes are meant to be binary.
    """
    if not is_autoencoder(facts):
        return None
    left = left_over(facts) if is_trained(facts) else None
    if has_worked(facts):
        return None
    failed = left is not None and left >= AS_THE_MEAN
    hidden = [layer for layer in facts.model.layers if layer.part != "output"]
    looked_at = facts.model.layers if failed else hidden
    stuck = _find_worst(looked_at, lambda layer: _share(layer.saturated, layer), _SATURATED)
    found = stuck or _find_worst(hidden, lambda layer: layer.at_bound, _AT_BOUNDS)
    if found is None:
        return None
    _, worst = found
    told = _tell_stuck(*found) if stuck is not None else _tell_at_bound(*found)
    began = _find_worst(hidden, lambda layer: layer.at_bound_fresh, _SATURATED)
    return find(
        saturated_units,
        "warning" if is_settled(facts) and (began or not is_short(facts)) else "note",
        f"{told}{_tell_start(began)}{_tell_loss(facts)}.",
        evidence={
            "layer": worst.name,
            "saturated": worst.saturated,
            "units": worst.units,
            "at_bound": worst.at_bound,
            "at_bound_fresh": None if began is None else began[0],
            "left_over": left,
        },
        fix="Scale the inputs to unit size, draw smaller weights, or use relu in hidden layers.",
        change=_draw_smaller(facts) if began is not None else None,
        cost=symptom_cost(facts) + (0.0 if began is None else _FROM_THE_START),
        where=worst.where,
    )


def _tell_stuck(share: float, layer: LayerFacts) -> str:
    return (
        f"{layer.saturated} of the {layer.units} units of '{layer.name}' ({layer.activation}) "
        f"({format_percent(share)}) are at a bound for nearly all rows"
    )


def _tell_at_bound(share: float, layer: LayerFacts) -> str:
    return (
        f"{format_percent(share)} of the values of '{layer.name}' ({layer.activation}) are within "
        "1 % of a bound"
    )


def _tell_start(began: tuple[float, LayerFacts] | None) -> str:
    if began is None:
        return ""
    return f"; before the first step, {format_percent(began[0])} of those of '{began[1].name}' were"


def _draw_smaller(facts: AuditFacts) -> dict[str, Any] | None:
    """Return the change to Keras' own weights, None where it is the inputs that are large."""
    given = facts.model.first_input
    if given is None or max(map(abs, given)) >= LARGE:
        return None
    layers = [e.name for e in facts.model.layers if is_above(e.at_bound_fresh, _SATURATED)]
    return {"action": "draw_weights", "layers": layers}


def _find_worst(
    layers: Iterable[LayerFacts], measure: Callable[[LayerFacts], float | None], least: float
) -> tuple[float, LayerFacts] | None:
    """Return the largest measure from `least` up, and its layer."""
    hit = [(share, layer) for layer in layers if is_above(share := measure(layer), least)]
    return max(hit, key=lambda item: item[0], default=None)


@rule("TC408", explains=("worse-than-pca", "untrained-part"))
def dead_output_units(facts: AuditFacts) -> Finding | None:
    """Some outputs never change, while their targets do.

    What it checks
        Output values that are the same for all rows though their target varies: 5 % or more of
        them, or fewer that hold half of all the error that is left.

    Why it matters
        These values are not copied at all. Under relu they are usually stuck at 0, with no
        gradient to bring them back.

    Bad
        outputs = layers.Dense(n, activation="relu")(h)

    Good
        outputs = layers.Dense(n)(h)

    When to ignore
        When these values don't matter.
    """
    seen = facts.behaviour
    if seen is None or not seen.outputs or not is_settled(facts) or not is_autoencoder(facts):
        return None
    share = seen.dead_outputs / seen.outputs
    few = share < _DEAD_OUTPUTS
    held, left = seen.dead_left or 0.0, left_over(facts) or 0.0
    if few and not (is_above(held, _HELD) and held >= HALF * left):
        return None
    told = f", {format_percent(held)} by them alone" if few else ""
    activation = facts.model.output_activation
    change = {"action": "set_output_activation", "activation": "linear"}
    return find(
        dead_output_units,
        "warning",
        f"{seen.dead_outputs:,} of {seen.outputs:,} outputs ({format_percent(share)}) are the "
        f"same for all rows while their targets vary{_tell_loss(facts)}{told}.",
        evidence={
            "dead": seen.dead_outputs,
            "outputs": seen.outputs,
            "activation": activation,
            "held": held,
            "left_over": left,
        },
        fix="Use an output that can't die (sigmoid or linear), and a smaller learning rate."
        if activation in _CUT
        else "Let the last layers compute every value: padding gives constants.",
        change=change if activation in _CUT else None,
        cost=held if few else min(share, 1.0) * HALF,
        where=output_line(facts),
    )
