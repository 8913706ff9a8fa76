"""What follows from the data: scaling, output activation and loss, each with its reason.

The three must fit each other and the data: an output that cannot reach the targets, or a
loss whose minimum is not the perfect copy, spoils any training. One entry per kind of data.
"""

from collections.abc import Mapping
from typing import Any, Final, Self

from truecopy import streaming
from truecopy.data.profile import Profile
from truecopy.data.scaling import Scaling
from truecopy.facts import Choice, ColumnFacts, DataFacts, PlanFacts
from truecopy.reports.result import Result
from truecopy.reports.terminal import render_plan

_BYTE: Final = 255
# A bounded integer scale (grey levels, ratings) is at its top often; a count almost never.
# Often: at least half as often as if all levels were equally frequent.
_SHARE_AT_TOP: Final = 0.5
# uint8 tables below half the byte range are more likely small integers than grey levels.
_HALF_BYTE: Final = 128
# Counts above this are compressed by log(1 + x): raw, they would saturate any first layer.
_LARGE_COUNT: Final = 50
# Kurtosis of a normal distribution is 3, of a Laplace 6; above 12 a few values rule the MSE.
_HEAVY_TAILS: Final = 12.0
_IMAGE_RANK: Final = 2

_BCE = "binary_crossentropy"
_BCE_REASON = (
    "per value it is minimal at prediction = target, also for grey targets (its floor is the "
    "targets' entropy, not 0)"
)


class Plan(Result):
    """Scaling, output activation and loss for one data set, each with its reason."""

    def __init__(self, facts: PlanFacts, scaling: Scaling) -> None:
        self._facts = facts
        self.scaling = scaling

    @property
    def facts(self) -> PlanFacts:
        """The choices, their reasons and alternatives."""
        return self._facts

    def _render(self) -> Any:
        return render_plan(self._facts)

    def to_dict(self) -> dict[str, Any]:
        """Return the choices and, under 'scale', the numbers of the scaling."""
        return {**self._facts.to_dict(), "scale": self.scaling.to_dict()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        choices = {
            key: Choice(
                value=plain[key]["value"],
                reason=plain[key]["reason"],
                alternatives=tuple(plain[key]["alternatives"]),
            )
            for key in ("scaling", "output", "loss")
        }
        bounds = plain["target_range"]
        facts = PlanFacts(
            kind=plain["kind"],
            because=plain["because"],
            target_range=None if bounds is None else (bounds[0], bounds[1]),
            groups=tuple(plain["groups"]),
            columns=tuple(_read_column(column) for column in plain.get("columns", ())),
            scaling=choices["scaling"],
            output=choices["output"],
            loss=choices["loss"],
        )
        return cls(facts, Scaling.from_dict(plain["scale"]))


def _read_column(plain: Mapping[str, Any]) -> ColumnFacts:
    lists = {key: tuple(plain[key]) for key in ("centre", "categories")}
    return ColumnFacts(**{**plain, **lists})


def plan(profile: Profile) -> Plan:
    """Choose scaling, output activation and loss for profiled data.

    Args:
        profile: What `truecopy.profile` measured.

    Returns:
        The plan; print it to read the reasons.

    Raises:
        NonFiniteData: The data have NaN or infinite values.

    Example:
        >>> import numpy as np
        >>> import truecopy
        >>> pixels = np.array([[0, 255], [128, 255]], np.uint8)
        >>> facts = truecopy.plan(truecopy.profile(pixels)).facts
        >>> facts.kind, facts.output.value, facts.loss.value
        ('bytes', 'sigmoid', 'binary_crossentropy')
    """
    profile.require_finite()
    kind, because = classify(profile.facts)
    return _PLANS[kind](profile, because)


def classify(data: DataFacts) -> tuple[str, str]:
    """Return the kind of data, and in one sentence why it is that."""
    low, high = data.minimum, data.maximum
    span = f"[{low:g}, {high:g}]"
    if data.groups:
        groups = f"{len(data.groups)} group(s) of columns" if len(data.groups) > 1 else "the row"
        return "one-hot", f"every row has exactly one 1 in {groups}"
    if data.binary:
        return "binary", "all values are 0 or 1"
    if data.integers and low >= 0:
        return _classify_integers(data)
    if low >= 0 and high <= 1:
        share = data.share_inside_unit
        return "unit", f"all values lie in {span}, {share:.0%} of them strictly inside (0, 1)"
    if -1 <= low <= -0.5 and 0.5 <= high <= 1:  # noqa: PLR2004 (most of [-1, 1] is used)
        return "signed-unit", f"all values lie in {span}, on both sides of 0"
    return "real", f"the values are real numbers in {span} without natural bounds"


def _classify_integers(data: DataFacts) -> tuple[str, str]:
    high = data.maximum
    image = len(data.shape) >= _IMAGE_RANK
    often = data.levels is not None and data.share_maximum >= _SHARE_AT_TOP / data.levels
    # Whatever their dtype, whole numbers that fill more than half a byte in an image are grey.
    bright = _HALF_BYTE <= high <= _BYTE and (image or data.dtype == "uint8")
    # A dark image in bytes has no hard top; one of 16 levels, say, has.
    dark = data.dtype == "uint8" and image and not often
    if bright or dark or high == _BYTE:
        return "bytes", f"the values are whole numbers from 0 to {high:g}, as in 8-bit grey levels"
    if often and high <= _BYTE:
        share = f"{data.share_maximum:.1%}"
        return (
            "levels",
            f"whole numbers with a hard top: {share} of the values are exactly {high:g}",
        )
    return "counts", f"whole numbers from {data.minimum:g} to {high:g} without a hard top"


def _bytes(_: Profile, because: str) -> Plan:
    reason = "grey levels 0..255 become [0, 1], which a sigmoid can reach and cross-entropy wants"
    scaling = Choice(value="divide by 255", reason=reason)
    return _bounded("bytes", because, scaling, Scaling.divide(_BYTE))


def _levels(profile: Profile, because: str) -> Plan:
    top = profile.facts.maximum
    reason = f"levels 0..{top:g} become [0, 1], which a sigmoid can reach"
    scaling = Choice(value=f"divide by {top:g}", reason=reason)
    return _bounded("levels", because, scaling, Scaling.divide(top))


def _unit(_: Profile, because: str) -> Plan:
    scaling = Choice(value="none", reason="the values lie in [0, 1] already")
    return _bounded("unit", because, scaling, Scaling.none())


def _bounded(kind: str, because: str, scaling: Choice, scale: Scaling) -> Plan:
    """Plan for grey values that end up in [0, 1]."""
    facts = PlanFacts(
        kind=kind,
        because=because,
        scaling=scaling,
        output=Choice(
            value="sigmoid",
            reason="reaches all of (0, 1) and nothing else",
            alternatives=("linear with MSE, clipped when shown",),
        ),
        loss=Choice(value=_BCE, reason=_BCE_REASON, alternatives=("mse",)),
        target_range=(0.0, 1.0),
    )
    return Plan(facts, scale)


def _binary(_: Profile, because: str) -> Plan:
    facts = PlanFacts(
        kind="binary",
        because=because,
        scaling=Choice(value="none", reason="0 and 1 are probabilities already"),
        output=Choice(value="sigmoid", reason="gives the probability of a 1"),
        loss=Choice(
            value=_BCE, reason="it is the likelihood of 0/1 values; a perfect copy costs 0"
        ),
        target_range=(0.0, 1.0),
    )
    return Plan(facts, Scaling.none())


def _signed_unit(_: Profile, because: str) -> Plan:
    facts = PlanFacts(
        kind="signed-unit",
        because=because,
        scaling=Choice(
            value="none",
            reason="the values lie in [-1, 1] already",
            alternatives=("(x + 1) / 2 with sigmoid",),
        ),
        output=Choice(
            value="tanh", reason="reaches all of (-1, 1)", alternatives=("linear with MSE",)
        ),
        loss=Choice(
            value="mse", reason="cross-entropy is not defined below 0", alternatives=("mae",)
        ),
        target_range=(-1.0, 1.0),
    )
    return Plan(facts, Scaling.none())


def _real(profile: Profile, because: str) -> Plan:
    tails = profile.facts.tails
    if tails > _HEAVY_TAILS:
        reason = f"heavy tails (median kurtosis {tails:.3g}; normal is 3): a few values rule an MSE"
        loss = Choice(value="huber", reason=reason, alternatives=("mae", "mse"))
    else:
        reason = "its minimum is the mean, what standardised values without heavy tails ask for"
        loss = Choice(value="mse", reason=reason, alternatives=("mae", "huber"))
    standard = "mean 0 and spread 1 per feature: each feature counts the same"
    if profile.facts.constant_features:
        standard += f"; the {profile.facts.constant_features} constant features map to 0"
    facts = PlanFacts(
        kind="real",
        because=because,
        scaling=Choice(value="standardise", reason=standard),
        output=Choice(value="linear", reason="standardised values have no bounds"),
        loss=loss,
        target_range=None,
    )
    moments = profile.moments
    spread = streaming.variance(moments) ** 0.5
    return Plan(facts, Scaling.standardise(moments.mean, spread))


def _counts(profile: Profile, because: str) -> Plan:
    if profile.facts.maximum > _LARGE_COUNT:
        reason = f"log(1 + x) brings counts up to {profile.facts.maximum:g} to a network's scale"
        scaling = Choice(value="log1p", reason=reason, alternatives=("none",))
        scale = Scaling.log1p()
    else:
        reason = f"counts up to {profile.facts.maximum:g} are small enough for a network"
        scaling = Choice(value="none", reason=reason, alternatives=("log1p",))
        scale = Scaling.none()
    facts = PlanFacts(
        kind="counts",
        because=because,
        scaling=scaling,
        output=Choice(
            value="softplus", reason="reaches all of (0, inf)", alternatives=("exponential",)
        ),
        loss=Choice(
            value="poisson",
            reason="its minimum is the mean, and errors count relative to the expected spread",
            alternatives=("mse on log1p with linear output",),
        ),
        target_range=None,
    )
    return Plan(facts, scale)


def _one_hot(profile: Profile, because: str) -> Plan:
    facts = PlanFacts(
        kind="one-hot",
        because=because,
        scaling=Choice(value="none", reason="one-hot columns are probabilities already"),
        output=Choice(
            value="softmax",
            reason="each group of columns sums to 1, as one softmax per group does",
        ),
        loss=Choice(
            value="categorical_crossentropy",
            reason="it is the likelihood of one choice per group; a perfect copy costs 0",
        ),
        target_range=(0.0, 1.0),
        groups=profile.facts.groups,
    )
    return Plan(facts, Scaling.none())


_PLANS: Final = {
    "binary": _binary,
    "bytes": _bytes,
    "counts": _counts,
    "levels": _levels,
    "one-hot": _one_hot,
    "real": _real,
    "signed-unit": _signed_unit,
    "unit": _unit,
}
