"""Rules TC4xx on the shape of the network: how much can pass, and in what form."""

from typing import Final

from truecopy.reports.wording import format_number, format_percent, format_range
from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Finding
from truecopy.rules.measured import (
    SYMPTOMS,
    find_layer,
    is_above,
    is_autoencoder,
    is_number,
    is_same,
    output_line,
)
from truecopy.rules.modelfacts import LayerFacts
from truecopy.rules.rule import find, rule

# Layers that lose something on purpose on the way to the latent.
_LOSING: Final = (
    *("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout"),
    *("GaussianNoise", "GaussianDropout"),
)
# A latent that keeps less than half of the variance as PCA is far below what the data need.
_KEPT: Final = 0.5
# Rounding and a few far-off values stay below a hundredth of what there is to learn.
_UNREACHABLE: Final = 0.01
# Half of what tells the rows apart goes around the latent: a skip connection, or a decoder that
# was wired to the input.
_BYPASSED: Final = 0.5
# A network whose output hardly changes is straight whatever its activations are.
_STILL: Final = 0.1
# What a missing bottleneck costs can't be measured as an error: the copy is good. A little, so
# that it comes before what costs nothing.
_NO_BOTTLENECK_COST: Final = 0.05


@rule("TC401")
def latent_not_narrower(facts: AuditFacts) -> Finding | None:
    """The latent is as wide as the input, so nothing has to be learned to copy it.

    What it checks
        The width of the narrowest layer against the number of input values, and how much of the
        output goes around it, where the targets are the inputs and nothing else makes copying
        hard: no noise, dropout, sparsity penalty or sampling. Words and other categories are left
        alone: how many there are says nothing of how much they tell.

    Why it matters
        A network that can hand each value through finds no structure: its codes compress
        nothing, and it copies anomalies as well as anything else.

    Bad
        z = layers.Dense(1024)(inputs)  # 784 pixels
        outputs = layers.Dense(784, activation="sigmoid")(z)

    Good
        z = layers.Dense(32)(inputs)

    When to ignore
        When the wide layer is wanted, for a later stage that makes it narrow.
    """
    model = facts.model
    if not is_autoencoder(facts) or not is_same(facts) or facts.data is None:
        return None
    features, around = facts.data.inputs.features, is_above(model.bypass, _BYPASSED)
    if model.latent is None or (model.latent < features and not around):
        return None
    if _is_hard_to_copy(facts) or any(layer.kind == "Embedding" for layer in model.layers):
        return None
    latent = find_layer(facts, model.latent_layer)
    name = f"'{model.latent_layer or '?'}'"
    return find(
        latent_not_narrower,
        "warning",
        f"{format_percent(model.bypass or 0.0)} of what the output shows of a row does not come "
        f"through the narrowest layer {name} ({model.latent:,} values)."
        if around
        else f"The narrowest layer {name} has {model.latent:,} values for {features:,} input "
        "values, and neither noise nor a penalty makes copying hard.",
        evidence={
            "bypass": model.bypass,
            "latent": model.latent,
            "features": features,
            "layer": model.latent_layer,
        },
        fix="Remove the connections around the latent."
        if around
        else "Make the latent narrower than the input, or corrupt the input.",
        change=None if around or latent is None else _narrow(latent, features),
        cost=_NO_BOTTLENECK_COST,
        where=latent.where if latent is not None else None,
    )


def _narrow(latent: LayerFacts, features: int) -> dict[str, object] | None:
    """Return the change to a quarter of the input's values, None where its width can't do it.

    The width of a convolution is that of one place; its places stay as many.
    """
    last = latent.shape[-1] if latent.shape else None
    places = latent.width // last if last else 1
    width = max(features // (4 * places), 1)
    if places * width >= features:
        return None
    return {"action": "set_latent", "layer": latent.name, "latent": width}


def _is_hard_to_copy(facts: AuditFacts) -> bool:
    """Whether noise, dropout, a penalty or sampling stands in for a bottleneck."""
    model = facts.model
    if model.noise or model.penalised or model.stochastic or facts.variational is not None:
        return True
    return any(layer.sparse or layer.kind in _LOSING for layer in model.layers)


@rule("TC402")
def latent_too_narrow(facts: AuditFacts) -> Finding | None:
    """The latent is far narrower than the data's main directions.

    What it checks
        The share of the variance that PCA of the latent's width keeps: below half.

    Why it matters
        PCA is what a linear network of this width can reach at best. A non-linear one does
        better, but seldom by far: expect a blurred copy.

    Bad
        z = layers.Dense(2)(h)  # MNIST: PCA of 2 keeps 17 %

    Good
        z = layers.Dense(32)(h)  # PCA of 32 keeps 74 %

    When to ignore
        When two dimensions are wanted for a plot.
    """
    model, data = facts.model, facts.data
    if data is None or model.latent is None or not is_autoencoder(facts):
        return None
    spectrum = data.targets.spectrum
    if spectrum is None:
        return None
    within = [
        kept
        for width, kept in zip(spectrum.widths, spectrum.kept, strict=False)
        if is_number(width) and width >= model.latent and is_number(kept)
    ]
    if not within or within[0] >= _KEPT:
        return None
    latent = find_layer(facts, model.latent_layer)
    return find(
        latent_too_narrow,
        "note",
        f"The latent has {model.latent:,} values, and PCA of that width keeps at most "
        f"{format_percent(within[0])} of the variance.",
        evidence={"latent": model.latent, "kept": within[0]},
        fix="Make the latent wider if the copy is too coarse.",
        where=latent.where if latent is not None else None,
    )


@rule("TC406")
def linear_network(facts: AuditFacts) -> Finding | None:
    """Nothing in the network is non-linear, so it can at best become PCA.

    What it checks
        Whether anything between input and output is not linear.

    Why it matters
        Linear layers one after the other are one linear layer. PCA gives the best of these
        directly, without training.

    Bad
        h = layers.Dense(128)(inputs)
        z = layers.Dense(32)(h)

    Good
        h = layers.Dense(128, activation="relu")(inputs)
        z = layers.Dense(32)(h)

    When to ignore
        When a linear network is what you want to study.
    """
    seen = facts.behaviour
    still = seen is not None and is_number(seen.spread) and seen.spread < _STILL
    if facts.model.nonlinear or still or not is_autoencoder(facts):
        return None
    pca = facts.behaviour.mse_pca if facts.behaviour is not None else None
    best = f": no MSE below {format_number(pca)} is possible" if is_number(pca) else ""
    count = sum(1 for layer in facts.model.layers if layer.parameters)
    return find(
        linear_network,
        "note",
        f"The {count} layers with weights are all linear, so the network can at best become "
        f"PCA of width {facts.model.latent or '?'}{best}.",
        evidence={"layers": count, "latent": facts.model.latent, "mse_pca": pca},
        fix="Give the hidden layers a relu activation.",
    )


@rule(
    "TC407",
    explains=(*SYMPTOMS, "target-outside-output-range", "output-range-wider-than-target"),
)
def recurrent_output(facts: AuditFacts) -> Finding | None:
    """An LSTM or GRU as the last layer keeps the output between -1 and 1.

    What it checks
        A recurrent layer as the last one: whether targets lie beyond what it can give.

    Why it matters
        An LSTM's output is a gate times tanh: never beyond -1 and 1, and close to them only
        when both are saturated. A Dense layer on each step has no such bound.

    Bad
        outputs = layers.LSTM(n_features, return_sequences=True)(h)

    Good
        h = layers.LSTM(64, return_sequences=True)(h)
        outputs = layers.TimeDistributed(layers.Dense(n_features))(h)

    When to ignore
        When the data lie well within (-1, 1).
    """
    if not facts.model.recurrent_output or facts.data is None or not is_autoencoder(facts):
        return None
    targets, contract = facts.data.targets, facts.contract
    span = (targets.minimum, targets.maximum)
    left = contract.unavoidable_share if contract is not None else None
    outside = contract.outside if contract is not None else None
    beyond = is_above(left, _UNREACHABLE)
    shown = f": {format_percent(outside)} are out of reach" if beyond and is_number(outside) else ""
    kind = find_layer(facts, facts.model.output_layer)
    return find(
        recurrent_output,
        "error" if beyond else "note",
        f"The last layer is {'an ' + kind.kind if kind else 'recurrent'} and the targets span "
        f"{format_range(span)}{shown}.",
        evidence={
            "target_range": span,
            "output_bounds": facts.model.output_bounds,
            "outside": outside,
            "unavoidable_share": left,
        },
        fix="Add a Dense layer on each step after the recurrent one.",
        cost=left if beyond and is_number(left) else 0.0,
        where=output_line(facts),
    )
