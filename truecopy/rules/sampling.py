"""Rules TC6xx on the heads of a variational autoencoder and what is drawn from them."""

from typing import Final

from truecopy.reports.wording import format_number, format_range
from truecopy.rules.facts import AuditFacts, VariationalFacts
from truecopy.rules.finding import Finding
from truecopy.rules.measured import SYMPTOMS, find_layer, is_number
from truecopy.rules.rule import find, rule

# exp(0.5 * 20) is 22,000: samples drown everything. exp(88) is the end of float32.
_LARGE_LOG_VARIANCE: Final = 20.0
_OVERFLOW: Final = 80.0
# A spread measured on some thousand draws is off by 2 %; a forgotten 0.5 squares it.
_SPREAD_RATIO: Final = 1.25
_NOTHING: Final = 1e-3
_HEADS_COST: Final = 0.45
_OVERFLOW_COST: Final = 0.5
_SAMPLING_COST: Final = 0.4
_PLAIN: Final = (None, "linear")
# A spread head that is the standard deviation itself has to be positive.
_POSITIVE: Final = ("softplus", "exponential", "exp", "custom")


@rule("TC604", explains=(*SYMPTOMS, "posterior-collapse", "kl-formula"))
def activated_heads(facts: AuditFacts) -> Finding | None:
    """An activation on the mean or log-variance head cuts off what it must say.

    What it checks
        The activations of the two heads that are sampled from. A softplus on a head that is
        read as a standard deviation is left alone.

    Why it matters
        Means have to be of both signs around the prior's 0, and log-variances negative for any
        precise code. With relu on the log-variance no code is more precise than the prior.

    Bad
        z_log_var = layers.Dense(16, activation="relu")(h)

    Good
        z_log_var = layers.Dense(16)(h)

    When to ignore
        When a bounded log-variance is meant to keep exp() from overflowing.
    """
    kl = facts.variational
    if kl is None:
        return None
    hit = [
        (layer, activation)
        for layer, activation in (
            (kl.mean_layer, kl.mean_activation),
            (kl.spread_layer, kl.spread_activation),
        )
        if activation not in _PLAIN and not _is_meant(kl, layer, activation)
    ]
    if not hit:
        return None
    cuts = any(activation in {"relu", "relu6", "sigmoid", "softmax"} for _, activation in hit)
    told = " and ".join(f"'{layer}' has {activation}" for layer, activation in hit)
    seen = kl.log_variance
    spans = (
        f" (log-variances seen: {format_range(seen)})" if seen and all(map(is_number, seen)) else ""
    )
    where = find_layer(facts, hit[0][0])
    return find(
        activated_heads,
        "error" if cuts else "warning",
        f"Of the 2 heads that are sampled from, {told}{spans}.",
        evidence={
            "mean_activation": kl.mean_activation,
            "spread_activation": kl.spread_activation,
            "log_variance": seen,
        },
        fix="Leave both heads linear.",
        change={
            "action": "set_activation",
            "layers": [layer for layer, _ in hit],
            "activation": "linear",
        },
        cost=_HEADS_COST,
        where=where.where if where is not None else None,
    )


def _is_meant(kl: VariationalFacts, layer: str, activation: str | None) -> bool:
    """Whether a spread head is a standard deviation, kept positive."""
    return layer == kl.spread_layer and (
        (kl.kl_reading == "std" and activation not in {"relu", "relu6"}) or activation in _POSITIVE
    )


@rule("TC605", explains=(*SYMPTOMS, "diverged"))
def unbounded_log_variance(facts: AuditFacts) -> Finding | None:
    """The exponential of the log-variance overflows, or nearly, on these rows.

    What it checks
        The largest log-variance on these rows: 20 or more, 80 or more being an error.

    Why it matters
        exp(88) is beyond single precision: the KL becomes infinite and the weights NaN. Long
        before, a single row rules the loss.

    Bad
        z_log_var = layers.Dense(16)(h)                      # h up to thousands: raw pixels

    Good
        z_log_var = ops.clip(layers.Dense(16)(h), -10, 10)

    When to ignore
        Never.
    """
    kl = facts.variational
    if kl is None or kl.log_variance is None or kl.kl_reading == "std":
        return None
    top = kl.log_variance[1]
    if not is_number(top) or top < _LARGE_LOG_VARIANCE:
        return None
    head = find_layer(facts, kl.spread_layer)
    return find(
        unbounded_log_variance,
        "error" if top >= _OVERFLOW else "warning",
        f"'{kl.spread_layer}' gives log-variances up to {format_number(top)} on these rows; "
        "exp() overflows single precision at 88.7.",
        evidence={"log_variance": kl.log_variance, "layer": kl.spread_layer},
        fix="Clip the log-variance to [-10, 10], and scale the inputs.",
        cost=_OVERFLOW_COST,
        where=head.where if head is not None else None,
    )


@rule("TC607", explains=("posterior-collapse", "worse-than-pca"))
def sampling_scale(facts: AuditFacts) -> Finding | None:
    """Samples are spread otherwise than the KL term assumes, or nothing is sampled.

    What it checks
        The spread of repeated samples divided by the standard deviation that the KL term reads
        from the same head: outside 0.8 to 1.25.

    Why it matters
        The KL pays for one amount of noise and the decoder gets another. Usual reasons:
        exp(log_var) where exp(0.5 * log_var) is meant, a forgotten multiplication, or a mean
        that is decoded without noise.

    Bad
        z = mean + ops.exp(log_var) * noise

    Good
        z = mean + ops.exp(0.5 * log_var) * noise

    When to ignore
        When the noise is scaled on purpose.
    """
    kl = facts.variational
    if kl is None or not is_number(kl.sampling) or kl.kl_matches is False:
        return None
    if 1 / _SPREAD_RATIO <= kl.sampling <= _SPREAD_RATIO:
        return None
    nothing = kl.sampling < _NOTHING
    head = find_layer(facts, kl.spread_layer)
    told = (
        "Nothing is sampled: repeated codes of a row are the same (spread 0)"
        if nothing
        else f"Samples spread {format_number(kl.sampling)} times the standard deviation that the "
        "KL term assumes"
    )
    return find(
        sampling_scale,
        "error" if nothing else "warning",
        f"{told}.",
        evidence={"sampling": kl.sampling, "reading": kl.kl_reading, "layer": kl.spread_layer},
        fix="Sample mean + exp(0.5 * log_var) * normal noise.",
        cost=_SAMPLING_COST,
        where=head.where if head is not None else None,
    )
