"""What a model does with the rows: errors beside the trivial ones, spread, and short trainings."""

from dataclasses import dataclass, replace
from typing import Any, Final

import keras
import numpy as np
from keras.src.backend.common.masking import get_keras_mask
from numpy.typing import NDArray

from truecopy.audit.padding import find_padding, weigh_values
from truecopy.audit.preserve import unchanged
from truecopy.audit.recorded_losses import read_loss
from truecopy.audit.subject import Subject
from truecopy.audit.tensors import flat, squash
from truecopy.audit.trace import Recorded, as_array
from truecopy.audit.units import measure_updates
from truecopy.rules.facts import BehaviourFacts
from truecopy.rules.modelfacts import LayerFacts, ModelFacts

Array = NDArray[Any]

# A training-mode call per random mask: the mean of a few is near enough to tell a gap.
_TRAINING_CALLS: Final = 3
# Enough steps for a small network to come near one batch of this many rows.
_STEPS: Final = 60
_BATCH: Final = 32
# What never changes to float32's last digits is constant.
_CONSTANT: Final = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class Outputs:
    """The model's copies of the sampled rows, as arrays of (rows, values) in float64.

    `wanted` are the targets; `weights` what of them counts, None where all of it does; `shaped`
    says that both have as many values; `padding` are the values that only fill rows up.
    """

    seen: Array
    training: tuple[Array, ...]
    again: Array
    wanted: Array
    weights: Array | None = None
    padding: Array | None = None

    @property
    def shaped(self) -> bool:
        """Whether output and target can be compared value by value."""
        return self.seen.shape == self.wanted.shape

    def mean(self) -> Array:
        """Return the mean of each value over the rows in which it counts; 0 where it never does."""
        if self.weights is None:
            return np.asarray(self.wanted.mean(axis=0))
        total = self.weights.sum(axis=0)
        whole = (self.wanted * self.weights).sum(axis=0)
        return np.asarray(whole / np.where(total > 0, total, 1.0))

    def error(self, copy: Array | float) -> float:
        """Return the mean squared error of a copy, of what counts."""
        return float(np.average(np.square(self.wanted - copy), weights=self.weights))

    def share_of(self, chosen: Array) -> float | None:
        """Return what the error of some of the values is of the mean target's error over all."""
        trivial = self.error(self.mean())
        perfect_beside = np.where(chosen, self.seen, self.wanted)
        return self.error(perfect_beside) / trivial if trivial > 0 else None

    def counting(self, counts: Array) -> "Outputs":
        """Return these with other weights, (rows, values), times those they have.

        Where nothing is left that differs from the mean, they are returned as they are.
        """
        if not self.shaped:
            return self
        weights = counts if self.weights is None else counts * self.weights
        if not weights.sum() > 0:
            return self
        weighed = replace(self, weights=weights)
        return weighed if weighed.error(weighed.mean()) > 0 else self

    def squashed(self) -> "Outputs":
        """Return the probabilities that outputs stand for which are logits."""
        seen, again = squash(self.seen), squash(self.again)
        return replace(self, seen=seen, again=again, training=tuple(map(squash, self.training)))


def _gives_logits(model: ModelFacts, seen: Array, wanted: Array) -> bool:
    """Whether the loss squashes the output, and nothing has squashed it before."""
    made = model.compiled
    if made is None or not made.from_logits or "categorical" in made.loss:
        return False
    shares = wanted.min() >= 0 and wanted.max() <= 1
    return bool(shares and (seen.min() < 0 or seen.max() > 1))


def run_model(subject: Subject, number: int) -> Outputs:
    """Run the model on all sampled rows, in inference and in training mode."""
    model = subject.model

    def run(*, training: bool) -> Array:
        return flat(as_array(call(training=training)))

    def call(*, training: bool) -> Any:
        return keras.tree.flatten(model(subject.inputs, training=training))[number]

    with unchanged(model):
        given = call(training=False)
        # What Keras 3.15 leaves out of the loss where a masked step reaches the output.
        mask = get_keras_mask(given)
        seen, again = flat(as_array(given)), run(training=False)
        training = [run(training=True)]
        if not np.array_equal(training[0], seen):
            training += [run(training=True) for _ in range(_TRAINING_CALLS - 1)]
    wanted = np.asarray(subject.inputs if subject.targets is None else subject.targets)
    kept = None if mask is None else as_array(mask)
    return Outputs(
        seen=seen,
        again=again,
        training=tuple(training),
        wanted=flat(wanted),
        weights=weigh_values(wanted.shape, subject.weights, kept),
        padding=weigh_values(wanted.shape, find_padding(wanted)),
    )


def measure_behaviour(
    subject: Subject, outputs: Outputs, model: ModelFacts, *, same: bool
) -> BehaviourFacts:
    """Return the errors and the spread of the model's copies.

    Args:
        subject: What is audited.
        outputs: The model's copies of its rows.
        model: Its structure.
        same: Whether the targets are the inputs.
    """
    seen, wanted = outputs.seen, outputs.wanted
    facts = BehaviourFacts(
        trained=_is_trained(subject, model),
        output=(float(seen.min()), float(seen.max())),
        output_finite=bool(np.isfinite(seen).all()),
        output_outside=float(((seen < 0) | (seen > 1)).mean()),
        outputs=seen.shape[1],
        output_sums=float(np.median(seen.sum(axis=1))),
        mse_mean=outputs.error(outputs.mean()),
        mse_blank=outputs.error(0.0),
    )
    logits = _gives_logits(model, seen, wanted)
    if logits:
        outputs = outputs.squashed()
        seen = outputs.seen
    spread = float(np.sqrt(wanted.var(axis=0).mean()))
    if spread:
        facts = replace(
            facts,
            spread=float(np.sqrt(seen.var(axis=0).mean())) / spread,
            dependence=_dependence(outputs, spread),
        )
    if not outputs.shaped:
        return facts
    dead = _find_dead(seen, wanted, spread)
    inputs = flat(keras.tree.flatten(subject.inputs)[0])
    weighed = outputs.weights is not None
    facts = replace(
        facts,
        mse=outputs.error(seen),
        mse_training=float(np.mean([outputs.error(copy) for copy in outputs.training])),
        mse_input=outputs.error(inputs) if inputs.shape == wanted.shape and not same else None,
        mse_pca=pca_error(wanted, model.latent) if same and model.latent and not weighed else None,
        dead_outputs=int(dead.sum()),
        dead_left=outputs.share_of(dead),
        padding=None if weighed else _measure_padding(outputs),
    )
    # Which of the validation rows count isn't known.
    return facts if weighed else _add_validation(facts, subject, wanted, logits=logits)


def _find_dead(seen: Array, wanted: Array, spread: float) -> NDArray[np.bool_]:
    """Return which outputs are the same in all rows though their targets are not."""
    least = _CONSTANT * max(spread, 1e-30)
    dead: NDArray[np.bool_] = (wanted.std(axis=0) > least) & (seen.std(axis=0) <= least)
    return dead


def _measure_padding(outputs: Outputs) -> tuple[float, float] | None:
    """Return the share of padding, and what of the mean's error is left beside it."""
    if outputs.padding is None or outputs.padding.all():
        return None
    beside = replace(outputs, weights=1 - outputs.padding)
    trivial = beside.error(beside.mean())
    if trivial <= 0:
        return None
    return float(outputs.padding.mean()), beside.error(beside.seen) / trivial


def _add_validation(
    facts: BehaviourFacts, subject: Subject, wanted: Array, *, logits: bool
) -> BehaviourFacts:
    if subject.validation is None:
        return facts
    held, targets = subject.validation
    with unchanged(subject.model):
        copied = flat(as_array(keras.tree.flatten(subject.model(held, training=False))[0]))
    asked = flat(np.asarray(targets))
    copied = squash(copied) if logits else copied
    if copied.shape != asked.shape:
        return facts
    return replace(
        facts,
        validation_mse=_squared(asked, copied),
        validation_mse_mean=_squared(asked, wanted.mean(axis=0)),
    )


def _squared(wanted: Array, copy: Array) -> float:
    return float(np.square(wanted - copy).mean())


def _dependence(outputs: Outputs, spread: float) -> float:
    """Return how much the output changes from row to row, beyond what changes by chance."""
    seen, noise = outputs.seen, outputs.seen - outputs.again
    change = np.square(seen - np.roll(seen, 1, axis=0)).mean() / 2 - np.square(noise).mean() / 2
    return float(np.sqrt(max(change, 0.0))) / spread


def _is_trained(subject: Subject, model: ModelFacts) -> bool:
    steps = 0 if model.compiled is None else model.compiled.steps
    return bool(steps or subject.history or subject.training)


def pca_error(rows: Array, width: int) -> float | None:
    """Return the squared error of PCA of a width, fitted on every other row, on the others.

    None where there are too few rows to say.
    """
    fitted, held = rows[::2], rows[1::2]
    if len(fitted) <= width or not len(held):
        return None
    mean = fitted.mean(axis=0)
    centred = fitted - mean
    # The components from the smaller of the two products of the rows with themselves.
    if len(centred) < centred.shape[1]:
        values, vectors = np.linalg.eigh(centred @ centred.T)
        kept = values[::-1][:width] > values[-1] * 1e-10
        components = (vectors[:, ::-1][:, :width][:, kept].T @ centred) / np.sqrt(
            values[::-1][:width][kept]
        )[:, None]
    else:
        _, vectors = np.linalg.eigh(centred.T @ centred)
        components = vectors[:, ::-1][:, :width].T
    latents = (held - mean) @ components.T
    return _squared(held, mean + latents @ components)


def train_briefly(
    subject: Subject, layers: tuple[LayerFacts, ...], facts: BehaviourFacts, recorded: Recorded
) -> tuple[tuple[LayerFacts, ...], BehaviourFacts]:
    """Return layers and behaviour with what one step, and some steps on one batch, do.

    The steps are those of the user's own compiled training; everything is put back.
    """
    model = subject.model
    inputs = keras.tree.map_structure(lambda rows: rows[:_BATCH], subject.inputs)
    targets = None if subject.targets is None else subject.targets[:_BATCH]
    by_name = {call.layer.name: call.layer for call in recorded.leaves()}

    def weights() -> dict[str, list[Array]]:
        return {n: [as_array(w.value) for w in by_name[n].trainable_weights] for n in names}

    names = [layer.name for layer in layers if by_name[layer.name].trainable_weights]
    with unchanged(model):
        # Kept between the two blocks, so that the step is compiled once.
        model.make_train_function()
        with unchanged(model):
            start = weights()
            first = _step(model, inputs, targets)
            updates = measure_updates(layers, start, weights())
            for _ in range(_STEPS - 1):
                _step(model, inputs, targets)
            last = _step(model, inputs, targets)
        with unchanged(model):
            _forget_steps(model)
            _step(model, inputs, targets)
            gradients = measure_updates(layers, start, weights())
    layers = tuple(
        replace(layer, update=updates.get(layer.name), gradient=gradients.get(layer.name))
        for layer in layers
    )
    return layers, replace(facts, one_batch=(first, last))


def measure_terms(subject: Subject, facts: BehaviourFacts) -> BehaviourFacts:
    """Return the behaviour with the parts of the loss on one batch of the user's size.

    What layers add is known from a call; the rest of the whole loss is the reconstruction's.
    """
    model = subject.model
    size = None if subject.training is None else subject.training.batch_size
    inputs = keras.tree.map_structure(lambda rows: rows[: size or _BATCH], subject.inputs)
    targets = None if subject.targets is None else subject.targets[: size or _BATCH]
    with unchanged(model):
        model.reset_metrics()
        logs = model.test_on_batch(inputs, targets, return_dict=True)
        penalty = _added(model, inputs)
        fresh = None
        if subject.initial_weights is not None:
            model.set_weights(subject.initial_weights)
            fresh = _added(model, inputs)
    whole = read_loss(logs)
    own = {name: float(value) for name, value in logs.items() if name.endswith("loss")}
    return replace(
        facts,
        terms=own if len(own) > 1 else {},
        penalty=penalty,
        penalty_fresh=fresh,
        reconstruction=None if whole is None or not np.isfinite(whole) else whole - penalty,
    )


def _added(model: Any, inputs: Any) -> float:
    """Return the sum of all that the model's layers add to the loss of a batch."""
    model(inputs, training=False)
    return float(sum(float(as_array(loss)) for loss in model.losses))


def _step(model: Any, inputs: Any, targets: Any) -> float:
    model.reset_metrics()
    logs = model.train_on_batch(inputs, targets, return_dict=True)
    loss = read_loss(logs)
    return float(next(iter(logs.values()))) if loss is None else loss


def _forget_steps(model: Any) -> None:
    """Make the optimiser's next step its first: what moves then has a gradient."""
    for variable in model.optimizer.variables:
        if "learning_rate" not in variable.path:
            variable.assign(np.zeros(variable.shape, variable.dtype))
