"""Does the loss, as compiled, ask for a copy? Measured on the user's targets.

The questions need no list of losses: what is a perfect copy charged, and is anything that the
output can give charged less?
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.audit.around import find_better, is_unbounded, to_logits
from truecopy.audit.attainable import Attainable, align
from truecopy.audit.batchsize import measure_scaling
from truecopy.audit.likeness import Likeness, find_likeness
from truecopy.audit.lossfunction import LossFunction, NoLoss, find_loss
from truecopy.audit.outputs import see_output
from truecopy.audit.padding import find_masked
from truecopy.audit.preserve import unchanged
from truecopy.audit.subject import Subject
from truecopy.rules.facts import ContractFacts
from truecopy.rules.modelfacts import Bounds

Array = NDArray[Any]

# Rows and values that a search looks at: more would not change which point is the lowest.
_ROWS: Final = 256
_STEP_ROWS: Final = 32
_VALUES: Final = 1_000_000
_LEAST_ROWS: Final = 8
# Single values whose change is tried, to see which of them the loss looks at.
_PLACES: Final = 24


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Case:
    """One loss with the rows it is asked about."""

    loss: LossFunction
    inputs: Array
    targets: Array
    perfect: Array
    seen: Array | None
    reach: Attainable
    like: Likeness

    def charge(self, targets: Array, predictions: Array) -> float:
        return self.loss(targets, predictions.astype(np.float32), self.inputs[: len(targets)])


def measure_contract(
    subject: Subject, *, bounds: Bounds = (None, None), softmax_axis: int | None = None
) -> ContractFacts | None:
    """Measure what the loss charges for a perfect copy and for other predictions.

    Args:
        subject: The model and its rows.
        bounds: What the output can give, (None, None) where unknown or unbounded.
        softmax_axis: The axis of a softmax output from the last (-1); None for others.

    Returns:
        The facts; None without rows, without a loss, or where no finite targets are left.
    """
    if subject.inputs is None or subject.targets is None:
        return None
    loss = find_loss(subject)
    if isinstance(loss, NoLoss):
        return None
    with unchanged(subject.model):
        case = _prepare(subject, loss, bounds, softmax_axis)
        return None if case is None else _measure(case, subject)


def why_no_contract(subject: Subject) -> str:
    """Return why there are no facts, in a sentence; empty where there are."""
    if subject.inputs is None or subject.targets is None:
        return "No rows were given, so the loss was not measured."
    loss = find_loss(subject)
    return loss.reason if isinstance(loss, NoLoss) else ""


def _prepare(
    subject: Subject, loss: LossFunction, bounds: Bounds, softmax_axis: int | None
) -> _Case | None:
    inputs, targets = _sample(subject, _ROWS if loss.cheap else _STEP_ROWS)
    if not len(targets):
        return None
    seen = see_output(subject.model, inputs, targets.shape[1:])
    shape = None if seen is None else seen.shape[1:]
    like = find_likeness(loss, targets, inputs, shape)
    perfect = _copy(targets, like, shape)
    if not _takes(loss, targets, perfect, inputs) and not _takes(
        # PyTorch's cross-entropy refuses targets outside [0, 1], which is worth telling.
        loss,
        np.clip(targets, 0, 1),
        np.clip(perfect, 0, 1),
        inputs,
    ):
        return None
    return _Case(
        loss=loss,
        inputs=inputs,
        targets=targets,
        perfect=perfect,
        seen=seen,
        reach=Attainable(bounds=bounds, softmax_axis=softmax_axis, shape=shape),
        like=like,
    )


def _takes(loss: LossFunction, targets: Array, predictions: Array, inputs: Array) -> bool:
    """Say whether the loss takes these shapes and numbers without an error."""
    try:
        loss.charge(targets, predictions.astype(np.float32), inputs)
    except Exception:  # noqa: BLE001 - anything may be raised in there
        return False
    return True


def _copy(targets: Array, like: Likeness, output: tuple[int, ...] | None) -> Array:
    """Return the targets as the loss wants its predictions: logits, or a class' one-hot code."""
    if like.logits:
        return to_logits(targets)
    if output is None or output == targets.shape[1:] or targets.min() < 0:
        return targets.astype(np.float64)
    classes, single = output[-1], targets.shape[-1] == 1 and targets.ndim > 1
    one_each = output[:-1] == targets.shape[1:] or (single and output[:-1] == targets.shape[1:-1])
    if one_each and classes > max(targets.max(), 1) and (targets == np.rint(targets)).all():
        index = targets[..., 0] if output[:-1] != targets.shape[1:] else targets
        return np.asarray(np.eye(classes)[index.astype(int)])
    return targets.astype(np.float64)


def _sample(subject: Subject, most: int) -> tuple[Array, Array]:
    """Return rows spread over the sample, without those that are not finite."""
    inputs, targets = np.asarray(subject.inputs), np.asarray(subject.targets)
    count = min(len(inputs), len(targets))
    inputs, targets = inputs[:count], targets[:count]
    axes = tuple(range(1, targets.ndim))
    sound = np.flatnonzero(np.isfinite(targets).all(axis=axes))
    features = max(int(np.prod(targets.shape[1:])), 1)
    rows = min(most, len(sound), max(_LEAST_ROWS, _VALUES // features))
    chosen = sound[np.linspace(0, len(sound) - 1, rows).astype(int)] if rows else sound
    return inputs[chosen], targets[chosen]


def _measure(case: _Case, subject: Subject) -> ContractFacts:
    targets, perfect = case.targets, case.perfect
    mean = np.broadcast_to(_mean(case), perfect.shape)
    better = find_better(case.charge, targets, perfect, case.reach, cheap=case.loss.cheap)
    scaling, penalties = measure_scaling(case.loss, subject.model, case.inputs, targets, case.seen)
    seen = None if case.seen is None else case.charge(targets, case.seen)
    return ContractFacts(
        perfect=case.charge(targets, perfect),
        blank=case.charge(targets, _on_scale(case, np.zeros(perfect.shape))),
        mean=case.charge(targets, mean),
        projected=case.charge(targets, case.reach.project(perfect)),
        seen=seen,
        better=None if better is None else better.loss,
        better_at="" if better is None else better.at,
        unbounded=is_unbounded(case.charge, targets, perfect, case.reach),
        swapped=better is not None and _is_swapped(case),
        **_find_ignored(case),
        **_reachable(case),
        below_zero=float((targets < 0).mean()),
        above_one=float((targets > 1).mean()),
        batch_scaling=scaling,
        penalty_scaling=penalties,
        broadcast=_broadcasts(case),
        row_scale=case.like.row_scale,
        clipped_gradient=_share_clipped(case),
    )


def _on_scale(case: _Case, probabilities: Array) -> Array:
    return to_logits(probabilities) if case.like.logits else probabilities


def _mean(case: _Case) -> Array:
    values = case.targets if case.perfect.shape == case.targets.shape else case.perfect
    return _on_scale(case, values.mean(axis=0, dtype=np.float64))


def _is_swapped(case: _Case) -> bool:
    """Say whether the targets would be the minimum if the loss' arguments changed places."""

    def charge(targets: Array, predictions: Array) -> float:
        return case.loss(predictions, targets, case.inputs[: len(targets)])

    perfect = case.targets.astype(np.float64)
    floor, mean = (
        charge(case.targets, p)
        for p in (perfect, np.broadcast_to(perfect.mean(axis=0), perfect.shape))
    )
    found = find_better(charge, case.targets, perfect, case.reach, cheap=case.loss.cheap)
    return found is None and mean > floor


def _reachable(case: _Case) -> dict[str, Any]:
    """Return the shares and errors of targets that the output can't give, in target units."""
    if case.like.logits or case.perfect.shape != case.targets.shape:
        return {}  # logits reach every probability, and codes are no values
    targets = case.targets.astype(np.float64)
    least = float(np.square(targets - case.reach.project(targets)).mean())
    trivial = float(np.square(targets - targets.mean(axis=0)).mean())
    return {
        "outside": case.reach.share_outside(targets),
        "unavoidable": least,
        "unavoidable_share": least / trivial if trivial > 0 else 0.0,
    }


def _broadcasts(case: _Case) -> bool:
    """Say whether output and targets differ in shape and the loss repeats one of them."""
    if case.seen is None or case.seen.shape == case.targets.shape:
        return False
    shape = align(case.seen.shape[1:], case.targets.shape[1:])
    seen = case.seen if shape is None else case.seen.reshape(-1, *shape)
    try:
        wide = np.broadcast_shapes(seen.shape, case.targets.shape)
    except ValueError:
        return False
    short, full = sorted((seen, case.targets), key=lambda array: array.size)
    if short.size == full.size and wide == full.shape:
        return False
    as_given = case.charge(case.targets, case.seen)
    repeated = case.charge(np.broadcast_to(case.targets, wide), np.broadcast_to(seen, wide))
    return bool(np.isclose(as_given, repeated, rtol=1e-4))


def _find_ignored(case: _Case) -> dict[str, Any]:
    """Return the share of places that the loss doesn't look at, and the value that it masks.

    A loss that leaves out one value of the targets, as padding or missing cells, does so on
    purpose: then no place is ignored.
    """
    share = _share_ignored(case)
    masked = find_masked(case.charge, case.targets, case.perfect) if share else None
    if masked is None:
        return {"ignores": share}
    return {"ignores": 0.0, "masked": masked.value, "masks_steps": masked.whole_steps}


def _share_ignored(case: _Case) -> float:
    """Return the share of places at which the loss doesn't care what is predicted."""
    rows = case.perfect[:4].copy()
    targets = case.targets[:4]
    if case.loss.cheap is False or rows.size < 2:  # noqa: PLR2004 - one value can't be compared
        return 0.0
    draw = np.random.default_rng(0)
    places = draw.choice(rows.size, size=min(_PLACES, rows.size), replace=False)
    middle, spread = rows.mean(), rows.std() or 1.0
    base = 0.5 * (rows + middle)
    ignored = sum(_is_ignored(case, targets, base, place, spread) for place in places)
    return float(ignored / len(places))


def _is_ignored(case: _Case, targets: Array, base: Array, place: int, spread: float) -> bool:
    before = case.charge(targets, base)
    for step in (spread, -spread):
        moved = base.copy()
        moved.flat[place] += step
        after = case.charge(targets, moved)
        if not np.isfinite(after) or after != before:
            return False
    return True


def _share_clipped(case: _Case) -> float:
    """Return the share of the present outputs outside [0, 1] that the loss clips: no gradient."""
    if case.seen is None or case.seen.shape != case.targets.shape:
        return 0.0
    share = 0.0
    before = case.charge(case.targets, case.seen)
    for beyond, step in ((case.seen < 0, -0.01), (case.seen > 1, 0.01)):
        if beyond.any():
            after = case.charge(case.targets, case.seen + step * beyond)
            share += float(beyond.mean()) if after == before else 0.0
    return share
