"""What a rule may know: frozen records about a model, its data and its training.

`truecopy.audit` measures them; a rule reads nothing else, so that it can be tested in
milliseconds and run again from a JSON file. None means "not measured": there were no data, no
loss or no training to measure it on, and a rule that needs it stays silent.

Shares are fractions from 0 to 1. "Rows" are the sampled rows that were probed. Losses and errors
are those of the user's own units: the targets as the model is fitted to them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from truecopy.facts import DataFacts, Record
from truecopy.rules.modelfacts import ModelFacts, Where


@dataclass(frozen=True, kw_only=True, slots=True)
class SpareArray(Record):
    """An array of the user's program that has the rows' shape and was not given to `fit`.

    `relation` is 'noisy-copy' (the inputs with something random added), 'cleaner-copy' (the inputs
    are this with something random added), 'noisy-elsewhere' (so are other rows, which stand beside
    it) or 'other'; `noise` the difference's standard deviation.
    """

    name: str
    relation: str
    noise: float
    where: Where | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PairFacts(Record):
    """Inputs and targets, and how they hang together.

    `identical` says that targets are the inputs. `correlation` is the median over rows of that
    between input and target, `shuffled` the same for rows paired at random (both None where
    sizes differ). `noisier` is 'input', 'target' or 'neither': which of them is the other with
    something random added, `noise` the standard deviation of what was added.
    `target_sums` are minimum, median and maximum of the targets' sums over the last axis.
    `most_common` is the share of the most frequent target value, `common_value` that value.
    `variation` is the targets' mean standard deviation over rows divided by the size of their
    mean. `cardinal` are columns of whole numbers that look like identifiers or categories.
    `validation` are the validation inputs, `validation_targets` its targets, None where there
    are none. `scaled_again` says that every validation column has, on its own rows, exactly the
    bounds or the mean and standard deviation that scaling gave the training columns.
    `spare` are arrays that were made and not used. `permuted` says that each target row has the
    values of its input row in another order, which is not that of time turned back; `moved` is
    the share of pictures that fit their targets far better once they are shifted or mirrored,
    each in its own way.
    """

    inputs: DataFacts
    targets: DataFacts
    identical: bool
    correlation: float | None = None
    shuffled: float | None = None
    noisier: str = "neither"
    noise: float = 0.0
    target_sums: tuple[float, float, float] | None = None
    most_common: float = 0.0
    common_value: float = 0.0
    variation: float | None = None
    cardinal: tuple[int, ...] = ()
    validation: DataFacts | None = None
    validation_targets: DataFacts | None = None
    scaled_again: bool = False
    permuted: bool = False
    moved: float = 0.0
    spare: tuple[SpareArray, ...] = ()
    sampled: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractFacts(Record):
    """Does the loss, as compiled, ask for a copy? Measured on the user's targets y.

    `perfect` is the loss L(y, y); `blank`, `mean` and `projected` those of zeros, of the mean
    target, and of y clipped to what the output can reach; `seen` of the model's own output.
    `better` is the lowest loss found near or far from y that is below that of y, at `better_at`
    (in words), None where y is the minimum. `unbounded` says that the loss goes on falling away
    from y. `swapped` says that with the arguments exchanged y would be the minimum. `masked` is
    the target value that the loss leaves out, `masks_steps` that it does so only where the value
    fills a step; `ignores` the share of other places at which a
    prediction can change without changing the loss. `outside` is the share of target values that
    the output can't reach; `unavoidable` the mean squared error that remains at best,
    `unavoidable_share` the same divided by that of the mean target. `tied` says that they are so
    because the values of an output row hang together (a normalisation of it, say), whatever each
    can be. `below_zero`, `above_one` are the shares of targets outside [0, 1].
    `batch_scaling` is the whole loss of a batch given twice, divided by that of the batch:
    1 for a mean over rows, 2 for a sum; `penalty_scaling` the same for what layers add.
    `broadcast` says that output and target shapes differ and the loss took them all the same.
    `row_scale` is the loss of one unit of squared error in one value of one row: 1 / features
    for a mean over features, 1 for a sum (None where the loss is of another kind).
    """

    perfect: float
    blank: float
    mean: float
    projected: float | None = None
    seen: float | None = None
    better: float | None = None
    better_at: str = ""
    unbounded: bool = False
    swapped: bool = False
    masked: float | None = None
    masks_steps: bool = False
    ignores: float = 0.0
    outside: float = 0.0
    unavoidable: float = 0.0
    unavoidable_share: float = 0.0
    tied: bool = False
    below_zero: float = 0.0
    above_one: float = 0.0
    batch_scaling: float | None = None
    penalty_scaling: float | None = None
    broadcast: bool = False
    row_scale: float | None = None
    clipped_gradient: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class BehaviourFacts(Record):
    """What the model does with the rows now.

    `trained` says whether it has been trained (steps were made, a history was given, or it
    copies far better than chance). Mean squared errors against the targets: `mse` in inference
    mode, `mse_training` in training mode (mean of several calls), `mse_mean` of the mean target,
    `mse_blank` of zeros, `mse_pca` of PCA with the latent's width, `mse_input` of handing the
    input through (None where shapes differ); what weights or a mask leave out doesn't count.
    `padding` is the share of steps that only fill rows up, and what is left beside them of the mean
    target's error there (None: no such steps).
    `spread` is the standard deviation over rows of the output divided by the targets', over
    all features; `dependence` the change of the output when inputs are permuted between rows,
    relative to the targets' spread. `output` are minimum and maximum of the output, `output_sums`
    the median sum over its last axis, `output_outside` the share of outputs outside [0, 1].
    `dead_outputs` are output features that never change while their target does, `dead_left` what
    they hold of the mean target's error.
    `terms` are the parts of the loss by name; `penalty` the sum of all that layers add;
    `reconstruction` the rest. `one_batch` is the loss (before, after) of fitting one batch of
    rows for some steps, `one_batch_floor` the loss of a perfect copy there and
    `one_batch_mean` that of the batch's mean. `penalty_fresh` is the penalty with the weights
    before training, or fresh ones: one that rules has shrunk to little by the end.
    """

    trained: bool
    mse: float | None = None
    mse_training: float | None = None
    mse_mean: float | None = None
    mse_blank: float | None = None
    mse_pca: float | None = None
    mse_input: float | None = None
    spread: float | None = None
    dependence: float | None = None
    output: tuple[float, float] | None = None
    output_sums: float | None = None
    output_outside: float = 0.0
    output_finite: bool = True
    dead_outputs: int = 0
    dead_left: float | None = None
    outputs: int = 0
    terms: Mapping[str, float] = field(default_factory=dict)
    penalty: float | None = None
    penalty_fresh: float | None = None
    reconstruction: float | None = None
    one_batch: tuple[float, float] | None = None
    one_batch_floor: float | None = None
    one_batch_mean: float | None = None
    padding: tuple[float, float] | None = None
    validation_mse: float | None = None
    validation_mse_mean: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingFacts(Record):
    """A training that was watched, or its history.

    `losses` and `validation_losses` have one value an epoch; `step_losses` the loss of each step
    watched (at most some hundreds, evenly taken), empty where only a history is known.
    `rates` are the epochs' learning rates, where a callback logs them: one that changes them does.
    `planned_epochs` is what `fit` was asked for; `complete` says that it ran to its own end rather
    than to the audit's budget. `diverged_at` is the first step (from 1) whose loss was not finite,
    and `diverged_layer` the first layer with such weights.
    """

    losses: tuple[float, ...]
    validation_losses: tuple[float, ...] = ()
    step_losses: tuple[float, ...] = ()
    rates: tuple[float, ...] = ()
    planned_epochs: int = 0
    batch_size: int | None = None
    steps: int = 0
    complete: bool = True
    early_stopping: bool = False
    diverged_at: int | None = None
    diverged_layer: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class VariationalFacts(Record):
    """The sampling heads of a variational autoencoder, and its KL term, measured.

    The loss is measured with the heads' outputs set to chosen numbers and everything else held, so
    it doesn't matter how the term is written. `kl` are the loss' changes at some points (mean and
    log-variance), `kl_closed` those of the closed form summed over latents and averaged over rows;
    `kl_scale` the factor between them where one fits all points (`kl_matches`), None otherwise.
    `kl_reading` says how the spread head has to be read to match: 'log-variance', 'log-std',
    'std' or ''.
    `per_latent` is the closed form's KL per latent on the rows, `active` how many exceed 0.01 nats.
    `effective_beta` is the weight of the KL against the reconstruction when both are summed: 1
    for a textbook VAE; `sampling` the observed spread of the samples divided by the standard
    deviation that the KL assumes (0: nothing is sampled); `log_variance` minimum and maximum of
    that head on the rows. Where the weights are no numbers any more, these are figures of those
    before training, and `per_latent` and `active` are left out.
    """

    mean_layer: str
    spread_layer: str
    latent: int
    mean_activation: str | None = None
    spread_activation: str | None = None
    kl: tuple[float, ...] = ()
    kl_closed: tuple[float, ...] = ()
    kl_scale: float | None = None
    kl_matches: bool | None = None
    kl_reading: str = ""
    kl_hint: str = ""
    per_latent: tuple[float, ...] = ()
    active: int | None = None
    effective_beta: float | None = None
    sampling: float | None = None
    log_variance: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditFacts(Record):
    """Everything that was measured about one model, its data and its training.

    `fit_where` is the line of the `fit` call; `notes` say what could not be measured and why.
    """

    target: str
    model: ModelFacts
    data: PairFacts | None = None
    contract: ContractFacts | None = None
    behaviour: BehaviourFacts | None = None
    training: TrainingFacts | None = None
    variational: VariationalFacts | None = None
    fit_where: Where | None = None
    notes: tuple[str, ...] = ()
