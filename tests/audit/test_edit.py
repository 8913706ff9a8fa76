"""Edits: the diff applied gives a program in which the expected words differ, and no others."""

import ast
import shutil
import subprocess

import pytest

from truecopy.audit.edit import diff
from truecopy.audit.source import Source, find_argument

PROGRAM = '''\
"""Größe: an autoencoder."""
import keras
from keras import layers

model = keras.Sequential([
    keras.Input((784,)),
    layers.Dense(64, activation="relu"), layers.Dense(8, "relu"),
    layers.Dropout(0.5),
    layers.BatchNormalization(momentum=0.999),
    layers.Dense(
        784,
        activation="softmax",  # sums to 1
    ),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(
    x_train, x_train,
    epochs=3, validation_data=(x_test, x_test),  # held out
)
'''


def layer(name, kind, line, *, activation="relu"):
    where = {"file": "program.py", "line": line}
    return {"name": name, "kind": kind, "where": where, "activation": activation}


def make_audit(*changes, line_of_output=10, layers=None):
    known = [
        layer("dense", "Dense", 7),
        layer("dense_1", "Dense", 7),
        layer("dropout", "Dropout", 8, activation=None),
        layer("normal", "BatchNormalization", 9, activation=None),
        layer("out", "Dense", line_of_output, activation="softmax"),
    ]
    model = {
        "output_layer": "out",
        "latent_layer": "dense_1",
        "layers": layers or known,
        "compiled": {"where": {"file": "program.py", "line": 15}},
    }
    findings = [
        {"code": f"TC20{n}", "name": f"rule-{n}", "fix": {"text": "", "change": change}}
        for n, change in enumerate(changes, 1)
    ]
    facts = {"model": model, "fit_where": {"file": "program.py", "line": 16}}
    return {"target": "program.py", "findings": findings, "facts": facts}


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def put(text):
        (tmp_path / "program.py").write_text(text, encoding="utf-8")

    put(PROGRAM)
    return put


def apply(shown, tmp_path):
    """Apply a diff with the program that everybody has for it."""
    patch = shutil.which("patch")
    if patch is None:
        pytest.skip("there is no 'patch' here")
    subprocess.run([patch, "-p1", "-s"], input=shown, text=True, cwd=tmp_path, check=True)
    edited = (tmp_path / "program.py").read_text(encoding="utf-8")
    ast.parse(edited)
    return edited


def check(tmp_path, audit, old, new):
    text = (tmp_path / "program.py").read_text(encoding="utf-8")
    assert text.count(old) == 1
    assert apply(diff(audit), tmp_path) == text.replace(old, new)


SCALED = "x_train / 255.0"
EDITS = [
    (
        {"action": "set_output_activation", "activation": "sigmoid"},
        '"softmax",  # sums',
        '"sigmoid",  # sums',
    ),
    ({"action": "set_loss", "loss": "mse"}, '"binary_crossentropy"', '"mse"'),
    (
        {"action": "set_from_logits", "from_logits": True},
        '"binary_crossentropy"',
        "keras.losses.BinaryCrossentropy(from_logits=True)",
    ),
    ({"action": "set_metrics", "metrics": ["mse", "mae"]}, '["accuracy"]', '["mse", "mae"]'),
    ({"action": "set_momentum", "momentum": 0.9}, "momentum=0.999", "momentum=0.9"),
    ({"action": "remove_dropout", "layer": "dropout"}, "Dropout(0.5)", "Dropout(0.0)"),
    (
        {"action": "draw_weights", "layers": ["out"]},
        '"softmax",  # sums',
        '"softmax", kernel_initializer="glorot_uniform",  # sums',
    ),
    ({"action": "set_epochs", "epochs": 9}, "epochs=3", "epochs=9"),
    ({"action": "set_output_channels", "channels": 3}, "784,\n        act", "3,\n        act"),
    (
        {"action": "set_learning_rate", "learning_rate": 0.01},
        '"adam"',
        "keras.optimizers.Adam(learning_rate=0.01)",
    ),
    (
        {"action": "set_optimizer", "optimizer": "sgd", "learning_rate": 0.1},
        '"adam"',
        "keras.optimizers.SGD(learning_rate=0.1)",
    ),
    ({"action": "set_inputs", "to": "array noisy"}, "x_train, x_train", "noisy, x_train"),
    ({"action": "set_targets", "to": "array clean"}, "x_train, x_train", "x_train, clean"),
    (
        {"action": "scale_data", "scaling": "divide", "by": 255},
        "x_train, x_train,\n    epochs=3, validation_data=(x_test, x_test)",
        f"{SCALED}, {SCALED},\n    epochs=3, validation_data=(x_test / 255.0, x_test / 255.0)",
    ),
]


@pytest.mark.parametrize(("change", "old", "new"), EDITS, ids=[c["action"] for c, *_ in EDITS])
@pytest.mark.usefixtures("write")
def test_only_the_words_meant_change(tmp_path, change, old, new):
    check(tmp_path, make_audit(change), old, new)


@pytest.mark.usefixtures("write")
def test_several_fixes_make_one_diff(tmp_path):
    shown = diff(
        make_audit(
            {"action": "set_output_activation", "activation": "sigmoid"},
            {"action": "set_metrics", "metrics": ["mse"]},
            {"action": "scale_data", "scaling": "divide", "by": 255},
            {"action": "scale_data", "scaling": "divide", "by": 255},
        )
    )

    edited = apply(shown, tmp_path)

    assert shown.count("--- a/program.py") == 1
    assert edited.count("x_train / 255.0") == 2
    assert '"sigmoid"' in edited
    assert '["mse"]' in edited


def test_what_is_not_given_yet_is_added(write, tmp_path):
    write(PROGRAM.replace('        784,\n        activation="softmax",', "        784,"))

    linear = [layer("out", "Dense", 10, activation="linear")]
    shown = diff(
        make_audit({"action": "set_output_activation", "activation": "tanh"}, layers=linear)
    )

    # The comma and the comment after it stay where they were.
    assert '784, activation="tanh",  # sums to 1' in apply(shown, tmp_path)


def test_a_bracketed_argument_and_a_comment_are_no_place_to_add_words(write, tmp_path):
    write(PROGRAM.replace('784,\n        activation="softmax",  # sums to 1', "(784)  # wide"))

    linear = [layer("out", "Dense", 10, activation="linear")]
    shown = diff(
        make_audit({"action": "set_output_activation", "activation": "tanh"}, layers=linear)
    )

    assert '(784), activation="tanh"  # wide' in apply(shown, tmp_path)


def test_an_activation_layer_gets_another_class(write, tmp_path):
    write(
        PROGRAM.replace(
            'layers.Dense(\n        784,\n        activation="softmax",  # sums to 1\n    )',
            "layers.Softmax(axis=-1)",
        )
    )
    softmax = [{**layer("out", "Softmax", 10)}]

    shown = diff(
        make_audit({"action": "set_output_activation", "activation": "sigmoid"}, layers=softmax)
    )

    assert 'layers.Activation("sigmoid"),\n])' in apply(shown, tmp_path)


def test_a_rate_is_set_where_the_optimiser_is_made(write, tmp_path):
    write(
        PROGRAM.replace('compile("adam"', "compile(opt").replace(
            "model = keras", "opt = keras.optimizers.Adam(0.1)\nmodel = keras", 1
        )
    )
    audit = make_audit({"action": "set_learning_rate", "learning_rate": 0.001})
    audit["facts"]["model"]["compiled"]["where"]["line"] = 16

    assert "opt = keras.optimizers.Adam(0.001)" in apply(diff(audit), tmp_path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"action": "scale_kl", "by": 0.1}, "'scale_kl' is no change of single words"),
        ({"action": "set_latent", "latent": 3}, "line 7 makes several layers"),
        (
            {"action": "set_activation", "layer": "none", "activation": "relu"},
            "the line of the layer 'none' is not known",
        ),
        ({"action": "set_targets", "to": "clean"}, "the target's name is not known"),
    ],
)
@pytest.mark.usefixtures("write")
def test_what_has_no_edit_is_listed_with_the_reason(change, reason):
    assert diff(make_audit(change)) == f"# no edit for TC201 rule-1: {reason}\n"


def test_half_a_change_is_none(write):
    write(PROGRAM.replace("(x_test, x_test)", "(test[:9], test[:9])"))

    shown = diff(make_audit({"action": "scale_data", "scaling": "minmax"}))

    assert shown.startswith("# no edit for TC201 rule-1: the validation data have no names")
    assert "---" not in shown


@pytest.mark.usefixtures("write")
def test_fixes_that_edit_the_same_words_are_not_mixed():
    shown = diff(
        make_audit(
            {"action": "set_loss", "loss": "mse"},
            {"action": "set_from_logits", "from_logits": True},
        )
    )

    assert "# no edit for TC202 rule-2: another fix edits the same words" in shown
    assert shown.count("\n+") == 2


def test_a_file_that_is_gone_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    shown = diff(make_audit({"action": "set_loss", "loss": "mse"}))

    assert shown == "# no edit for TC201 rule-1: program.py can't be read\n"


def test_of_nested_calls_the_one_that_starts_at_the_line_is_found():
    source = Source("f(\n  g(1),\n  f(2), h(\n    3))\n")

    assert source.segment(source.find_call("f", 3)) == "f(2)"
    assert source.find_call("f", 1).args[0].func.id == "g"
    assert source.segment(source.find_call("h", 4)) == "h(\n    3)"
    assert source.find_call("none", 1) is None


def test_positional_arguments_are_known_for_the_calls_that_are_edited():
    call = ast.parse('Conv2D(3, 5, activation="relu")', mode="eval").body

    assert find_argument(call, "filters").value == 3
    assert find_argument(call, "activation").value == "relu"
    assert find_argument(call, "units") is None
