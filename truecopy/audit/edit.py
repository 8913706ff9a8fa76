"""Shows a fix as edited source: a unified diff of the user's own program.

Only what can be found for certain is edited: the call that made the layer, the `compile` or the
`fit` call, at the line that was noted while the program ran. What can't be is listed instead.
"""

import ast
import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from truecopy.audit.change import sort_changes
from truecopy.audit.places import NoEdit, Program
from truecopy.audit.source import Source, called_name, find_argument

Change = Mapping[str, Any]

_DEFAULT_RATE: Final = 0.001  # Adam's, in Keras
# Layers whose whole work is an activation that their class names.
_ACTIVATION_LAYERS: Final = ("Softmax", "ReLU", "LeakyReLU", "ELU")
_LOGIT_LOSSES: Final = {
    "binary_crossentropy": "BinaryCrossentropy",
    "categorical_crossentropy": "CategoricalCrossentropy",
}


def diff(audit: Any) -> str:
    """Return the fixes of an audit as a unified diff of the user's program.

    Above it stands which findings have a fix that could not be written as an edit, and why.

    Args:
        audit: An audit, or its plain form.
    """
    plain = audit if isinstance(audit, Mapping) else audit.to_dict()
    program = Program(plain)
    told = []
    done: list[Change] = []
    for finding in plain["findings"]:
        # Of two findings with one cure, the second has nothing left to do.
        parts = sort_changes([*done, (finding.get("fix") or {}).get("change") or {}])
        new = [part for part in parts if part not in done]
        done += new
        told += _edit_all(program, new, f"{finding['code']} {finding['name']}")
    return "".join([*told, *(_compare(file, source) for file, source in program.sources.items())])


def _edit_all(program: Program, changes: list[Change], name: str) -> list[str]:
    """Edit the program; return a line for each change that couldn't be made."""
    told = []
    for change in changes:
        before = {file: source.snapshot() for file, source in program.sources.items()}
        try:
            _edit(program, change)
        except NoEdit as reason:
            told.append(f"# no edit for {name}: {reason}\n")
            for file, source in program.sources.items():
                source.restore(before.get(file, {}))
    return told


def _edit(program: Program, change: Change) -> None:
    """Edit the program; half a change is none.

    Raises:
        NoEdit: It can't be done.
    """
    edit = _EDITS.get(str(change["action"]))
    if edit is None:
        raise NoEdit(f"'{change['action']}' is no change of single words")
    edit(program, change)
    if not all(source.parses() for source in program.sources.values()):
        raise NoEdit("the edited program would not be one")


def _compare(file: str, source: Source) -> str:
    before, after = source.text, source.edited()
    name = Path(file).as_posix().lstrip("/")
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        fromfile=f"a/{name}",
        tofile=f"b/{name}",
    )
    ended = "\n\\ No newline at end of file\n"
    return "".join(line if line.endswith("\n") else line + ended for line in lines)


def _set(source: Source, call: ast.Call, keyword: str, text: str) -> None:
    if any(given.arg is None for given in call.keywords):
        raise NoEdit(f"'{called_name(call)}' gets its arguments from a dict")
    if not source.set_argument(call, keyword, text):
        raise NoEdit("another fix edits the same words")


def _quote(text: str) -> str:
    return f'"{text}"'


def _output_activation(program: Program, change: Change) -> None:
    _activate(program, program.output, str(change["activation"]))


def _activation(program: Program, change: Change) -> None:
    for name in program.layers_of(change, ""):
        _activate(program, name, str(change["activation"]))


def _activate(program: Program, name: str, activation: str) -> None:
    source, call, layer = program.layer(name)
    kind = called_name(call)
    if kind in _ACTIVATION_LAYERS:
        if not isinstance(call.func, ast.Attribute):
            raise NoEdit(f"'{kind}' would have to become 'Activation', which may not be imported")
        place = source.segment(call.func.value)
        if not source.replace(call, f"{place}.Activation({_quote(activation)})"):
            raise NoEdit("another fix edits the same words")
        return
    given = find_argument(call, "activation")
    if given is None and layer.get("activation") not in {None, "linear"}:
        raise NoEdit(f"the activation of {name!r} is in its own code")
    if given is None and activation == "linear":
        return
    _set(source, call, "activation", _quote(activation))


def _draw(program: Program, change: Change) -> None:
    for name in program.layers_of(change, ""):
        source, call, _ = program.layer(name)
        _set(source, call, "kernel_initializer", _quote("glorot_uniform"))


def _loss(program: Program, change: Change) -> None:
    _set(*program.compile(), "loss", _quote(str(change["loss"])))


def _from_logits(program: Program, change: Change) -> None:
    source, call = program.compile()
    given = find_argument(call, "loss")
    loss = None if given is None else source.find_value(given)
    wanted = str(bool(change["from_logits"]))
    if isinstance(loss, ast.Call) and called_name(loss) in _LOGIT_LOSSES.values():
        _set(source, loss, "from_logits", wanted)
    elif isinstance(loss, ast.Constant) and loss.value in _LOGIT_LOSSES and source.imports_keras():
        kind = _LOGIT_LOSSES[str(loss.value)]
        if not source.replace(loss, f"keras.losses.{kind}(from_logits={wanted})"):
            raise NoEdit("another fix edits the same words")
    else:
        raise NoEdit("the loss is not one that can be told by its name")


def _metrics(program: Program, change: Change) -> None:
    source, call = program.compile()
    names = ", ".join(_quote(str(name)) for name in change["metrics"])
    _set(source, call, "metrics", f"[{names}]")


def _learning_rate(program: Program, change: Change) -> None:
    source, call = program.compile()
    given = find_argument(call, "optimizer")
    optimizer = None if given is None else source.find_value(given)
    rate = f"{float(change['learning_rate']):g}"
    if isinstance(optimizer, ast.Call):
        _set(source, optimizer, "learning_rate", rate)
    elif isinstance(optimizer, ast.Constant) and isinstance(optimizer.value, str):
        _optimizer(
            program, {"optimizer": optimizer.value, "learning_rate": change["learning_rate"]}
        )
    else:
        raise NoEdit("the optimiser is not made where it can be seen")


def _optimizer(program: Program, change: Change) -> None:
    source, call = program.compile()
    name = str(change["optimizer"])
    rate = float(change.get("learning_rate") or _DEFAULT_RATE)
    if name == "adam" and rate == _DEFAULT_RATE:
        _set(source, call, "optimizer", _quote(name))
        return
    kinds = {"adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop", "adamw": "AdamW"}
    if name not in kinds or not source.imports_keras():
        raise NoEdit("the optimiser's class would have to be imported")
    _set(source, call, "optimizer", f"keras.optimizers.{kinds[name]}(learning_rate={rate:g})")


def _momentum(program: Program, change: Change) -> None:
    for name in program.layers_of(change, "BatchNormalization"):
        source, call, _ = program.layer(name)
        _set(source, call, "momentum", f"{float(change['momentum']):g}")


def _dropout(program: Program, change: Change) -> None:
    for name in program.layers_of(change, "Dropout"):
        source, call, _ = program.layer(name)
        _set(source, call, "rate", "0.0")


def _epochs(program: Program, change: Change) -> None:
    _set(*program.fit(), "epochs", str(int(change["epochs"])))


def _latent(program: Program, change: Change) -> None:
    _resize(program, str(change.get("layer") or program.latent), int(change["latent"]))


def _channels(program: Program, change: Change) -> None:
    _resize(program, str(change.get("layer") or program.output), int(change["channels"]))


def _resize(program: Program, name: str, width: int) -> None:
    source, call, _ = program.layer(name)
    keyword = next((k for k in ("units", "filters") if find_argument(call, k) is not None), None)
    if keyword is None:
        raise NoEdit(f"the width of {name!r} can't be seen")
    _set(source, call, keyword, str(width))


def _targets(program: Program, change: Change) -> None:
    source, call = program.fit()
    rows = find_argument(call, "x")
    to = str(change["to"])
    if to == "inputs" and rows is not None:
        _set(source, call, "y", source.segment(rows))
        _set_validation(source, call, lambda pair: f"({pair[0]}, {pair[0]})")
    elif to.startswith("array "):
        _set(source, call, "y", to.removeprefix("array "))
    else:
        raise NoEdit("the target's name is not known")


def _inputs(program: Program, change: Change) -> None:
    source, call = program.fit()
    if not str(change["to"]).startswith("array "):
        raise NoEdit("the input's name is not known")
    _set(source, call, "x", str(change["to"]).removeprefix("array "))


def _scale(program: Program, change: Change) -> None:
    source, call = program.fit()
    rows = find_argument(call, "x")
    if rows is None or not isinstance(rows, ast.Name):
        raise NoEdit("the rows have no name")
    scale = _write_scaling(change, source.segment(rows))
    target = find_argument(call, "y")
    if target is not None:
        if not isinstance(target, ast.Name):
            raise NoEdit("the targets have no name")
        _set(source, call, "y", scale(source.segment(target)))
    _set(source, call, "x", scale(source.segment(rows)))
    _set_validation(source, call, lambda pair: f"({', '.join(map(scale, pair))})")


def _write_scaling(change: Change, rows: str) -> Callable[[str], str]:
    """Return how a name is written when it is scaled by what the training rows are like."""
    scaling = change["scaling"]
    if scaling == "divide":
        return lambda name: f"{name} / {float(change['by'])}"
    if scaling == "minmax":
        return lambda name: f"({name} - {rows}.min()) / ({rows}.max() - {rows}.min())"
    return lambda name: f"({name} - {rows}.mean(axis=0)) / ({rows}.std(axis=0) + 1e-7)"


def _set_validation(source: Source, call: ast.Call, write: Callable[[list[str]], str]) -> None:
    """Treat the validation rows as the training rows, where they stand there as names."""
    given = find_argument(call, "validation_data")
    if given is None:
        return
    if not isinstance(given, ast.Tuple) or not all(isinstance(e, ast.Name) for e in given.elts):
        raise NoEdit("the validation data have no names: change them in the same way")
    source.replace(given, write([source.segment(e) for e in given.elts]))


_EDITS: Final[dict[str, Callable[[Program, Change], None]]] = {
    "draw_weights": _draw,
    "remove_dropout": _dropout,
    "scale_data": _scale,
    "set_activation": _activation,
    "set_epochs": _epochs,
    "set_from_logits": _from_logits,
    "set_inputs": _inputs,
    "set_latent": _latent,
    "set_learning_rate": _learning_rate,
    "set_loss": _loss,
    "set_metrics": _metrics,
    "set_momentum": _momentum,
    "set_optimizer": _optimizer,
    "set_output_activation": _output_activation,
    "set_output_channels": _channels,
    "set_targets": _targets,
}
