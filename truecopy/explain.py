"""The pages of `truecopy explain`: rules, metrics, losses and activations."""

import inspect
from dataclasses import dataclass
from typing import Any, Final

from truecopy.errors import InvalidArgument, UnknownName
from truecopy.rules.rule import Rule

# The sections of a rule's page, in order.
SECTIONS: Final = ("What it checks", "Why it matters", "Bad", "Good", "When to ignore")


@dataclass(frozen=True, slots=True)
class Page:
    """One explained name: what kind of thing it is, and its text."""

    name: str
    kind: str
    text: str


_ACTIVATIONS: Final = {
    "sigmoid": """Squashes any number into (0, 1): 1 / (1 + exp(-x)).

Right for targets in [0, 1]: scaled grey levels, 0/1 values, probabilities, with binary
cross-entropy or MSE. Wrong for targets outside [0, 1]: it can't reach them, and no training
removes that error. It reaches 0 and 1 only in the limit, which costs next to nothing.""",
    "linear": """Passes numbers through: any real output.

Right for standardised real values with MSE, MAE or Huber, and for a latent that must carry
signs. With binary cross-entropy it is wrong unless the loss is told `from_logits=True`.""",
    "tanh": """Squashes any number into (-1, 1).

Right for targets in [-1, 1] with MSE. For targets in [0, 1] half of its range is wasted, and
binary cross-entropy is not defined on what it gives.""",
    "softmax": """Makes numbers positive with sum 1: exp(x_i) / sum(exp(x)).

Right for one-hot targets: one choice per group, with categorical cross-entropy. Wrong for a
picture: its pixels would have to share a sum of 1, while an MNIST digit sums to about 100.""",
    "softplus": """Smooth and above 0: log(1 + exp(x)).

Right for the expected value of counts, with a Poisson loss.""",
    "exponential": """Above 0, and multiplicative: exp(x).

Right for the expected value of counts whose logarithm is what varies; large inputs overflow,
which softplus does not.""",
    "relu": """Cuts off below 0: max(x, 0).

The usual choice inside a network, and possible at the output for targets from 0 up. As a
latent it loses signs, and units that are 0 for all rows learn nothing more.""",
}

_LOSSES: Final = {
    "categorical_crossentropy": """-sum(y log p) over the choices of a group.

For one-hot targets with a softmax output. A perfect copy costs 0. On vectors that are not
one-hot it does not measure a copy.""",
    "huber": """Squared for errors up to 1, linear beyond.

For real values with heavy tails: a few far-off values don't rule the training as they do in
an MSE. A perfect copy costs 0.""",
    "poisson": """The mean of p - y log p: the Poisson likelihood of counts.

Minimal at p = y, where it is y - y log y and so not 0, even below 0. Needs p > 0: softplus or
exponential output.""",
}

# What people type, and the page they look for.
_ALSO: Final = {
    "accuracy": "keras_accuracy",
    "acc": "keras_accuracy",
    "binary_accuracy": "keras_accuracy",
    "categorical_accuracy": "keras_accuracy",
    "binary_crossentropy": "bce",
    "mean_squared_error": "mse",
    "mean_absolute_error": "mae",
    "exp": "exponential",
    "log_loss": "bce",
    "root_mean_squared_error": "rmse",
    "tolerance": "within_area",
}


def explain(name: str) -> Page:
    """Return the page for a rule, a metric, a loss or an activation.

    A rule is found by its code or its name.

    Raises:
        UnknownName: There is no such page; the message has the nearest name.

    Example:
        >>> explain("accuracy").name
        'keras_accuracy'
        >>> explain("TC201").name
        'softmax-reconstruction'
    """
    from truecopy.metrics.catalogue import PAGES
    from truecopy.rules.engine import all_rules

    rules = all_rules()
    codes = {rule.code.lower(): rule.name for rule in rules.values()}
    asked = codes.get(name.lower(), name.lower().replace("_", "-"))
    if asked in rules:
        return Page(asked, "rule", _page_of(rules[asked]))
    wanted = _ALSO.get(name.lower(), name.lower())
    if wanted in PAGES:
        text = inspect.getdoc(PAGES[wanted]) or ""
        return Page(wanted, "metric", text.partition("\nExample:")[0].strip())
    for kind, pages in (("activation", _ACTIVATIONS), ("loss", _LOSSES)):
        if wanted in pages:
            return Page(wanted, kind, pages[wanted])
    known = sorted({*PAGES, *_ACTIVATIONS, *_LOSSES, *_ALSO, *rules})
    raise UnknownName("NAME", "explain", known, got=name)


def _page_of(rule: Rule) -> str:
    """Return a rule's page: its code, its docstring, and what it accounts for."""
    text = inspect.getdoc(rule.check) or ""
    first, _, rest = text.partition("\n")
    told = f"\n\nExplains\n    {', '.join(rule.explains)}" if rule.explains else ""
    return f"{rule.code}: {first}\n{rest}{told}"


def explain_on(page: Page, model: str, data: str) -> dict[str, Any]:
    """Return a model's own numbers for the metric of a page, and what they say in words.

    Raises:
        InvalidArgument: The page is not a metric's, or the metric isn't defined on the data.
    """
    from truecopy.metrics.evaluate import evaluate
    from truecopy.reports.story import tell_score

    if page.kind != "metric":
        raise InvalidArgument("NAME", "explain --on", "a metric", got=page.name)
    facts = evaluate(model, data).facts
    if page.name not in facts.scores:
        must_be = f"one that these data have: {', '.join(facts.scores)}"
        raise InvalidArgument("NAME", "explain --on", must_be, got=page.name)
    return {
        "score": facts.scores[page.name].to_dict(),
        "explain": dict(facts.explain.get(page.name, {})),
        "sentences": list(tell_score(page.name, facts)),
    }
