"""What a rule may know of a model: its layers, how it was compiled, and where that is written.

See `truecopy.rules.facts` for what all these records have in common.
"""

from dataclasses import dataclass

from truecopy.facts import Record

# The bounds of what an activation can give; None: no bound on that side.
Bounds = tuple[float | None, float | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Where(Record):
    """A line of the user's program."""

    file: str
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerFacts(Record):
    """One layer that computes something, in the order of the computation.

    `kind` is its class' name; `activation` the name of what it applies last (None: nothing, and
    'custom' where it is a function without a known name); `shape` is one row of its output and
    `width` the number of its values. `part` says where it stands: encoder, latent, decoder,
    output, or head (a mean or log-variance that is sampled from). `sparse` says that the user
    asked for zeros: an activity penalty, a top-k, a Dropout or the like follows.

    On the probed rows, in inference mode: `share_zero` of its values are exactly 0;
    `dead` of its `units` (features or channels) are constant at the activation's zero or bound
    for all rows; `saturated` of them are within 1 % of a bound on over 95 % of rows, and
    `at_bound` is the share of all values that are: only bounded activations have them;
    `at_bound_fresh` is that before the training watched, where it is large now. `gradient` and
    `update` are the norms of one batch's gradient and optimiser step divided by the weights'
    norm; `changed` is how far the weights moved in the training watched, divided by their norm
    before; `same_weights` says that the weights that multiply began as one and the same number.
    `clipped` is the share of the targets' variance that a linear map of a latent explains
    before its relu and not after it.
    """

    name: str
    kind: str
    activation: str | None
    shape: tuple[int | None, ...]
    width: int
    parameters: int = 0
    trainable: bool = True
    part: str = "encoder"
    sparse: bool = False
    rate: float | None = None
    momentum: float | None = None
    units: int | None = None
    share_zero: float | None = None
    dead: int | None = None
    saturated: int | None = None
    at_bound: float | None = None
    at_bound_fresh: float | None = None
    gradient: float | None = None
    update: float | None = None
    changed: float | None = None
    clipped: float | None = None
    same_weights: bool = False
    finite: bool = True
    where: Where | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricFacts(Record):
    """A compiled metric: what was asked for, which Keras class it became, and what it can say.

    `counts` says that it rounds, thresholds or takes the argmax, so that it counts matches.
    `blank`, `mean`, `perfect` and `seen` are its values for a blank page, the mean target, a
    perfect copy and the model's own output; None where it can't be computed.
    """

    asked: str
    resolves_to: str
    counts: bool
    blank: float | None = None
    mean: float | None = None
    perfect: float | None = None
    seen: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CompileFacts(Record):
    """How the model was compiled.

    `loss` is Keras' name of the loss ('binary_crossentropy', 'mean_squared_error', ...), the
    function's own name where it is the user's, 'none' where there is none, 'add_loss' where it is
    what layers add and nothing else, 'custom-step' where only a `train_step` or `compute_loss` of
    the user's knows it; `own` says that it is the user's. `like` is the known loss whose numbers
    it gives up to a factor and a constant, '' where none does: that of a function of the user's,
    too. `optimizer` is the class' name in lower case; `learning_rate` that in force; `scheduled`
    whether it changes; `epsilon` what an adaptive one adds to the size of the gradients; `steps`
    how many updates were made.
    """

    loss: str
    own: bool = False
    from_logits: bool = False
    like: str = ""
    metrics: tuple[MetricFacts, ...] = ()
    optimizer: str | None = None
    learning_rate: float | None = None
    scheduled: bool = False
    epsilon: float | None = None
    steps: int = 0
    where: Where | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFacts(Record):
    """The structure of a model.

    `role` is 'autoencoder', or what it is instead: 'classifier', 'encoder', 'gan',
    'several-inputs', 'several-outputs', 'other'; `role_because` says why in one sentence. Rules
    on reconstructions run on autoencoders alone (and on 'several-...' where the contract is known).

    `output_activation` is the last activation, also of a custom layer ('custom' without a known
    name); `output_bounds` what the last operation can give, found by driving it with extreme
    numbers rather than by its name; `softmax_axis` the axis of a softmax output counted from the
    last (-1), 0 where all values of a row sum to 1 (a softmax that is reshaped into pictures), None
    for others; `squashed_twice` says that two bounded activations follow each other at the output.
    `latent` is the narrowest width between input and output, in the layer `latent_layer`, of
    activation `latent_activation`. `nonlinear` says that something is not linear in between;
    `noise` that the model itself corrupts its input (GaussianNoise, Dropout on the input);
    `penalised` that a regulariser or add_loss acts on the latent; `stochastic` that two inference
    calls differ; `recurrent_output` that the last layer is an LSTM or GRU.
    `first_input` are minimum and maximum of what reaches the first layer with weights on the
    probed rows, after all scaling that the model does by itself; None: not measured.
    `bypass` is the share of the output's spread that does not come through the latent: how far
    the output with the latents of other rows differs from the output of those rows (0: all of
    it comes through the latent, 1: none; None: not measured).
    """

    name: str
    kind: str
    parameters: int
    input_shape: tuple[int | None, ...]
    output_shape: tuple[int | None, ...]
    role: str = "autoencoder"
    role_because: str = ""
    layers: tuple[LayerFacts, ...] = ()
    output_layer: str = ""
    output_activation: str | None = None
    output_bounds: Bounds = (None, None)
    softmax_axis: int | None = None
    squashed_twice: bool = False
    recurrent_output: bool = False
    latent: int | None = None
    latent_layer: str | None = None
    latent_activation: str | None = None
    nonlinear: bool = True
    noise: bool = False
    penalised: bool = False
    stochastic: bool = False
    first_input: tuple[float, float] | None = None
    bypass: float | None = None
    compiled: CompileFacts | None = None
