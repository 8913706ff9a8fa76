"""Inputs and targets, and how they hang together."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.audit.cardinal import find_cardinal
from truecopy.audit.feeding import MOST_ROWS
from truecopy.audit.moved import share_moved
from truecopy.audit.noisier import find_noisier
from truecopy.audit.padding import weigh_values
from truecopy.audit.scaledagain import is_scaled_again
from truecopy.audit.subject import Subject
from truecopy.audit.tensors import flat
from truecopy.data.profile import profile
from truecopy.facts import DataFacts
from truecopy.rules.facts import PairFacts, SpareArray
from truecopy.rules.modelfacts import Where

Array = NDArray[Any]

_ROWS: Final = 512
# With fewer rows a correlation of what rows have of their own is chance.
_LEAST_ROWS: Final = 8
# No more columns than these are correlated; they are spread over the row.
_COLUMNS: Final = 4096
_SEED: Final = 5


def compare_pair(subject: Subject) -> PairFacts | None:
    """Return what inputs and targets are like and how they hang together.

    Args:
        subject: Its inputs and targets are read; targets that are None are the inputs.

    Returns:
        The facts; None where there are no inputs, or they hold no numbers.
    """
    if subject.inputs is None:
        return None
    inputs = np.asarray(subject.inputs)
    targets = inputs if subject.targets is None else np.asarray(subject.targets)
    described = _describe(inputs, "inputs")
    if described is None:
        return None
    identical = _same(inputs, targets)
    of_targets = replace(described, name="targets") if identical else _describe(targets, "targets")
    if of_targets is None:
        return None
    validation, validation_targets = _describe_validation(subject)
    return PairFacts(
        inputs=described,
        targets=of_targets,
        identical=identical,
        **_relate(inputs, targets, identical=identical),
        **_summarise(targets, subject.weights),
        cardinal=find_cardinal(inputs),
        validation=validation,
        validation_targets=validation_targets,
        scaled_again=_is_scaled_again(subject, inputs),
        spare=(*_compare_spare(subject, inputs, targets), *_of_others(subject)),
        sampled=subject.sampled,
    )


def _describe(rows: Array, name: str) -> DataFacts | None:
    """Return the profile of rows of any rank; None where they are no numbers, or none."""
    if rows.dtype.kind not in "biuf" or not rows.size:
        return None
    if rows.ndim == 1:
        rows = rows[:, None]
    if rows.dtype.itemsize > np.dtype(np.float64).itemsize:
        rows = rows.astype(np.float64)
    return replace(profile(rows).facts, name=name)


def _describe_validation(subject: Subject) -> tuple[DataFacts | None, DataFacts | None]:
    if subject.validation is None:
        return None, None
    inputs, targets = (np.asarray(rows) for rows in subject.validation)
    first = _describe(inputs, "validation inputs")
    if first is not None and _same(inputs, targets):
        return first, replace(first, name="validation targets")
    return first, _describe(targets, "validation targets")


def _is_scaled_again(subject: Subject, inputs: Array) -> bool:
    if subject.validation is None:
        return False
    return is_scaled_again(inputs, np.asarray(subject.validation[0]), most=MOST_ROWS)


def _same(first: Array, second: Array) -> bool:
    if first is second:
        return True
    floats = first.dtype.kind == "f" and second.dtype.kind == "f"
    return first.shape == second.shape and np.array_equal(first, second, equal_nan=floats)


def _relate(inputs: Array, targets: Array, *, identical: bool) -> dict[str, Any]:
    """Return how rows of inputs and targets correlate, and which of them is the noisier."""
    pair = _align(inputs, targets)
    if pair is None:
        return {}
    first, second = pair
    order = np.roll(np.random.default_rng(_SEED).permutation(len(first)), 1)
    facts: dict[str, Any] = {
        "correlation": correlate_rows(first, second),
        "shuffled": correlate_rows(first, second[order]),
    }
    if not identical:
        noise = find_noisier(first, second)
        sides = {"first": "input", "second": "target"}
        facts |= {"noisier": sides.get(noise.which, "neither"), "noise": noise.deviation}
        facts["permuted"] = _is_permuted(first, second)
        facts["moved"] = share_moved(first, second)
    return facts


def _is_permuted(first: Array, second: Array) -> bool:
    """Tell whether the columns of one are those of the other in another order, not in reverse.

    Sequences are often given back in reverse on purpose.
    """
    if np.array_equal(first, second) or np.array_equal(first[:, ::-1], second):
        return False
    one, other = (np.unique(rows.reshape(len(rows), -1), axis=1) for rows in (first, second))
    return bool(np.array_equal(one, other))


def _align(first: Array, second: Array) -> tuple[Array, Array] | None:
    """Return as many rows of both, finite and as floats; None where they can't be compared."""
    count = min(len(first), len(second))
    sizes = [int(np.prod(rows.shape[1:])) for rows in (first, second)]
    if sizes[0] != sizes[1] or any(rows.dtype.kind not in "biuf" for rows in (first, second)):
        return None
    chosen = np.linspace(0, count - 1, min(count, _ROWS)).astype(int)
    # The richer shape says which values are neighbours: (28, 28) of 784.
    shape = max((first.shape[1:], second.shape[1:]), key=len)
    a, b = (rows[chosen].astype(np.float64).reshape(-1, *shape) for rows in (first, second))
    axes = tuple(range(1, a.ndim))
    finite = np.isfinite(a).all(axis=axes) & np.isfinite(b).all(axis=axes)
    return (a[finite], b[finite]) if finite.sum() >= _LEAST_ROWS else None


def correlate_rows(first: Array, second: Array) -> float | None:
    """Return the median over rows of the correlation between two arrays' rows.

    What all rows have in common is taken out first: every column is brought to mean 0 and
    deviation 1 over the rows. Else two pictures of any two digits would correlate.

    Args:
        first: Shape (rows, ...).
        second: The same shape.
    """
    columns = int(np.prod(first.shape[1:]))
    chosen = np.linspace(0, columns - 1, min(columns, _COLUMNS)).astype(int)
    a, b = (rows.reshape(len(rows), -1)[:, chosen] for rows in (first, second))
    varied = (a.std(axis=0) > 0) & (b.std(axis=0) > 0)
    if varied.sum() < 2:  # noqa: PLR2004 - one number has no correlation
        return None
    a, b = ((x[:, varied] - x[:, varied].mean(axis=0)) / x[:, varied].std(axis=0) for x in (a, b))
    sizes = np.sqrt(np.square(a).sum(axis=1) * np.square(b).sum(axis=1))
    there = sizes > 0
    if not there.any():
        return None
    return float(np.median((a * b).sum(axis=1)[there] / sizes[there]))


def _summarise(targets: Array, weights: Array | None) -> dict[str, Any]:
    """Return sums, the most common value that counts and the variation, in the targets' units."""
    rows = targets.reshape(len(targets), -1) if targets.ndim == 1 else targets
    finite = np.isfinite(rows).all(axis=tuple(range(1, rows.ndim)))
    rows = rows[finite]
    if not rows.size:
        return {}
    sums = rows.sum(axis=-1, dtype=np.float64)
    weighed = weigh_values(targets.shape, weights)
    counting = rows if weighed is None else flat(targets)[weighed > 0]
    values, counts = np.unique(counting, return_counts=True)
    deviation = rows.std(axis=0, dtype=np.float64).mean()
    size = np.abs(rows.mean(axis=0, dtype=np.float64)).mean()
    return {
        "target_sums": (float(sums.min()), float(np.median(sums)), float(sums.max())),
        "most_common": float(counts.max() / counting.size),
        "common_value": float(values[counts.argmax()]),
        "variation": float(deviation / size) if size > 0 else None,
    }


def _compare_spare(subject: Subject, inputs: Array, targets: Array) -> tuple[SpareArray, ...]:
    found = []
    for name, rows in _usable(subject.spare, inputs).items():
        if _same(rows, inputs) or _same(rows, targets):
            continue
        found.append(_relate_spare(name, rows, inputs, subject.where(f"array {name}")))
    return tuple(found)


def _of_others(subject: Subject) -> tuple[SpareArray, ...]:
    return () if subject.elsewhere is None else (subject.elsewhere,)


def _usable(spare: Mapping[str, Any], inputs: Array) -> dict[str, Array]:
    """Return the arrays of numbers that have the inputs' rows and values in each."""
    arrays = {name: np.asarray(rows) for name, rows in spare.items()}
    return {
        name: rows
        for name, rows in arrays.items()
        if rows.dtype.kind in "biuf"
        and rows.ndim
        and len(rows) == len(inputs)
        and rows.size == inputs.size
        and rows.ndim > 1
    }


def _relate_spare(name: str, rows: Array, inputs: Array, where: Where | None) -> SpareArray:
    pair = _align(inputs, rows)
    if pair is None:
        return SpareArray(name=name, relation="other", noise=0.0, where=where)
    noise = find_noisier(*pair)
    relations = {"second": "noisy-copy", "first": "cleaner-copy"}
    relation = relations.get(noise.which, "other")
    return SpareArray(name=name, relation=relation, noise=noise.deviation, where=where)
