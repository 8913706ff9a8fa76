"""Rules TC1xx on the values alone: their scale, their holes, and what they are numbers of."""

from typing import Final

from truecopy.facts import DataFacts
from truecopy.reports.wording import format_number, format_range
from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Finding
from truecopy.rules.inputs import LARGE, PICTURE_DIMENSIONS, scales_itself, scaling_for
from truecopy.rules.measured import (
    SYMPTOMS,
    has_worked,
    is_above,
    is_autoencoder,
    is_bounded,
    is_number,
    is_trained,
    left_over,
)
from truecopy.rules.rule import find, rule

# No value reaches a twentieth: bytes divided by 255 twice end at 0.004.
_SMALL: Final = 0.05
# One direction of a table has this much of the variance: the column with the largest unit.
_RULED: Final = 0.95
# What an unscaled input costs before anything was trained: the real cases lost a quarter or more.
_UNSCALED_COST: Final = 0.3
# Samples of one source differ by some percent; another year of a table by perhaps a half.
_OTHER_SPREAD: Final = 3.0
_OTHER_MEAN: Final = 1.0
_SHIFT_COST: Final = 0.4


@rule("TC102", explains=(*SYMPTOMS, "diverged", "overfitting", "loss-not-minimal-at-target"))
def non_finite_data(facts: AuditFacts) -> Finding | None:
    """NaN or infinite values in the data make every weight NaN in one step.

    What it checks
        Inputs and targets for NaN and infinity.

    Why it matters
        A single NaN makes the loss NaN, and its gradient makes all weights NaN. Nothing is
        learned from there on, whatever the optimiser.

    Bad
        x = table.to_numpy()  # empty cells are NaN
        model.fit(x, x)

    Good
        x = table.fillna(table.mean()).to_numpy()
        model.fit(x, x)

    When to ignore
        Never with a plain loss. A loss that masks missing values on purpose may see them in
        the targets alone.
    """
    if facts.data is None:
        return None
    for what, data in (("inputs", facts.data.inputs), ("targets", facts.data.targets)):
        bad = data.non_finite
        if not bad.nan and not bad.infinite:
            continue
        places = ", ".join(f"row {row} feature {feature}" for row, feature in bad.places[:3])
        return find(
            non_finite_data,
            "error",
            f"The {what} have {bad.nan:,} NaN and {bad.infinite:,} infinite values among "
            f"{data.rows:,} rows (first: {places or 'unknown'}).",
            evidence={
                "in": what,
                "nan": bad.nan,
                "infinite": bad.infinite,
                "rows": data.rows,
                "places": bad.places,
            },
            fix="Remove these rows, or fill the values in, before fitting.",
            cost=2.0,  # before all others: nothing measured on such data means anything
            where=facts.fit_where,
        )
    return None


@rule(
    "TC101",
    explains=(
        *SYMPTOMS,
        *("diverged", "learning-rate-out-of-range", "unbounded-log-variance", "sampling-scale"),
    ),
)
def unscaled_input(facts: AuditFacts) -> Finding | None:
    """The inputs are far from the unit scale that a network starts with.

    What it checks
        The root mean square of what reaches the first layer with weights: at least 5, or no
        value beyond 0.05. Silent where the model scales by itself (a Rescaling, Normalization
        or BatchNormalization layer first), and where it was trained and copies well, unless one
        column of a table is so large that the error shows nothing else.

    Why it matters
        Initial weights and step sizes are made for inputs of size 1. Bytes start a hundred
        times off: units saturate or die, and the first steps are wild. Values scaled down twice
        leave the network at its bias.

    Bad
        (x_train, _), _ = keras.datasets.mnist.load_data()
        model.fit(x_train, x_train)  # 0..255

    Good
        x_train = x_train.astype("float32") / 255
        model.fit(x_train, x_train)

    When to ignore
        When the model divides by itself in a way that the audit could not see.
    """
    data = facts.data
    if data is None or not is_autoencoder(facts) or scales_itself(facts):
        return None
    given = data.inputs
    if has_worked(facts) and not _is_ruled_by_one(given):
        return None
    bounds = (given.minimum, given.maximum)
    if not (is_number(given.mean) and is_number(given.spread) and all(map(is_number, bounds))):
        return None
    size = (given.mean**2 + given.spread**2) ** 0.5
    largest = max(abs(bounds[0]), abs(bounds[1]))
    large, small = size >= LARGE, 0 < largest < _SMALL
    reached = facts.model.first_input
    if reached is not None and all(map(is_number, reached)):
        seen = max(abs(reached[0]), abs(reached[1]))
        large, small = large and seen >= LARGE, small and seen < _SMALL
    if not large and not small:
        return None
    left = left_over(facts) if is_trained(facts) else None
    change, fix = scaling_for(given, bounded=is_bounded(facts))
    return find(
        unscaled_input,
        "warning",
        f"The inputs ({given.dtype}) span {format_range(bounds)} with a root mean square of "
        f"{format_number(size)}; initial weights and step sizes are made for about 1.",
        evidence={
            "dtype": given.dtype,
            "minimum": bounds[0],
            "maximum": bounds[1],
            "mean": given.mean,
            "spread": given.spread,
            "root_mean_square": size,
        },
        fix=fix,
        change=change,
        cost=_UNSCALED_COST * (1.0 if left is None else min(left, 1.0)),
        where=facts.fit_where,
    )


def _is_ruled_by_one(data: DataFacts) -> bool:
    """Whether one direction of a table holds nearly all of the variance.

    The error then measures little more than the column with the largest unit, and a small one
    doesn't say that the others are copied.
    """
    spectrum = data.spectrum
    if len(data.shape) >= PICTURE_DIMENSIONS or spectrum is None:
        return False
    first = zip(spectrum.widths, spectrum.kept, strict=False)
    return any(width == 1 and is_above(kept, _RULED) for width, kept in first)


def _is_noised_inside(facts: AuditFacts) -> bool:
    """Whether the model itself makes the noise that validation inputs come with."""
    data = facts.data
    if data is None or data.validation_targets is None or data.scaled_again:
        return False
    return facts.model.noise and not _differs(data.targets, data.validation_targets)


@rule("TC111", explains=("overfitting",))
def train_validation_shift(facts: AuditFacts) -> Finding | None:
    """The validation rows are on another scale than the training rows.

    What it checks
        Spread and mean of the validation inputs and targets against those of the training rows:
        a spread 3 times larger or smaller, or a mean a whole standard deviation away; and
        whether every validation column has exactly the bounds that scaling gives.

    Why it matters
        The validation error then measures the difference in scaling, not the network; early
        stopping and the choice of a model follow it. Usual reasons: one of the two wasn't
        divided by 255, or a scaler was fitted again.

    Bad
        x_train = x_train / 255
        model.fit(x_train, x_train, validation_data=(x_test, x_test))

    Good
        x_train, x_test = x_train / 255, x_test / 255
        model.fit(x_train, x_train, validation_data=(x_test, x_test))

    When to ignore
        When the validation rows are meant to be different: anomalies, another period.
    """
    data = facts.data
    if data is None or not is_autoencoder(facts):
        return None
    pairs = (
        ("inputs", data.inputs, data.validation),
        ("targets", data.targets, data.validation_targets),
    )
    for what, train, other in pairs:
        if other is None or not (data.scaled_again or _differs(train, other)):
            continue
        if what == "inputs" and _is_noised_inside(facts):
            continue
        spans = [(d.minimum, d.maximum) for d in (train, other)]
        return find(
            train_validation_shift,
            "warning",
            f"The validation {what} span {format_range(spans[1])} with mean "
            f"{format_number(other.mean)} and spread {format_number(other.spread)}, the training "
            f"{what} {format_range(spans[0])} with {format_number(train.mean)} and "
            f"{format_number(train.spread)}"
            + (": the columns of both were scaled by themselves." if data.scaled_again else "."),
            evidence={
                "in": what,
                "training_range": spans[0],
                "validation_range": spans[1],
                "training_mean": train.mean,
                "validation_mean": other.mean,
                "training_spread": train.spread,
                "validation_spread": other.spread,
                "scaled_again": data.scaled_again,
            },
            fix="Scale the validation rows by the numbers that were found on the training rows.",
            cost=_SHIFT_COST,
            where=facts.fit_where,
        )
    return None


def _differs(train: DataFacts, other: DataFacts) -> bool:
    """Whether two samples can't have come from one distribution on one scale."""
    numbers = (train.mean, train.spread, other.mean, other.spread)
    if not all(map(is_number, numbers)) or train.spread <= 0:
        return False
    ratio = other.spread / train.spread
    moved = abs(other.mean - train.mean) / train.spread
    return not 1 / _OTHER_SPREAD < ratio < _OTHER_SPREAD or moved >= _OTHER_MEAN
