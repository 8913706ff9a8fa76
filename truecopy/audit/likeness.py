"""Which known loss a loss behaves like, found by comparing numbers.

A function of the user's, a lambda or a closure says nothing by its name; but up to a factor and
a constant it is a squared error or a cross-entropy, or it isn't.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.audit.lossfunction import LossFunction

Array = NDArray[Any]

_ROWS: Final = 4
_DRAWS: Final = 7
# Share of a loss' variation that rounding to float32 may leave unexplained.
_MISSED: Final = 2e-3
_SEED: Final = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Likeness:
    """The known loss that a loss is, up to a factor and a constant.

    `name` is Keras' long name, '' where none fits; `logits` says that predictions are taken as
    logits; `row_scale` is what one unit (of squared error, or one nat of cross-entropy) in one
    value of one row adds to a batch's loss, times the number of rows in the batch.
    """

    name: str = ""
    logits: bool = False
    row_scale: float | None = None


def find_likeness(
    loss: LossFunction,
    targets: Array,
    inputs: Array,
    output: tuple[int, ...] | None,
    *,
    rows: int = _ROWS,
) -> Likeness:
    """Return what `loss` behaves like on made-up rows in the targets' shape.

    Args:
        loss: The loss.
        targets: The user's; only their shape matters.
        inputs: The rows that go with them, for losses that look at the input.
        output: The shape of one output; likenesses are told only where it is the targets'.
        rows: How many rows to make up.
    """
    if output is not None and output != targets.shape[1:]:
        return Likeness()
    draw = np.random.default_rng(_SEED)
    shape = (rows, *targets.shape[1:])
    wanted = draw.uniform(0.05, 0.95, shape).astype(np.float32)
    # Losses of the user's that take the input for the target see the same rows.
    same = inputs.shape[1:] == targets.shape[1:]
    given = wanted if same else inputs[np.arange(rows) % len(inputs)]
    levels = np.linspace(0.15, 0.85, _DRAWS)
    guesses = [
        np.clip(level + draw.uniform(-0.1, 0.1, shape), 0.02, 0.98).astype(np.float32)
        for level in levels
    ]
    losses = np.array([loss(wanted, guess, given) for guess in guesses])
    if not np.isfinite(losses).all() or np.ptp(losses) == 0:
        return Likeness()
    for name, logits, formula in _FORMULAS:
        figures = np.array(
            [formula(wanted.astype(np.float64), g.astype(np.float64)) for g in guesses]
        )
        factor = _fit(figures, losses)
        if factor is not None:
            known = name in {"mean_squared_error", "binary_crossentropy"}
            scale = factor / wanted[0].size if known else None
            return Likeness(name=name, logits=logits, row_scale=scale)
    return Likeness()


def _fit(figures: Array, losses: Array) -> float | None:
    """Return the positive factor that turns figures into losses up to a constant, or None."""
    if np.ptp(figures) == 0:
        return None
    factor, constant = np.polyfit(figures, losses, 1)
    missed = np.abs(losses - (factor * figures + constant)).max()
    return float(factor) if factor > 0 and missed <= _MISSED * np.ptp(losses) else None


def _binary(t: Array, p: Array) -> float:
    return float(-(t * np.log(p) + (1 - t) * np.log1p(-p)).mean())


def _categorical(t: Array, p: Array) -> float:
    return float(-(t * np.log(p / p.sum(axis=-1, keepdims=True))).sum(axis=-1).mean())


def _softmax(z: Array) -> Array:
    grown = np.exp(z)
    return np.asarray(grown / grown.sum(axis=-1, keepdims=True))


def _cosine(t: Array, p: Array) -> float:
    product = (t * p).sum(axis=-1)
    return float(-(product / np.sqrt((t * t).sum(axis=-1) * (p * p).sum(axis=-1))).mean())


_Formula = Callable[[Array, Array], float]

# Keras' long name, whether the predictions are logits, and the loss up to a factor.
_FORMULAS: Final[tuple[tuple[str, bool, _Formula], ...]] = (
    ("mean_squared_error", False, lambda t, p: float(np.square(t - p).mean())),
    ("binary_crossentropy", False, _binary),
    ("binary_crossentropy", True, lambda t, z: _binary(t, 1 / (1 + np.exp(-z)))),
    ("mean_absolute_error", False, lambda t, p: float(np.abs(t - p).mean())),
    ("categorical_crossentropy", False, _categorical),
    ("categorical_crossentropy", True, lambda t, z: _categorical(t, _softmax(z))),
    ("kl_divergence", False, lambda t, p: float((t * np.log(t / p)).sum(axis=-1).mean())),
    ("poisson", False, lambda t, p: float((p - t * np.log(p)).mean())),
    ("cosine_similarity", False, _cosine),
    (
        "mean_squared_logarithmic_error",
        False,
        lambda t, p: float(np.square(np.log1p(t) - np.log1p(p)).mean()),
    ),
)
