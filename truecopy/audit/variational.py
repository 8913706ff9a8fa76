"""The sampling heads of a variational autoencoder and its KL term, measured by intervention.

The heads are set to chosen numbers, the model's answer is held, and the whole loss is read: what
changes is the KL term, however and wherever it is written.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.audit.heads import Heads, find_heads, pair_layers
from truecopy.audit.intervene import Spot
from truecopy.audit.klterm import (
    READINGS,
    Point,
    Term,
    choose_points,
    closed_form,
    judge,
    kl_per_latent,
)
from truecopy.audit.likeness import find_likeness
from truecopy.audit.lossfunction import LossFunction, NoLoss, overrides
from truecopy.audit.named import name_activation
from truecopy.audit.preserve import unchanged
from truecopy.audit.subject import Subject
from truecopy.audit.tensors import to_tensor
from truecopy.audit.totalloss import TotalLoss, find_total
from truecopy.audit.trace import Recorded, as_array, record
from truecopy.rules.facts import VariationalFacts

Array = NDArray[Any]

# Keras' default batch, so that what is summed over the batch has the size it has in training.
_ROWS: Final = 32
# A latent that tells less than this about the row is not used (Burda, Grosse and Salakhutdinov,
# 'Importance weighted autoencoders', 2016, use the same bound on another measure).
_ACTIVE: Final = 0.01
# Spread heads at which draws are looked at, and how often.
_SPREADS: Final = (0.5, 1.5)
_DRAWS: Final = 8
# Samples that spread by a tenth more or less than the KL term assumes read the head otherwise.
_AGREE: Final = 0.1
# The share of values below 0 from which on a head is no standard deviation.
_NEGATIVE: Final = 0.01


def measure_variational(subject: Subject, recorded: Recorded | None) -> VariationalFacts | None:
    """Return what the sampling heads are and whether the KL term is the closed form.

    Args:
        subject: The model and its rows; the model is left as it was.
        recorded: A run of the model on rows, for the latents' figures on them; None: a run is
            made.

    Returns:
        The facts; None where the model has no sampling heads.
    """
    if subject.inputs is None or subject.targets is None or not len(subject.inputs):
        return None
    rows = np.arange(_ROWS) % min(len(subject.inputs), len(subject.targets))
    inputs, targets = np.asarray(subject.inputs)[rows], np.asarray(subject.targets)[rows]
    with unchanged(subject.model):
        if not _is_broken(subject.model):
            return _find_and_measure(subject, (inputs, targets), recorded)
        if subject.initial_weights is None:
            return None
        subject.model.set_weights(subject.initial_weights)
        facts = _find_and_measure(subject, (inputs, targets), None)
    # What the codes hold at the start says nothing of what they would have learned.
    return None if facts is None else replace(facts, per_latent=(), active=None)


def _is_broken(model: Any) -> bool:
    """Whether some of a model's weights are no numbers any more."""
    return not all(np.isfinite(as_array(weight.value)).all() for weight in model.weights)


def _find_and_measure(
    subject: Subject, rows: tuple[Array, Array], recorded: Recorded | None
) -> VariationalFacts | None:
    for part in _candidates(subject.model):
        heads = find_heads(part, rows[0], target=rows[1].shape[1:])
        if heads is not None:
            return _measure(subject, part, heads, rows, recorded)
    heads = _find_unsampled(subject, *rows)
    return None if heads is None else _measure(subject, subject.model, heads, rows, recorded)


def _find_unsampled(subject: Subject, inputs: Array, targets: Array) -> Heads | None:
    """Return the two layers on which the loss depends as a KL term does; None where none are.

    Where nothing is drawn, nothing else tells the heads from other layers.
    """
    model = subject.model
    try:
        recorded = record(model, to_tensor(inputs), training=True)
    except Exception:  # noqa: BLE001 - a model without a `call`, or one that wants more
        return None
    own = any(overrides(model, name) for name in ("compute_loss", "train_step"))
    if not model.losses and not own:
        return None
    total, _ = find_total(subject, inputs, targets)
    for mean, spread in pair_layers(recorded, targets.shape[1:]):
        shape = tuple(mean.outputs[0].shape[1:])
        heads = Heads(mean=Spot(mean.layer), spread=Spot(spread.layer), shape=shape)
        points = choose_points(_ROWS, shape)
        if judge(points, *_measure_changes(total, heads, points)).matches:
            return heads
    return None


def _candidates(model: Any) -> list[Any]:
    """Return the model, and its parts where it has no `call` of its own, as in keras.io's VAE."""
    parts = [layer for layer in model.layers if getattr(layer, "layers", None)]
    return [model, *parts]


def _measure(
    subject: Subject,
    part: Any,
    heads: Heads,
    rows: tuple[Array, Array],
    recorded: Recorded | None,
) -> VariationalFacts:
    inputs, targets = rows
    run = record(part, to_tensor(inputs))
    total, alone = find_total(subject, inputs, targets)
    points = choose_points(_ROWS, heads.shape)
    changes, size = _measure_changes(total, heads, points)
    term = judge(points, changes, size)
    reading = term.reading or "log-variance"
    seen = heads.read(recorded) if recorded is not None else None
    seen = heads.read(run) if seen is None else seen
    sampling = _measure_draws(part, heads, inputs, reading)
    if seen is not None and _is_no_deviation(seen[1], reading, sampling):
        term = replace(
            term,
            matches=False,
            hint="it takes a head for a standard deviation that is negative on many rows",
            closed=tuple(float(c) for c in closed_form(points, "log-variance")),
        )
    return VariationalFacts(
        mean_layer=heads.mean.layer.name,
        spread_layer=heads.spread.layer.name,
        latent=int(np.prod(heads.shape)),
        mean_activation=name_activation(heads.mean.layer),
        spread_activation=name_activation(heads.spread.layer),
        kl=tuple(float(c) for c in changes),
        kl_closed=term.closed,
        kl_scale=term.scale,
        kl_matches=term.matches,
        kl_reading=term.reading,
        kl_hint=term.hint,
        effective_beta=_weigh(term, alone, targets, inputs),
        sampling=sampling,
        **_on_rows(seen, reading),
    )


def _is_no_deviation(spread: Array, reading: str, sampling: float | None) -> bool:
    """Whether the KL term squares a head that is negative and that the samples read otherwise."""
    agree = sampling is not None and abs(np.log(max(sampling, 1e-6))) < _AGREE
    return reading == "std" and not agree and float((spread < 0).mean()) > _NEGATIVE


def _measure_changes(
    total: TotalLoss, heads: Heads, points: Sequence[Point]
) -> tuple[Array, float]:
    """Return the loss at each point less that at the first, NaN where there is none."""
    losses = []
    for mean, spread in points:
        try:
            losses.append(total.measure(heads.values(mean, spread)))
        except Exception:  # noqa: BLE001 - the user's loss may raise on odd numbers
            losses.append(float("nan"))
    figures = np.array(losses)
    return figures - figures[0], float(np.abs(figures[0]))


def _weigh(term: Term, alone: LossFunction | NoLoss, targets: Array, inputs: Array) -> float | None:
    """Return the weight of the KL against the reconstruction when both are summed."""
    if not term.scale or isinstance(alone, NoLoss):
        return None
    like = find_likeness(alone, targets, inputs, targets.shape[1:], rows=_ROWS)
    return None if not like.row_scale else term.scale / like.row_scale


def _measure_draws(model: Any, heads: Heads, inputs: Array, reading: str) -> float | None:
    """Return the draws' deviation over the one that the KL assumes, where it is furthest from 1."""
    if heads.draw is None:
        return 0.0
    shape = (len(inputs), *heads.shape)
    ratios = []
    for spread in _SPREADS:
        draws = [
            heads.read_draw(model, inputs, np.zeros(shape), np.full(shape, spread))
            for _ in range(_DRAWS)
        ]
        assumed = float(np.sqrt(READINGS[reading](np.array(spread))))
        ratios.append(float(np.std(np.array(draws))) / assumed)
    return max(ratios, key=lambda ratio: abs(np.log(max(ratio, 1e-6))))


def _on_rows(seen: tuple[Array, Array] | None, reading: str) -> dict[str, Any]:
    """Return the closed form per latent on the rows, and the range of the log-variance."""
    if seen is None:
        return {}
    mean, spread = seen
    divergence = kl_per_latent(mean.astype(np.float64), spread, reading)
    per_latent = divergence.reshape(len(mean), -1).mean(axis=0)
    with np.errstate(divide="ignore"):
        logs = np.log(READINGS[reading](spread.astype(np.float64)))
    return {
        "per_latent": tuple(float(v) for v in per_latent),
        "active": int((per_latent > _ACTIVE).sum()),
        "log_variance": (float(logs.min()), float(logs.max())),
    }
