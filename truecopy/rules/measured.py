"""Questions that several rules ask of the facts, each answered in one place.

Every number may be missing or, in a broken run, not finite: the answers here are None or False
then, so that a rule stays silent.
"""

import math
from collections.abc import Sequence
from typing import Any, Final, TypeGuard

from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Severity
from truecopy.rules.modelfacts import CompileFacts, LayerFacts, Where

# What a network that has learned nothing shows, whatever the reason: most causes explain these.
SYMPTOMS: Final = (
    "collapsed-to-mean",
    "loss-not-decreasing",
    "cannot-fit-one-batch",
    "dead-output-units",
    "dead-units",
    "relu-latent",
    "saturated-units",
    "untrained-part",
    "worse-than-trivial",
    "worse-than-pca",
)
# As wrong as the mean image: within a tenth of it, nothing of what differs was learned.
AS_THE_MEAN: Final = 0.9
# Far from what a network gives that hasn't begun to tell rows apart.
FAR_WORSE: Final = 1.5
# Half of what there is to learn is missing: more than a weak network or a short training costs.
HALF: Final = 0.5
# Left over, or behind PCA, by less than this share: nothing that a fault would explain.
ALL_BUT: Final = 0.1
# Fewer updates than this say nothing about where a training ends.
FEW_STEPS: Final = 50
# Deep networks may stay at the mean image for some hundred steps before they leave it: a training
# cut short by the audit has settled when it stood still this long, and one that its own program
# ended before is no proof of a fault.
LONG_STEPS: Final = 300
# Standing still: the second half of the steps gained less than this share of the whole fall.
STILL: Final = 0.02
# At the end an epoch still takes off 5 % of what is left above the floor.
STEEP: Final = 0.05
# Optimisers whose step has the size of the learning rate in every weight, whatever the gradient.
ADAPTIVE: Final = ("adam", "adamw", "nadam", "adamax", "rmsprop", "lion", "adafactor", "muon")
# Layers at the input that bring any scale into order.
SCALING_LAYERS: Final = (
    *("Rescaling", "Normalization", "BatchNormalization", "LayerNormalization", "Embedding"),
    *("GroupNormalization", "UnitNormalization", "RMSNormalization", "Discretization"),
    *("CategoryEncoding", "Hashing", "IntegerLookup", "StringLookup"),
)
# Layers, by how their names begin, that see a window step by step, where PCA sees all of it at
# once: being behind is usual.
RECURRENT: Final = ("RNN", "SimpleRNN", "LSTM", "GRU", "Bidirectional", "ConvLSTM")
# Networks that cost a training may be a tenth worse than PCA on a sample; by half is a loss.
FAR_BEHIND: Final = 1.5
# A symptom counts half of what was lost, so that a cause of the same size comes before it.
SYMPTOM: Final = 0.5


def is_number(value: float | None) -> TypeGuard[float]:
    """Whether the value was measured and is finite."""
    return value is not None and math.isfinite(value)


def is_above(value: float | None, bound: float) -> TypeGuard[float]:
    """Whether the value was measured, is finite and at least `bound`."""
    return is_number(value) and value >= bound


def is_autoencoder(facts: AuditFacts) -> bool:
    """Whether rules on reconstructions apply."""
    role = facts.model.role
    return role == "autoencoder" or (role.startswith("several") and facts.contract is not None)


def is_trained(facts: AuditFacts) -> bool:
    """Whether the behaviour is that of a trained model."""
    return facts.behaviour is not None and facts.behaviour.trained


def is_same(facts: AuditFacts) -> bool:
    """Whether the targets are the inputs."""
    return facts.data is not None and facts.data.identical


def left_over(facts: AuditFacts) -> float | None:
    """Return the squared error as a share of the mean target's: 0 a copy, 1 nothing learned."""
    seen = facts.behaviour
    if seen is None or not is_number(seen.mse) or not is_number(seen.mse_mean):
        return None
    return seen.mse / seen.mse_mean if seen.mse_mean > 0 else None


def behind_pca(facts: AuditFacts) -> float | None:
    """Return how much more of the mean target's error is left than PCA of that width leaves."""
    seen = facts.behaviour
    left = left_over(facts)
    if left is None or seen is None or not is_number(seen.mse_pca) or not seen.mse_mean:
        return None
    return left - seen.mse_pca / seen.mse_mean


def is_settled(facts: AuditFacts) -> bool:
    """Whether the training went far enough for its result to be judged.

    A model that is handed over trained is judged as it is. A training that the audit cut short
    is judged only when it had stood still for long.
    """
    if not is_trained(facts):
        return False
    training = facts.training
    if training is None:
        return True
    if training.complete:
        return training.steps == 0 or training.steps >= FEW_STEPS
    return training.steps >= LONG_STEPS and _stands_still(training.step_losses)


def is_short(facts: AuditFacts) -> bool:
    """Whether the program itself ended its training before deep networks leave the mean image."""
    training = facts.training
    return training is not None and training.complete and 0 < training.steps < LONG_STEPS


def failure_severity(facts: AuditFacts) -> Severity:
    """Return how grave it is that a settled training ended with nothing learned.

    A short one that is far worse than the mean target isn't on its way through it.
    """
    if is_short(facts) and not is_above(left_over(facts), FAR_WORSE):
        return "note"
    return "error" if facts.training is None or facts.training.complete else "warning"


def _stands_still(losses: Sequence[float]) -> bool:
    """Whether the last half of the steps gained next to nothing against the first."""
    if len(losses) < FEW_STEPS or not all(is_number(loss) for loss in losses):
        return False
    tenth = max(len(losses) // 10, 1)
    first, middle, last = (
        sum(part) / len(part)
        for part in (
            losses[:tenth],
            losses[len(losses) // 2 : len(losses) // 2 + tenth],
            losses[-tenth:],
        )
    )
    return middle - last <= STILL * max(abs(first - last), abs(first) * STILL)


def late_slope(facts: AuditFacts) -> float | None:
    """Return how much of the loss above its floor one of the last epochs took off.

    None where it isn't known. Where early stopping ended the training, what it took off the
    validation loss counts, too: usually nothing, but where it asked for too large a step.
    """
    training = facts.training
    if training is None:
        return None
    slope = slope_of(training.losses, facts)
    # Early stopping that was there and never stopped anything says nothing.
    stopped = training.early_stopping and not 0 < training.planned_epochs <= len(training.losses)
    if slope is None or not stopped:
        return slope
    held = slope_of(training.validation_losses, facts)
    return None if held is None else min(slope, held)


def slope_of(losses: Sequence[float], facts: AuditFacts, *, epochs: int = 2) -> float | None:
    """Return how much of the loss above its floor one of the last `epochs` took off."""
    floor = facts.contract.perfect if facts.contract is not None else 0.0
    if len(losses) <= epochs or not all(map(is_number, (*losses, floor))) or losses[-1] <= floor:
        return None
    return (losses[-1 - epochs] - losses[-1]) / epochs / (losses[-1] - floor)


def has_failed(facts: AuditFacts) -> bool:
    """Whether a settled training ended no better than the mean target."""
    return is_settled(facts) and is_above(left_over(facts), AS_THE_MEAN)


def has_worked(facts: AuditFacts) -> bool:
    """Whether the trained model copies well: near PCA of its width, or nearly all of it."""
    left, behind = left_over(facts), behind_pca(facts)
    if not is_trained(facts) or left is None:
        return False
    return left < ALL_BUT or (behind is not None and behind < ALL_BUT)


def is_far_behind_pca(facts: AuditFacts) -> bool:
    """Whether a training that ran to its end is far behind PCA, for no reason of its own."""
    seen = facts.behaviour
    if seen is None or not is_number(seen.mse) or not is_number(seen.mse_pca):
        return False
    behind = seen.mse > FAR_BEHIND * seen.mse_pca > 0
    done = is_settled(facts) and not is_above(late_slope(facts), STEEP)
    return behind and done and not is_short(facts) and _is_fair(facts)


def _is_fair(facts: AuditFacts) -> bool:
    """Whether nothing makes copying harder for the network than for PCA."""
    model = facts.model
    return (
        is_same(facts)
        and not (
            model.noise or model.penalised or model.stochastic or facts.variational is not None
        )
        and not any(layer.sparse or layer.kind.startswith(RECURRENT) for layer in model.layers)
    )


def lost(facts: AuditFacts) -> float:
    """Return what was not learned of all there was, from 0 to 1; 1 where it isn't known."""
    left = left_over(facts)
    return min(left, 1.0) if left is not None else 1.0


def symptom_cost(facts: AuditFacts) -> float:
    """Return what a symptom without a known cause costs."""
    return SYMPTOM * lost(facts)


def is_bounded(facts: AuditFacts) -> bool:
    """Whether the output is known to stay between two numbers."""
    return all(map(is_number, facts.model.output_bounds))


def compiled(facts: AuditFacts) -> CompileFacts | None:
    """Return how the model was compiled."""
    return facts.model.compiled


def compile_line(facts: AuditFacts) -> Where | None:
    """Return the line of the `compile` call, or else that of the `fit` call."""
    made = facts.model.compiled
    return made.where if made is not None and made.where is not None else facts.fit_where


def find_layer(facts: AuditFacts, name: str | None) -> LayerFacts | None:
    """Return the layer of this name."""
    return next((layer for layer in facts.model.layers if layer.name == name), None)


def output_line(facts: AuditFacts) -> Where | None:
    """Return the line of the output layer, or else that of the `compile` call."""
    layer = find_layer(facts, facts.model.output_layer)
    return layer.where if layer is not None and layer.where is not None else compile_line(facts)


def describe_output(facts: AuditFacts) -> str:
    """Name the output in words: 'a sigmoid output', 'a linear output'."""
    activation = facts.model.output_activation
    if facts.model.recurrent_output:
        return "a recurrent output"
    return "a linear output" if activation is None else f"a {activation} output"


def planned_steps(facts: AuditFacts) -> int | None:
    """Return how many updates the whole planned training makes, None where it isn't known."""
    training = facts.training
    if training is None:
        return None
    if training.complete:
        return training.steps or None
    if not training.losses or not training.planned_epochs:
        return None
    return training.steps // len(training.losses) * training.planned_epochs


def find_frozen(facts: AuditFacts) -> list[LayerFacts]:
    """Return frozen layers where the copy is so bad that they weren't trained before either."""
    if not is_settled(facts) or behind_pca(facts) is None or has_worked(facts):
        return []
    return [
        layer
        for layer in facts.model.layers
        if layer.parameters and not layer.trainable and layer.kind not in SCALING_LAYERS
    ]


def began_alike(layer: LayerFacts) -> bool:
    """Whether a layer's weights began as one and the same number and got no gradient since."""
    return layer.same_weights and 0 in {layer.changed, layer.gradient}


def draw_again(facts: AuditFacts) -> dict[str, Any]:
    """Return the change that draws all weights at random which began as one and the same number."""
    same = [layer.name for layer in facts.model.layers if layer.same_weights]
    return {"action": "draw_weights", "layers": same}
