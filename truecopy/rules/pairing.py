"""Rules TC1xx on inputs and targets together: is this the copy that was wanted?"""

from typing import Final

from truecopy.reports.wording import format_number, format_percent, format_shape
from truecopy.rules.facts import AuditFacts, PairFacts, SpareArray
from truecopy.rules.finding import Finding
from truecopy.rules.measured import (
    HALF,
    SYMPTOMS,
    is_above,
    is_autoencoder,
    is_number,
    is_same,
    is_settled,
    is_trained,
    left_over,
)
from truecopy.rules.rule import find, rule

# Rows paired as given correlate hardly more than rows paired at random: all pictures of digits
# correlate by 0.4 through their common mean, so that alone says nothing.
_UNRELATED: Final = 0.05
# The same picture on another scale: correlation 1, and a spread at least 5 times as large.
_SAME_PICTURE: Final = 0.99
_OTHER_SCALE: Final = 5.0
# Noise below a hundredth of the spread is rounding or compression.
_NOTABLE_NOISE: Final = 0.01
_NEVER: Final = 1.0
# The network's other faults follow from the shape, and a wrong shape is seen by nobody.
_BEFORE_ITS_ECHOES: Final = 0.5
_RESCALED_COST: Final = 0.4
# It can be learned, but what comes out is no copy.
_PERMUTED_COST: Final = 0.4


@rule("TC104", explains=(*SYMPTOMS, "overfitting", "stopped-too-early"))
def target_not_input(facts: AuditFacts) -> Finding | None:
    """The targets belong to other rows than the inputs, or are on another scale.

    What it checks
        The median correlation between an input row and its target against that of rows paired
        at random; whether the targets are the inputs on a scale 5 or more times larger; whether
        they have the inputs' columns in another order (sequences given back in reverse are left
        alone); and whether pictures fit theirs far better once they are shifted or mirrored, each
        in its own way, where half of what differs was not learned.

    Why it matters
        Targets of other rows can't be predicted, so the best answer is the mean of all. The
        usual reasons are a shuffle of one of the two arrays, a sort, a mixed-up name, or an
        augmentation that draws anew for the target.

    Bad
        np.random.shuffle(x_noisy)
        model.fit(x_noisy, x_clean)

    Good
        order = np.random.permutation(len(x_noisy))
        model.fit(x_noisy[order], x_clean[order])

    When to ignore
        When the network translates between two kinds of rows that have nothing in common.
    """
    data = facts.data
    if data is None or data.identical or data.noisier != "neither" or not is_autoencoder(facts):
        return None
    if not is_number(data.correlation) or data.inputs.features != data.targets.features:
        return None
    chance = data.shuffled if is_number(data.shuffled) else 0.0
    evidence: dict[str, float | None] = {
        "correlation": data.correlation,
        "shuffled": data.shuffled,
        "input_spread": data.inputs.spread,
        "target_spread": data.targets.spread,
    }
    if data.correlation < _SAME_PICTURE and abs(data.correlation) - abs(chance) < _UNRELATED:
        return _find_unrelated(facts, data, evidence)
    if data.moved >= HALF and not _is_learned(facts):
        return _find_moved(facts, data, evidence)
    if not _is_rescaled(facts, data):
        return _find_permuted(facts, data, evidence) if data.permuted else None
    return _find_rescaled(facts, data, evidence)


def _find_unrelated(
    facts: AuditFacts, data: PairFacts, evidence: dict[str, float | None]
) -> Finding:
    """Return the finding of targets that have nothing to do with their inputs."""
    return find(
        target_not_input,
        "error",
        f"An input row and its target correlate by {format_number(data.correlation)}, rows "
        f"paired at random by {format_number(data.shuffled or 0.0)}: the targets belong to other "
        "rows.",
        evidence=evidence,
        fix="Give each row its own copy as target: the same order, the same rows.",
        change={"action": "set_targets", "to": "inputs"},
        cost=_NEVER,
        where=facts.fit_where,
    )


def _find_rescaled(
    facts: AuditFacts, data: PairFacts, evidence: dict[str, float | None]
) -> Finding:
    """Return the finding of inputs or targets that alone were scaled."""
    ratio = data.targets.spread / data.inputs.spread
    return find(
        target_not_input,
        "warning",
        f"The targets are the inputs times {format_number(ratio)} (correlation "
        f"{format_number(data.correlation)}): only one of the two was scaled.",
        evidence=evidence | {"ratio": ratio},
        fix="Scale the targets as the inputs.",
        change={"action": "set_targets", "to": "inputs"},
        cost=_RESCALED_COST,
        where=facts.fit_where,
    )


def _is_learned(facts: AuditFacts) -> bool:
    """Whether the targets can be told from the inputs all the same: half or more was learned."""
    left = left_over(facts) if is_trained(facts) else None
    return left is not None and left < HALF


def _find_moved(facts: AuditFacts, data: PairFacts, evidence: dict[str, float | None]) -> Finding:
    """Return the finding of pictures that were moved each in its own way."""
    return find(
        target_not_input,
        "error" if is_settled(facts) else "note",
        f"{format_percent(data.moved)} of the pictures fit their targets only once they are "
        "shifted or mirrored, each in its own way: nothing tells where the target went.",
        evidence=evidence | {"moved": data.moved},
        fix="Draw once per picture, and give the same one as input and target.",
        change={"action": "set_targets", "to": "inputs"},
        cost=_NEVER if is_settled(facts) else 0.0,
        where=facts.fit_where,
    )


def _find_permuted(
    facts: AuditFacts, data: PairFacts, evidence: dict[str, float | None]
) -> Finding:
    """Return the finding of columns in another order."""
    return find(
        target_not_input,
        "warning",
        "Each target has the values of its input in another order of its "
        f"{data.targets.features:,} features: transposed, or its columns were mixed.",
        evidence=evidence,
        fix="Give both arrays the same order of axes and columns.",
        change={"action": "set_targets", "to": "inputs"},
        cost=_PERMUTED_COST,
        where=facts.fit_where,
    )


def _is_rescaled(facts: AuditFacts, data: PairFacts) -> bool:
    """Whether the targets are the inputs on a larger scale, and nothing in the model knows it."""
    spreads = (data.inputs.spread, data.targets.spread)
    if not all(map(is_number, spreads)) or spreads[0] <= 0 or any(_scales(facts)):
        return False
    return is_above(data.correlation, _SAME_PICTURE) and spreads[1] / spreads[0] >= _OTHER_SCALE


def _scales(facts: AuditFacts) -> list[bool]:
    """Return for each layer whether its name says that it changes the scale."""
    return [layer.kind in {"Rescaling", "Normalization", "Lambda"} for layer in facts.model.layers]


# A denoiser needs no narrow latent: the noise keeps it from copying.
@rule(
    "TC105",
    explains=("noise-not-used", "latent-not-narrower", "worse-than-pca", "overfitting"),
)
def noisy_target(facts: AuditFacts) -> Finding | None:
    """The network is fitted to the noisy rows, so it learns to keep the noise.

    What it checks
        Whether the targets are the inputs with something random added; or, where inputs and
        targets are the same array, whether the program holds a cleaner copy of it.

    Why it matters
        A denoiser learns to give what it is fitted to. With noise in the target, the noise is
        part of the lesson, and the loss rewards keeping it.

    Bad
        model.fit(x_noisy, x_noisy)

    Good
        model.fit(x_noisy, x_clean)

    When to ignore
        When the target is a second, independent noisy picture of the same scene (Noise2Noise).
    """
    data = facts.data
    if data is None or not is_autoencoder(facts):
        return None
    cleaner = _find_spare(data, "cleaner-copy")
    swapped = data.noisier == "target" and not data.identical
    if not swapped and not (data.identical and cleaner):
        return None
    noise = data.noise if swapped or cleaner is None else cleaner.noise
    share = noise**2 / data.targets.spread**2 if _noticed(data, noise) else 0.0
    if not share:
        return None
    if swapped:
        message = "The targets are the inputs with noise added"
        fix, change = "Swap inputs and targets.", {"action": "set_targets", "to": "inputs"}
    else:
        name = cleaner.name if cleaner is not None else ""
        message = f"Inputs and targets are both the noisy copy of '{name}'"
        fix = f"Fit to the clean rows: give '{name}' as the target."
        change = {"action": "set_targets", "to": f"array {name}"}
    return find(
        noisy_target,
        "error",
        f"{message} (standard deviation {format_number(noise)}, against a spread of "
        f"{format_number(data.targets.spread)}): the noise is part of what is learned.",
        evidence={
            "noise": noise,
            "spread": data.targets.spread,
            "noisier": data.noisier,
            "cleaner": cleaner.name if cleaner is not None else None,
        },
        fix=fix,
        change=change,
        cost=max(HALF, min(share, 1.0)),
        where=facts.fit_where,
    )


@rule("TC106", explains=("latent-not-narrower",))
def noise_not_used(facts: AuditFacts) -> Finding | None:
    """A noisy copy was made, and the network is fitted from clean to clean.

    What it checks
        Whether the program holds a noisy copy of the inputs that `fit` was not given, where
        inputs and targets are the same clean array. Where it holds one of other rows, which may
        be there to test a plain autoencoder, this is only a note.

    Why it matters
        The network never sees noise, so it can't learn to remove any: on noisy rows it gives
        what a plain autoencoder gives.

    Bad
        x_noisy = x + 0.3 * np.random.normal(size=x.shape)
        model.fit(x, x)

    Good
        x_noisy = x + 0.3 * np.random.normal(size=x.shape)
        model.fit(x_noisy, x)

    When to ignore
        When the noisy copy is there to test a plain autoencoder.
    """
    data = facts.data
    if data is None or not is_autoencoder(facts) or not is_same(facts) or facts.model.noise:
        return None
    spare = _find_spare(data, "noisy-copy")
    found = spare or _find_spare(data, "noisy-elsewhere")
    if found is None or not _noticed(data, found.noise):
        return None
    added = f"noise of standard deviation {format_number(found.noise)} added (spread "
    added += f"{format_number(data.inputs.spread)})"
    told = f"'{found.name}' is {'the inputs' if spare else 'other rows'} with {added}"
    use = f"Give '{found.name}' as the input and keep the clean rows as the target."
    return find(
        noise_not_used,
        "warning" if spare else "note",
        f"{told}, and fit was given the clean rows as both inputs and targets.",
        evidence={"array": found.name, "noise": found.noise, "spread": data.inputs.spread},
        fix=use if spare else "To remove noise, give noisy rows as input, clean ones as target.",
        change={"action": "set_inputs", "to": f"array {found.name}"} if spare else None,
        cost=HALF,
        where=facts.fit_where,
    )


def _find_spare(data: PairFacts, relation: str) -> SpareArray | None:
    return next((spare for spare in data.spare if spare.relation == relation), None)


def _noticed(data: PairFacts, noise: float) -> bool:
    """Whether noise of this standard deviation is more than rounding."""
    spread = data.targets.spread
    return is_number(noise) and is_number(spread) and spread > 0 and noise > _NOTABLE_NOISE * spread


@rule(
    "TC107",
    explains=(
        *SYMPTOMS,
        *("loss-not-minimal-at-target", "target-not-input", "loss-floor-not-zero"),
        *("target-outside-output-range", "overfitting"),
    ),
)
def target_broadcast(facts: AuditFacts) -> Finding | None:
    """Output and target differ in shape, and the loss stretches one to fit the other.

    What it checks
        The shape of the output against that of the targets, and whether the loss takes them
        all the same.

    Why it matters
        Each output value is compared with several targets at once, and the best it can do is
        their mean. The loss falls, nothing complains, and the copy is never right.

    Bad
        outputs = layers.Conv2D(1, 3, padding="same")(h)  # pictures have 3 channels
        model.compile(loss="mse")

    Good
        outputs = layers.Conv2D(3, 3, padding="same")(h)
        model.compile(loss="mse")

    When to ignore
        When a loss of your own means to compare each output with all targets.
    """
    data, contract = facts.data, facts.contract
    if data is None or contract is None or not contract.broadcast:
        return None
    output, target = facts.model.output_shape, data.targets.shape
    known = tuple(size for size in output if size is not None)
    same_rank = len(known) == len(target) > 0
    channels = target[-1] if same_rank and known[:-1] == target[:-1] else None
    left = contract.unavoidable_share if is_number(contract.unavoidable_share) else 0.0
    return find(
        target_broadcast,
        "error",
        f"The output of a row has the shape {format_shape(known)} and its target "
        f"{format_shape(target)}; the loss stretches one over the other, and at best "
        f"{format_number(left)} of the mean target's squared error remains.",
        evidence={
            "output_shape": known,
            "target_shape": target,
            "loss_of_perfect_copy": contract.perfect,
            "unavoidable_share": left,
        },
        fix=f"Give the output the shape {format_shape(target)}"
        + (f": {channels} channels in the last layer." if channels else "."),
        change={"action": "set_output_channels", "channels": channels} if channels else None,
        cost=max(HALF, min(left, 1.0)) + _BEFORE_ITS_ECHOES,
        where=facts.model.compiled.where if facts.model.compiled else facts.fit_where,
    )
