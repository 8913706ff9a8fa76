"""Applies a finding's machine-readable change to a copy of a model, its data and its settings.

A change is a dict with an 'action' and its arguments:

| action | arguments |
|---|---|
| set_output_activation | activation |
| set_activation | activation, layer or layers |
| draw_weights | layer or layers |
| set_loss | loss |
| set_from_logits | from_logits |
| scale_data | scaling: 'divide' (by), 'standardise' or 'minmax' |
| set_learning_rate | learning_rate |
| set_optimizer | optimizer, learning_rate |
| set_metrics | metrics |
| set_momentum | momentum, layer or layers (all BatchNormalization without) |
| remove_dropout | layer or layers |
| scale_penalty, scale_kl | by |
| average_penalty | |
| set_targets | to: 'inputs', 'clean' or 'array NAME' |
| set_inputs | to: 'array NAME' |
| set_latent | latent, layer |
| set_output_channels | channels, layer |
| set_epochs | epochs |
| all | changes |
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MethodType
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.audit.alter import (
    average_penalties,
    find_layers,
    scale_penalties,
    set_activation,
    set_attribute,
    set_output_activation,
)
from truecopy.audit.rebuild import (
    CannotRebuild,
    copy_model,
    rebuild_from_configs,
    refresh_weights,
    seeded,
)
from truecopy.audit.rescale import Units, are_on_one_scale, measure_units
from truecopy.audit.subject import Subject

Array = NDArray[Any]
Change = Mapping[str, Any]

_BATCH: Final = 32  # Keras' default
# What `compile` takes and a copy is compiled with; metrics are left out: the score is our own.
_KEPT: Final = ("loss", "loss_weights", "run_eagerly", "jit_compile", "auto_scale_loss")
# What other changes work on must be in place first; shapes come before what is inside layers.
_ORDER: Final = ("set_inputs", "set_targets", "set_latent", "set_output_channels")


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Program:
    """What is trained, on what and how: the user's program, or a changed one.

    Attributes:
        model: An uncompiled copy with the weights that the training begins with.
        compiling: The arguments of `compile`.
        inputs: Rows as the model gets them.
        targets: What it is fitted to.
        units: Those of the targets.
        batch_size: Rows a step.
        epochs: What `fit` was asked for; 0 where it isn't known.
    """

    model: Any
    compiling: Mapping[str, Any]
    inputs: Array
    targets: Array
    units: Units = field(default_factory=Units)
    batch_size: int = _BATCH
    epochs: int = 0

    def compile(self) -> Any:
        """Return the model, compiled with the program's settings."""
        # A user's own `compile` has other arguments; what it stored in the model was copied.
        keras.Model.compile(self.model, **self.compiling)
        return self.model


def open_program(subject: Subject, *, seed: int = 0) -> Program:
    """Return the user's own program with the weights it began with.

    Raises:
        CannotRebuild: There are no data, or the model can't be copied.
    """
    if subject.inputs is None or subject.targets is None:
        raise CannotRebuild("there are no data to train on")
    model = copy_model(subject.model)
    refresh_weights(model, seed=seed, initial=subject.initial_weights)
    training = subject.training
    return Program(
        model=model,
        compiling=_read_compiling(subject.model, model),
        inputs=np.asarray(subject.inputs),
        targets=np.asarray(subject.targets),
        batch_size=(training.batch_size if training else None) or _BATCH,
        epochs=training.planned_epochs if training else 0,
    )


def change_program(
    program: Program, changes: Sequence[Change], subject: Subject, *, seed: int = 0
) -> Program:
    """Return a copy of a program that was not trained yet, with the changes applied.

    Args:
        program: The program before; left as it is.
        changes: What to change; of two that say different things of the same, the first counts.
        subject: Where arrays that the program made and did not use come from.
        seed: Draws the weights of layers whose shapes change.

    Raises:
        CannotRebuild: One of the changes can't be applied automatically; the message says why.
    """
    compiling = dict(program.compiling)
    model = copy_model(program.model)
    compiling["loss"] = _rebind(compiling.get("loss"), program.model, model)
    compiling["optimizer"] = _copy_optimizer(compiling["optimizer"])
    changed = replace(program, model=model, compiling=compiling)
    for change in sort_changes(changes):
        action = str(change["action"])
        if action not in _ACTIONS:
            raise CannotRebuild(f"the change {action!r} can't be applied automatically")
        changed = _ACTIONS[action](changed, change, subject, seed)
    return changed


def sort_changes(changes: Sequence[Change]) -> list[Change]:
    """Return single changes in the order in which they are applied, none of them twice."""
    single: dict[tuple[str, str], Change] = {}
    for change in changes:
        if not change or not change.get("action"):
            continue
        inner = change["changes"] if change["action"] == "all" else [change]
        for part in inner:
            named = part.get("layers") or part.get("layer") or ""
            # A learning rate comes with the optimiser where one is set.
            single.setdefault((str(part["action"]), str(named)), part)
    order = {action: place for place, action in enumerate(_ORDER)}
    return sorted(single.values(), key=lambda part: order.get(str(part["action"]), len(order)))


def _read_compiling(model: Any, copied: Any) -> dict[str, Any]:
    if not getattr(model, "compiled", False) or model.optimizer is None:
        raise CannotRebuild("the model is not compiled")
    given = dict(getattr(getattr(model, "_compile_config", None), "config", {}))
    kept = {name: given[name] for name in _KEPT if given.get(name) is not None}
    kept["loss"] = _rebind(getattr(model, "loss", None), model, copied)
    return {**kept, "optimizer": _copy_optimizer(model.optimizer), "metrics": None}


def _rebind(loss: Any, model: Any, copied: Any) -> Any:
    """Return the loss; a method of the model becomes that of its copy."""
    if isinstance(loss, MethodType) and loss.__self__ is model:
        return MethodType(loss.__func__, copied)
    return loss


def _copy_optimizer(optimizer: Any) -> Any:
    """Return an optimiser of the same settings that has taken no step."""
    try:
        return type(optimizer).from_config(optimizer.get_config())
    except Exception as error:
        raise CannotRebuild(f"the optimiser can't be made again: {error}") from error


def _compile_with(program: Program, **settings: Any) -> Program:
    return replace(program, compiling={**program.compiling, **settings})


def _set_output_activation(program: Program, change: Change, _: Subject, __: int) -> Program:
    set_output_activation(program.model, program.inputs, change["activation"])
    return program


def _set_activation(program: Program, change: Change, _: Subject, __: int) -> Program:
    set_activation(program.model, _names(change), change["activation"])
    return program


def _draw_weights(program: Program, change: Change, _: Subject, seed: int) -> Program:
    for place, layer in enumerate(find_layers(program.model, _names(change))):
        for weight in layer.trainable_weights:
            if len(weight.shape) > 1:  # a bias may be 0
                weight.assign(keras.initializers.GlorotUniform(seed + place)(weight.shape))
    return program


def _set_loss(program: Program, change: Change, _: Subject, __: int) -> Program:
    if program.compiling.get("loss") is None:
        raise CannotRebuild("the loss is computed in the model's own code")
    return _compile_with(program, loss=change["loss"])


def _set_from_logits(program: Program, change: Change, _: Subject, __: int) -> Program:
    given = program.compiling.get("loss")
    try:
        loss = keras.losses.get(given)
    except (ValueError, TypeError) as error:
        raise CannotRebuild("the loss can't be made again") from error
    if not isinstance(loss, keras.losses.Loss):
        name = "".join(part.capitalize() for part in getattr(loss, "__name__", "").split("_"))
        kind = getattr(keras.losses, name, None)
        if kind is None:
            raise CannotRebuild("the loss is a function of the user's own")
        loss = kind()
    config = loss.get_config()
    if "from_logits" not in config:
        raise CannotRebuild(f"the loss {config.get('name')!r} knows no logits")
    config["from_logits"] = bool(change["from_logits"])
    return _compile_with(program, loss=type(loss).from_config(config))


def _set_learning_rate(program: Program, change: Change, _: Subject, __: int) -> Program:
    optimizer = program.compiling["optimizer"]
    config = {**optimizer.get_config(), "learning_rate": float(change["learning_rate"])}
    return _compile_with(program, optimizer=type(optimizer).from_config(config))


def _set_optimizer(program: Program, change: Change, _: Subject, __: int) -> Program:
    kind = type(keras.optimizers.get(str(change["optimizer"])))
    rate = change.get("learning_rate")
    return _compile_with(program, optimizer=kind() if rate is None else kind(float(rate)))


def _set_metrics(program: Program, change: Change, _: Subject, __: int) -> Program:
    return _compile_with(program, metrics=list(change["metrics"]) or None)


def _set_momentum(program: Program, change: Change, _: Subject, __: int) -> Program:
    kind, value = "BatchNormalization", float(change["momentum"])
    set_attribute(program.model, _names(change), kind, "momentum", value)
    return program


def _remove_dropout(program: Program, change: Change, _: Subject, __: int) -> Program:
    set_attribute(program.model, _names(change), "Dropout", "rate", 0.0)
    return program


def _scale_penalty(program: Program, change: Change, _: Subject, __: int) -> Program:
    scale_penalties(program.model, program.inputs, float(change["by"]))
    return program


def _average_penalty(program: Program, _: Change, __: Subject, ___: int) -> Program:
    average_penalties(program.model, program.inputs)
    return program


def _scale_kl(program: Program, change: Change, _: Subject, __: int) -> Program:
    scale_penalties(program.model, program.inputs, float(change["by"]), weights=False)
    return program


def _set_epochs(program: Program, change: Change, _: Subject, __: int) -> Program:
    return replace(program, epochs=int(change["epochs"]))


def _set_latent(program: Program, change: Change, _: Subject, seed: int) -> Program:
    return _resize(program, change, int(change["latent"]), seed)


def _set_output_channels(program: Program, change: Change, _: Subject, seed: int) -> Program:
    return _resize(program, change, int(change["channels"]), seed)


def _resize(program: Program, change: Change, width: int, seed: int) -> Program:
    names = _names(change) or [_name_sized(program.model)]
    settings = {name: {_size_of(program.model, name): width} for name in names}
    with seeded(seed):
        model = rebuild_from_configs(program.model, settings)
    # Layers whose shapes are as before begin where they began.
    for new, old in zip(model.weights, program.model.weights, strict=True):
        if tuple(new.shape) == tuple(old.shape):
            new.assign(old.value)
    return replace(program, model=model)


def _name_sized(model: Any) -> str:
    sized = [layer for layer in model._flatten_layers() if _find_size(layer)]  # noqa: SLF001
    if not sized:
        raise CannotRebuild("there is no layer whose width can be set")
    return str(sized[-1].name)


def _size_of(model: Any, name: str) -> str:
    for layer in model._flatten_layers():  # noqa: SLF001
        if layer.name == name and (size := _find_size(layer)):
            return size
    raise CannotRebuild(f"the width of the layer {name!r} can't be set")


def _find_size(layer: Any) -> str:
    sizes = ("units", "filters")
    return next((s for s in sizes if isinstance(getattr(layer, s, None), int)), "")


def _set_inputs(program: Program, change: Change, subject: Subject, _: int) -> Program:
    return replace(program, inputs=find_array(change, subject, program))


def _set_targets(program: Program, change: Change, subject: Subject, _: int) -> Program:
    return replace(program, targets=find_array(change, subject, program))


def find_array(change: Change, subject: Subject, program: Program) -> Array:
    """Return the rows that a change calls 'inputs', 'clean' or 'array NAME'."""
    to = str(change["to"])
    if to == "inputs":
        return program.inputs
    rows = {k: np.asarray(v) for k, v in subject.spare.items() if len(v) == len(program.inputs)}
    name = to.removeprefix("array ")
    if to == "clean" and len(rows) == 1:
        return next(iter(rows.values()))
    if name in rows:
        return rows[name]
    raise CannotRebuild(f"the rows of {name!r} are not at hand")


def _scale_data(program: Program, change: Change, _: Subject, __: int) -> Program:
    units = measure_units(program.inputs, change["scaling"], by=change.get("by"))
    shared = program.targets is program.inputs or are_on_one_scale(program.inputs, program.targets)
    same = program.targets.shape == program.inputs.shape
    inputs = units.apply(program.inputs)
    if not shared or not (same or change["scaling"] == "divide"):
        return replace(program, inputs=inputs)
    return replace(program, inputs=inputs, targets=units.apply(program.targets), units=units)


def _names(change: Change) -> list[str]:
    named = change.get("layers") or change.get("layer") or []
    return [named] if isinstance(named, str) else list(named)


_ACTIONS: Final[dict[str, Callable[[Program, Change, Subject, int], Program]]] = {
    "average_penalty": _average_penalty,
    "draw_weights": _draw_weights,
    "remove_dropout": _remove_dropout,
    "scale_data": _scale_data,
    "scale_kl": _scale_kl,
    "scale_penalty": _scale_penalty,
    "set_activation": _set_activation,
    "set_epochs": _set_epochs,
    "set_from_logits": _set_from_logits,
    "set_inputs": _set_inputs,
    "set_latent": _set_latent,
    "set_learning_rate": _set_learning_rate,
    "set_loss": _set_loss,
    "set_metrics": _set_metrics,
    "set_momentum": _set_momentum,
    "set_optimizer": _set_optimizer,
    "set_output_activation": _set_output_activation,
    "set_output_channels": _set_output_channels,
    "set_targets": _set_targets,
}
