"""How a model was compiled: its loss by its long name, its optimiser, and what its metrics are."""

import functools
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.audit.likeness import Likeness, find_likeness
from truecopy.audit.lossfunction import (
    AddedLoss,
    CompiledLoss,
    LossFunction,
    NoLoss,
    find_loss,
    overrides,
)
from truecopy.audit.metricfacts import describe_metrics
from truecopy.audit.outputs import see_output
from truecopy.audit.preserve import unchanged
from truecopy.audit.subject import Subject
from truecopy.audit.tensors import to_float
from truecopy.rules.modelfacts import CompileFacts

Array = NDArray[Any]

__all__ = ["NoLoss", "as_function", "describe_compile", "find_loss"]

# Rows on which metrics are evaluated, in batches of Keras' own 32.
_ROWS: Final = 1024
# No more values than this go through the model at once.
_VALUES: Final = 4_000_000


def as_function(model: Any, subject: Subject) -> LossFunction | None:
    """Return the model's loss as a function of (targets, predictions); None where there is none.

    `find_loss` says why.
    """
    del model  # the subject's own
    found = find_loss(subject)
    return None if isinstance(found, NoLoss) else found


def describe_compile(subject: Subject) -> CompileFacts | None:
    """Return how the subject's model was compiled; None where it was not."""
    model = subject.model
    if not getattr(model, "compiled", False):
        return None
    with unchanged(model):
        inputs, targets = _sample(subject)
        seen = None
        if inputs is not None and targets is not None:
            seen = see_output(model, inputs, targets.shape[1:])
        name, own, stated = _name_loss(model, targets, seen)
        if name == "none" and isinstance(find_loss(subject), AddedLoss):
            name, own = "add_loss", True
        like = _measure_likeness(subject, inputs, targets, seen)
        metrics = describe_metrics(model, targets, seen, whole=subject.whole)
    return CompileFacts(
        loss=name,
        own=own,
        from_logits=stated or like.logits,
        like=like.name,
        metrics=metrics,
        where=subject.where("compile"),
        **_describe_optimizer(model),
    )


def _sample(subject: Subject) -> tuple[Array | None, Array | None]:
    if subject.inputs is None or subject.targets is None:
        return None, None
    inputs, targets = np.asarray(subject.inputs), np.asarray(subject.targets)
    features = max(int(np.prod(targets.shape[1:])), int(np.prod(inputs.shape[1:])), 1)
    rows = min(len(inputs), len(targets), _ROWS, max(_VALUES // features, 1))
    return inputs[:rows], targets[:rows]


def _measure_likeness(
    subject: Subject, inputs: Array | None, targets: Array | None, seen: Array | None
) -> Likeness:
    loss = find_loss(subject)
    if isinstance(loss, NoLoss) or inputs is None or targets is None or not len(targets):
        return Likeness()
    return find_likeness(loss, targets, inputs, None if seen is None else seen.shape[1:])


def _name_loss(model: Any, targets: Array | None, seen: Array | None) -> tuple[str, bool, bool]:
    """Return the loss' name, whether it is the user's own, and whether it states logits."""
    held = getattr(model, "_compile_loss", None)
    if held is None:
        custom = overrides(model, "train_step") or overrides(model, "compute_loss")
        return ("custom-step", True, False) if custom else ("none", False, False)
    loss: Any = None
    if targets is not None and len(targets):
        try:
            loss = CompiledLoss(model).resolve(targets, targets if seen is None else seen)
        except Exception:  # noqa: BLE001 - several outputs, or a structure that doesn't fit
            loss = None
    if loss is None:
        given = [g for g in keras.tree.flatten(held._user_loss) if g is not None]  # noqa: SLF001
        if not given:
            return "none", False, False
        loss = given[0] if str(given[0]).lower() in {"ce", "crossentropy"} else _get(given[0])
    return _unwrap(loss)


def _get(identifier: Any) -> Any:
    try:
        return keras.losses.get(identifier)
    except ValueError:
        return identifier


def _unwrap(loss: Any) -> tuple[str, bool, bool]:
    """Follow wrappers and partials down to the function or class that computes the loss."""
    logits = False
    for _ in range(8):  # a partial of a partial of a wrapper; nobody nests deeper
        logits = logits or _states_logits(loss)
        if isinstance(loss, functools.partial):
            loss = loss.func
        elif isinstance(loss, keras.losses.Loss) and _is_keras(type(loss)) and hasattr(loss, "fn"):
            loss = loss.fn
        else:
            break
    if isinstance(loss, str):
        return loss, False, logits
    named = loss if hasattr(loss, "__name__") else type(loss)
    name = str(named.__name__)
    return ("lambda" if name == "<lambda>" else name), not _is_keras(named), logits


def _is_keras(thing: Any) -> bool:
    return (getattr(thing, "__module__", None) or "").startswith("keras.")


def _states_logits(loss: Any) -> bool:
    words = getattr(loss, "keywords", None) or getattr(loss, "_fn_kwargs", None) or {}
    return bool(words.get("from_logits", getattr(loss, "from_logits", False)))


def _describe_optimizer(model: Any) -> dict[str, Any]:
    """Return the optimiser's class, the learning rate now in force, and the updates made."""
    outer = getattr(model, "optimizer", None)
    if outer is None:
        return {}
    optimizer = getattr(outer, "inner_optimizer", outer)  # mixed precision wraps it
    schedule = keras.optimizers.schedules.LearningRateSchedule
    rate = getattr(optimizer, "_learning_rate", None)
    return {
        "optimizer": type(optimizer).__name__.lower(),
        "learning_rate": to_float(optimizer.learning_rate),
        "epsilon": to_float(optimizer.epsilon) if hasattr(optimizer, "epsilon") else None,
        "scheduled": isinstance(rate, schedule) or (callable(rate) and not hasattr(rate, "assign")),
        "steps": int(to_float(optimizer.iterations)),
    }
