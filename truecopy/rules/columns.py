"""Rules TC1xx on what the values are numbers of: constants, codes, padding, tiny differences."""

from typing import Final

from truecopy.reports.wording import format_number, format_percent
from truecopy.rules.facts import AuditFacts, PairFacts
from truecopy.rules.finding import Finding
from truecopy.rules.inputs import (
    PICTURE_DIMENSIONS,
    is_grey,
    scales_itself,
    scaling_for,
    sums_to_one,
)
from truecopy.rules.measured import (
    AS_THE_MEAN,
    HALF,
    SYMPTOMS,
    has_worked,
    is_above,
    is_autoencoder,
    is_bounded,
    is_number,
    is_settled,
    is_trained,
    left_over,
)
from truecopy.rules.rule import find, rule

# A spread of 2 % of the mean: the mean predictor's relative error is 2 % before any learning.
_TINY: Final = 0.02
_TINY_COST: Final = 0.3
_CATEGORY_COST: Final = 0.3
_PADDING_COST: Final = 0.5
# Nine of ten values the same: predicting just that one scores better than most first networks.
# MNIST, with 81 % zeros, is an ordinary picture.
_PADDED: Final = 0.9
# More steps that only fill up than steps that say something.
_PADDED_STEPS: Final = 0.5
_MASK: Final = "Weight or mask the loss so that padding doesn't count."


@rule("TC103")
def constant_features(facts: AuditFacts) -> Finding | None:
    """Some columns never change, so there is nothing to learn about them.

    What it checks
        Columns of a table with one value in all rows.

    Why it matters
        They are copied by the output's bias alone, make the error look smaller than it is per
        informative column, and divide by zero when standardised.

    Bad
        x = table.to_numpy()  # with a column of a single value

    Good
        x = table.loc[:, table.nunique() > 1].to_numpy()

    When to ignore
        When the columns may change later. The borders of pictures are not reported.
    """
    if facts.data is None or not is_autoencoder(facts):
        return None
    data = facts.data.inputs
    if not data.constant_features or len(data.shape) >= PICTURE_DIMENSIONS or is_grey(data):
        return None
    first = ", ".join(map(str, data.first_constant))
    return find(
        constant_features,
        "note",
        f"{data.constant_features:,} of {data.features:,} features have one value in all "
        f"{data.rows:,} rows (first: {first}).",
        evidence={
            "constant": data.constant_features,
            "features": data.features,
            "first": data.first_constant,
        },
        fix="Leave these columns out.",
        where=facts.fit_where,
    )


@rule("TC108", explains=("collapsed-to-mean", "loss-not-decreasing", "worse-than-pca"))
def tiny_variance(facts: AuditFacts) -> Finding | None:
    """The values hardly vary around a large mean, so a small loss means nothing.

    What it checks
        The targets' mean standard deviation over rows divided by the size of their mean: below
        2 %.

    Why it matters
        The network first has to learn the large constant; the small differences, which are all
        that tells one row from another, hardly count in the loss. Predicting the mean already
        looks like an excellent fit.

    Bad
        x = 1000 + signal  # signal of size 1
        model.fit(x, x)

    Good
        x = (x - x.mean(axis=0)) / x.std(axis=0)
        model.fit(x, x)

    When to ignore
        When only the level matters, not the differences between rows.
    """
    data = facts.data
    if data is None or not is_autoencoder(facts) or has_worked(facts):
        return None
    variation = data.variation
    if not is_number(variation) or not 0 < variation < _TINY:
        return None
    loss = facts.contract.mean if facts.contract is not None else None
    change, fix = scaling_for(data.inputs, bounded=is_bounded(facts))
    shown = f"; predicting the mean costs {format_number(loss)}" if is_number(loss) else ""
    return find(
        tiny_variance,
        "warning",
        f"The targets vary by {format_percent(variation)} of their mean "
        f"{format_number(data.targets.mean)}{shown}, so a small loss says little.",
        evidence={"variation": variation, "mean": data.targets.mean, "loss_of_mean": loss},
        fix=fix,
        change=change,
        cost=_TINY_COST,
        where=facts.fit_where,
    )


@rule("TC109")
def categories_as_numbers(facts: AuditFacts) -> Finding | None:
    """Identifiers or categories are fitted as if they were quantities.

    What it checks
        Columns of a table whose whole numbers look like identifiers or codes.

    Why it matters
        Between code 3 and code 40 nothing lies in the middle, but a squared error says that 20
        is half right. Large identifiers also drown all other columns.

    Bad
        x = table[["customer_id", "country_code", "amount"]].to_numpy()

    Good
        x = pandas.get_dummies(table[["country_code", "amount"]], columns=["country_code"])

    When to ignore
        When the numbers are ordered counts or ranks.
    """
    data = facts.data
    if data is None or not data.cardinal or not is_autoencoder(facts) or scales_itself(facts):
        return None
    given = data.inputs
    # A scaled table has 0 and 1 for bounds, too.
    levels = is_grey(given) and given.maximum > 1
    # One number a step is a table's row, written as a sequence.
    pictures = len(given.shape) >= PICTURE_DIMENSIONS and given.shape[1:] != (1,)
    if pictures or levels or given.binary:
        return None
    columns = ", ".join(map(str, data.cardinal[:5]))
    return find(
        categories_as_numbers,
        "warning",
        f"{len(data.cardinal)} of {given.features:,} columns hold whole numbers that look like "
        f"codes, not quantities (column {columns}).",
        evidence={"columns": data.cardinal, "features": given.features, "levels": given.levels},
        fix="Encode these columns one-hot or by an Embedding, and leave identifiers out.",
        cost=_CATEGORY_COST,
        where=facts.fit_where,
    )


@rule("TC110", explains=SYMPTOMS)
def padding_dominates(facts: AuditFacts) -> Finding | None:
    """Most target values are one constant, so predicting just that looks good.

    What it checks
        The share of the most frequent target value that counts: 90 % or more, where the model
        hasn't learned half of the rest. Or that of steps at the ends of sequences that hold
        nothing but one constant: half or more; where the other steps of a series were learned,
        this is a note. One-hot targets are left alone.

    Why it matters
        Padding and empty cells are easy, and there are many of them: a network that returns the
        constant gets a small loss, and the values that matter hardly count.

    Bad
        x = keras.utils.pad_sequences(series, maxlen=500)  # most series are 20 long
        model.fit(x, x)

    Good
        model.fit(x, x, sample_weight=(x != 0).astype("float32"))

    When to ignore
        When the constant is what must be copied.
    """
    data = facts.data
    if data is None or not is_autoencoder(facts):
        return None
    padded = _find_padded(facts)
    if padded is not None:
        return padded
    if not is_above(data.most_common, _PADDED):
        return None
    left = left_over(facts) if is_trained(facts) else None
    if data.targets.groups or sums_to_one(data.target_sums) or (left is not None and left < HALF):
        return None
    steps = len(data.targets.shape) == PICTURE_DIMENSIONS
    failed = left is not None and (steps or left >= AS_THE_MEAN)
    blank = facts.contract.blank if facts.contract is not None else None
    shown = f"; a row of zeros costs {format_number(blank)}" if is_number(blank) else ""
    return find(
        padding_dominates,
        "warning" if failed else "note",
        f"{format_percent(data.most_common)} of the target values are "
        f"{format_number(data.common_value)}{shown}.",
        evidence={"share": data.most_common, "value": data.common_value, "loss_of_blank": blank},
        fix=_MASK,
        cost=_PADDING_COST,
        where=facts.fit_where,
    )


def _are_series(data: PairFacts) -> bool:
    """Whether targets are steps of several numbers: no choice at each step, and no square."""
    shape = data.targets.shape
    return not data.targets.groups and not _may_sum_to_one(data) and shape[:1] != shape[-1:]


def _may_sum_to_one(data: PairFacts) -> bool:
    """Whether the targets' sums are 1, or 0 where steps fill up."""
    sums = data.target_sums
    return sums is not None and sums_to_one((sums[2], sums[2], sums[2])) and sums[0] >= 0


def _find_padded(facts: AuditFacts) -> Finding | None:
    """Return what is wrong where most steps are padding: a note where the others are learned."""
    seen = facts.behaviour
    if seen is None or seen.padding is None or not seen.trained:
        return None
    share, left = seen.padding
    if share < _PADDED_STEPS:
        return None
    failed = is_above(left, HALF) and is_settled(facts)
    if not failed and facts.data is not None and not _are_series(facts.data):
        return None
    return find(
        padding_dominates,
        "warning" if failed else "note",
        f"{format_percent(share)} of the steps only fill the rows up; {format_percent(left)} of "
        "the mean target's error is left in the others.",
        evidence={"share": share, "left_over": left},
        fix=_MASK,
        cost=_PADDING_COST if failed else 0.0,
        where=facts.fit_where,
    )
