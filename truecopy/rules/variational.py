"""Rules TC6xx on the KL term: its weight, its formula, and what it leaves of the latent."""

from typing import Final

from truecopy.reports.wording import format_number, format_percent
from truecopy.rules.facts import AuditFacts, VariationalFacts
from truecopy.rules.finding import Finding
from truecopy.rules.measured import (
    AS_THE_MEAN,
    HALF,
    SYMPTOMS,
    compile_line,
    find_layer,
    has_failed,
    is_above,
    is_number,
    is_settled,
    is_trained,
    left_over,
)
from truecopy.rules.modelfacts import Where
from truecopy.rules.rule import find, rule

# Beta-VAEs go up to some tens on purpose, but copy the worse for it; the mismatch of a mean over
# features with a sum over latents is the number of features, hundreds.
_HEAVY: Final = 10.0
# From here on no beta is meant: no published setting of a plain VAE has it.
_FAR_TOO_HEAVY: Final = 100.0
_LIGHT: Final = 0.05
# KL per latent in nats: textbook VAEs have 0.1 to 3.5. Beyond, codes have left the prior.
_LEFT_PRIOR: Final = 4.0
# A latent carries nothing when its KL is below this (the facts' own bound for 'active').
_FEW_ACTIVE: Final = 0.25
_COLLAPSE_COST: Final = 0.6
_FORMULA_COST: Final = 0.65
# The loss moves by less than this share of the closed form: there is no KL term in it.
_NO_KL: Final = 1e-6


@rule("TC601", explains=(*SYMPTOMS, "posterior-collapse", "regulariser-dominates"))
def kl_scale_mismatch(facts: AuditFacts) -> Finding | None:
    """The KL term and the reconstruction are weighed against each other wrongly.

    What it checks
        The weight of the KL against the reconstruction when both are summed: 1 in the textbook.
        From 10 on where half or more was not learned, from 100 on in any case; below 0.05, or
        without a KL term at all, where the codes have left the prior.

    Why it matters
        An error averaged over 784 pixels against a KL summed over the latents weighs the KL 784
        times too much: the posterior becomes the prior, and every picture is the mean image.

    Bad
        reconstruction = ops.mean(ops.square(x - y), axis=-1)  # over pixels
        kl = -0.5 * ops.sum(1 + log_var - mean**2 - ops.exp(log_var), axis=-1)

    Good
        reconstruction = ops.sum(ops.square(x - y), axis=-1)

    When to ignore
        When the weight is chosen on purpose (beta-VAE), and the copies are good enough.
    """
    kl = facts.variational
    if kl is None:
        return None
    left = left_over(facts) if is_trained(facts) else None
    if kl.kl_scale == 0:
        return _unweighed(facts, kl, left)
    if not is_number(kl.effective_beta) or kl.effective_beta <= 0:
        return None
    if kl.effective_beta >= _FAR_TOO_HEAVY or (
        kl.effective_beta >= _HEAVY and (left is None or left >= HALF)
    ):
        return _too_heavy(facts, kl, kl.effective_beta, left)
    mean_kl = _mean_kl(kl)
    if kl.effective_beta > _LIGHT or not is_above(mean_kl, _LEFT_PRIOR) or not is_settled(facts):
        return None
    return find(
        kl_scale_mismatch,
        "warning",
        f"The KL term weighs {format_number(kl.effective_beta)} of what it does when both terms "
        f"are summed, and the codes hold {format_number(mean_kl)} nats a latent: drawing from the "
        "prior gives codes that were never decoded.",
        evidence=_weigh(kl, left),
        fix="Reduce both terms alike: sum over values and latents, average over rows.",
        change={"action": "scale_kl", "by": 1 / kl.effective_beta},
        cost=_LIGHT,
        where=_head_line(facts),
    )


def _unweighed(facts: AuditFacts, kl: VariationalFacts, left: float | None) -> Finding | None:
    """Return the finding of a loss that heads can't move; a note while its weight may yet rise."""
    mean_kl = _mean_kl(kl)
    if not is_above(mean_kl, _LEFT_PRIOR) or not is_settled(facts):
        return None
    over = facts.training is None or facts.training.complete
    return find(
        kl_scale_mismatch,
        "warning" if over else "note",
        f"The weight of the KL term is 0, and the codes hold {format_number(mean_kl)} nats a "
        "latent: drawing from the prior gives codes that were never decoded.",
        evidence=_weigh(kl, left),
        fix="Add the KL term to the loss; a weight that rises must be a keras.Variable.",
        cost=_LIGHT if over else 0.0,
        where=_head_line(facts),
    )


def _too_heavy(facts: AuditFacts, kl: VariationalFacts, beta: float, left: float | None) -> Finding:
    """Return the finding of a KL term that outweighs the reconstruction."""
    rest = f"; {format_percent(left)} of the mean target's error is left" if left else ""
    return find(
        kl_scale_mismatch,
        "error" if has_failed(facts) or kl.active == 0 else "warning",
        f"The KL term weighs {format_number(beta)} times what it does when both terms are "
        f"summed{_tell_active(kl)}{rest}.",
        evidence=_weigh(kl, left),
        fix="Sum the reconstruction over a row's values, or divide the KL by their number.",
        change={"action": "scale_kl", "by": 1 / beta},
        cost=min(left, 1.0) if left is not None else _COLLAPSE_COST,
        where=_head_line(facts),
    )


def _weigh(kl: VariationalFacts, left: float | None) -> dict[str, object]:
    return {
        "effective_beta": kl.effective_beta,
        "kl_per_latent": kl.per_latent,
        "active": kl.active,
        "latent": kl.latent,
        "left_over": left,
    }


def _mean_kl(kl: VariationalFacts) -> float | None:
    known = [value for value in kl.per_latent if is_number(value)]
    return sum(known) / len(known) if known else None


def _tell_active(kl: VariationalFacts) -> str:
    return (
        f", and {kl.active} of {kl.latent} latents carry anything" if kl.active is not None else ""
    )


def _head_line(facts: AuditFacts) -> Where | None:
    name = facts.variational.spread_layer if facts.variational is not None else None
    layer = find_layer(facts, name)
    return layer.where if layer is not None and layer.where else compile_line(facts)


@rule("TC602", explains=SYMPTOMS)
def posterior_collapse(facts: AuditFacts) -> Finding | None:
    """The latents carry nothing: every row has the code of the prior.

    What it checks
        The KL per latent on these rows, in nats: how many of the latents exceed 0.01.

    Why it matters
        With a KL of 0 the decoder gets pure noise and learns to leave it out; the copy is the
        mean image whatever the input.

    Bad
        KL per latent: 1e-5 1e-5 1e-5 1e-5

    Good
        KL per latent: 1.2 0.9 1.1 0.7

    When to ignore
        When a few unused latents are left over in a wide code.
    """
    kl = facts.variational
    if kl is None or kl.active is None or not is_settled(facts) or kl.latent <= 0:
        return None
    left = left_over(facts)
    if kl.active > _FEW_ACTIVE * kl.latent:
        return None
    total = sum(value for value in kl.per_latent if is_number(value))
    none_left = kl.active == 0
    return find(
        posterior_collapse,
        "error" if none_left else "warning" if is_above(left, AS_THE_MEAN) else "note",
        f"{kl.active} of {kl.latent} latents carry more than 0.01 nats; all together "
        f"{format_number(total)} nats.",
        evidence={
            "active": kl.active,
            "latent": kl.latent,
            "kl_per_latent": kl.per_latent,
            "left_over": left,
        },
        fix="Lower the weight of the KL term, or raise it slowly from 0 over the first epochs.",
        change={"action": "scale_kl", "by": 0.1},
        cost=_COLLAPSE_COST if none_left else 0.0,
        where=_head_line(facts),
    )


@rule(
    "TC603",
    explains=(
        *SYMPTOMS,
        *("posterior-collapse", "kl-scale-mismatch", "loss-not-minimal-at-target", "diverged"),
        *("unbounded-log-variance", "regulariser-dominates", "sampling-scale"),
    ),
)
def kl_formula(facts: AuditFacts) -> Finding | None:
    """The KL term is not the divergence from the standard normal prior.

    What it checks
        How the loss changes when the heads are set to chosen means and log-variances, against
        the closed form at the same points, up to a factor.

    Why it matters
        With a wrong sign the codes are driven away from the prior without end; with a missing
        square, exponential or term they are drawn to something that is not the prior, and
        samples are wrong.

    Bad
        kl = 0.5 * ops.sum(1 + log_var - mean**2 - ops.exp(log_var), axis=-1)  # sign

    Good
        kl = -0.5 * ops.sum(1 + log_var - mean**2 - ops.exp(log_var), axis=-1)

    When to ignore
        When the prior is another one, or another divergence is meant.
    """
    kl = facts.variational
    if kl is None or not kl.kl or len(kl.kl) != len(kl.kl_closed):
        return None
    if not all(map(is_number, (*kl.kl, *kl.kl_closed))):
        return None
    largest = max(map(abs, kl.kl_closed))
    small = largest > 0 and max(map(abs, kl.kl)) <= _NO_KL * largest
    missing = small and not kl.kl_matches  # a small weight on the right form is none of this
    negative = is_number(kl.kl_scale) and kl.kl_scale < 0
    if not missing and not negative and kl.kl_matches is not False:
        return None
    k = max(range(len(kl.kl)), key=lambda i: abs(kl.kl_closed[i]))
    hint = f" ({kl.kl_hint})" if kl.kl_hint else ""
    what = "does not change" if missing else f"changes by {format_number(kl.kl[k])}"
    return find(
        kl_formula,
        "warning" if missing else "error",
        f"The loss {what} where the closed form of the KL changes by "
        f"{format_number(kl.kl_closed[k])}{hint}.",
        evidence={
            "kl": kl.kl,
            "kl_closed": kl.kl_closed,
            "scale": kl.kl_scale,
            "reading": kl.kl_reading,
            "hint": kl.kl_hint,
            "missing": missing,
        },
        fix="Write -0.5 * sum(1 + log_var - mean**2 - exp(log_var), axis=-1), averaged over rows.",
        cost=_FORMULA_COST,
        where=_head_line(facts),
    )
