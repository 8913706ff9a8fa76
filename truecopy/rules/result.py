"""Rules TC7xx: the result against what costs nothing."""

from typing import Final

from truecopy.reports.wording import format_number
from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Finding
from truecopy.rules.measured import (
    failure_severity,
    is_autoencoder,
    is_far_behind_pca,
    is_number,
    is_settled,
    symptom_cost,
)
from truecopy.rules.rule import find, rule

# Worse by more than the scatter of one sample of rows.
_WORSE: Final = 1.02
# Networks that cost a training may be a tenth worse than PCA on a sample; by half is a loss.
_BEHIND: Final = 1.1
# What PCA would have explained can be had at once: it counts half of a fault of that size.
_PCA_COST: Final = 0.25


@rule("TC701", explains=("worse-than-pca", "stopped-too-early"))
def worse_than_trivial(facts: AuditFacts) -> Finding | None:
    """A blank page or the mean of the targets is a better copy than the network's.

    What it checks
        The mean squared error of a trained model against that of zeros and of the mean target.

    Why it matters
        Both cost nothing and know nothing of the input.

    Bad
        MSE 0.11, a blank page 0.10, the mean image 0.067

    Good
        MSE 0.009, a blank page 0.10, the mean image 0.067

    When to ignore
        When something else than the values is to be right.
    """
    seen = facts.behaviour
    if seen is None or not is_settled(facts) or not is_autoencoder(facts):
        return None
    known = {"a blank page": seen.mse_blank, "the mean target": seen.mse_mean}
    scores = {name: score for name, score in known.items() if is_number(score)}
    if not is_number(seen.mse) or not scores:
        return None
    best = min(scores, key=scores.__getitem__)
    if seen.mse <= _WORSE * scores[best]:
        return None
    return find(
        worse_than_trivial,
        failure_severity(facts),
        f"The MSE is {format_number(seen.mse)}; {best} has {format_number(scores[best])}.",
        evidence={"mse": seen.mse, "mse_mean": seen.mse_mean, "mse_blank": seen.mse_blank},
        fix="Look for the reason in the other findings.",
        cost=symptom_cost(facts),
        where=facts.fit_where,
    )


@rule("TC702")
def worse_than_pca(facts: AuditFacts) -> Finding | None:
    """PCA of the latent's width, which takes a second, gives a better copy.

    What it checks
        The mean squared error against that of PCA with as many components as the latent has
        values: a tenth worse, from half on a warning where the training ran to its end. Only a
        note where noise, a penalty, sampling or a recurrent layer make copying harder than it is
        for PCA, or where the loss is still falling.

    Why it matters
        A linear autoencoder can reach PCA's error, and a non-linear one should do better. What
        is missing is training, width, or a fault in between.

    Bad
        MSE 0.031, PCA 0.018

    Good
        MSE 0.009, PCA 0.018

    When to ignore
        When the codes serve another purpose than the copy.
    """
    seen = facts.behaviour
    if seen is None or not is_autoencoder(facts):
        return None
    if not is_number(seen.mse) or not is_number(seen.mse_pca) or not seen.trained:
        return None
    if seen.mse_pca <= 0 or seen.mse <= _BEHIND * seen.mse_pca:
        return None
    warned = is_far_behind_pca(facts)
    gap = (seen.mse - seen.mse_pca) / seen.mse_mean if seen.mse_mean else 0.0
    return find(
        worse_than_pca,
        "warning" if warned else "note",
        f"The MSE is {format_number(seen.mse)}; PCA with {facts.model.latent or '?'} components "
        f"has {format_number(seen.mse_pca)}.",
        evidence={"mse": seen.mse, "mse_pca": seen.mse_pca, "latent": facts.model.latent},
        fix="Train longer or with a wider network, and start from the other findings.",
        cost=_PCA_COST * min(max(gap, 0.0), 1.0) if warned else 0.0,
        where=facts.fit_where,
    )
