"""A user's program, unchanged, is run in a process of its own and what it fits is audited."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from truecopy import errors
from truecopy.audit.script import audit_script

# A program as people write them; `{fit}` and `{before}` differ.
PROGRAM = """\
import os, sys
import keras
import numpy as np
{before}
keras.utils.set_random_seed(1)
x = np.random.default_rng(0).uniform(size=(96, 6)).astype("float32")
noisy = (x + 0.3 * np.random.default_rng(1).normal(size=x.shape)).astype("float32")

model = keras.Sequential([
    keras.Input((6,)),
    keras.layers.Dense(3, name="code"),
    keras.layers.Dense(6, activation="sigmoid"),
])
model.compile(
    optimizer="adam", loss="mse",
)
{fit}
"""
FIT = "model.fit(x, x, epochs=2, batch_size=32, verbose=0, validation_split=0.25)"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The user works in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder, *, before="", fit=FIT, name="train.py"):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(PROGRAM.format(before=before, fit=fit), encoding="utf-8")
    return name


def audit(folder, argv=(), *, budget=20, **program):
    return audit_script(write(folder, **program), argv, budget=budget, quiet=True)


def is_running(process):
    """Tell whether a process still runs after a moment, in which a signal comes through."""
    for _ in range(50):
        if not _lives(process):
            return False
        time.sleep(0.1)
    return True


def _lives(process):
    """Tell whether a process lives; one that ended and waits to be noticed does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


def line_of(folder, text, name="train.py"):
    lines = (folder / name).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def test_a_fit_is_audited_with_its_lines_and_the_programs_output_stays_the_same(folder):
    saved = "open('out', 'w').write(repr([fitted.history, model.predict(x, verbose=0).sum()]))"
    fit = f"fitted = {FIT}\n{saved}"

    facts = audit(folder, fit=fit).facts

    assert facts.target == "train.py"
    assert facts.fit_where.line == line_of(folder, "model.fit(")
    assert facts.training.planned_epochs == 2
    assert facts.training.steps == 6  # 72 rows train, in batches of 32
    assert facts.training.complete
    assert len(facts.training.step_losses) == 6
    assert len(facts.training.validation_losses) == 2
    assert facts.data.inputs.rows == 72
    assert facts.data.validation.rows == 24
    assert [spare.name for spare in facts.data.spare] == ["noisy"]
    assert facts.data.spare[0].where.line == line_of(folder, "noisy =")
    code = next(layer for layer in facts.model.layers if layer.name == "code")
    assert code.where.line == line_of(folder, '"code"')
    assert facts.model.compiled.where.line == line_of(folder, "model.compile(")
    # What the program computes is what it computes alone.
    audited = (folder / "out").read_text(encoding="utf-8")
    subprocess.run([sys.executable, "train.py"], check=True, cwd=folder)
    assert (folder / "out").read_text(encoding="utf-8") == audited


def test_the_program_gets_its_arguments_its_folder_and_no_input(folder):
    before = """\
import argparse, multiprocessing
from own.part import scale
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int)
epochs = parser.parse_args().epochs
assert os.environ["MPLBACKEND"] == "Agg"
assert os.getcwd() != os.path.dirname(os.path.abspath(__file__))
if __name__ != "__main__":
    raise SystemExit("not the main program")
"""
    fit = "model.fit(x * scale, x, epochs=epochs, verbose=0)\nsys.exit(3)"
    (folder / "deep" / "own").mkdir(parents=True)
    (folder / "deep" / "own" / "part.py").write_text("scale = 1.0\n", encoding="utf-8")

    result = audit(folder, ["--epochs", "4"], before=before, fit=fit, name="deep/train.py")

    assert result.facts.training.planned_epochs == 4
    assert result.facts.fit_where.file == "deep/train.py"
    assert result.facts.data.identical


@pytest.mark.slow
def test_a_long_training_is_ended_at_the_budget(folder):
    fit = "model.fit(x, x, epochs=10**6, verbose=0)\nopen('after', 'w')"
    started = time.monotonic()

    facts = audit(folder, fit=fit, budget=1).facts

    assert time.monotonic() - started < 60
    assert not facts.training.complete
    assert facts.training.planned_epochs == 10**6
    assert 0 < facts.training.steps < 10**6
    assert not (folder / "after").exists()
    assert any("was ended after 1 s of training" in note for note in facts.notes)


@pytest.mark.slow
def test_a_crash_after_a_fit_is_a_note_beside_the_findings(folder):
    facts = audit(folder, fit=f"{FIT}\nopen('results/table.csv')").facts

    crash = next(note for note in facts.notes if "failed with" in note)
    assert crash == (
        f"train.py:{line_of(folder, 'table.csv')} failed with FileNotFoundError: "
        "[Errno 2] No such file or directory: 'results/table.csv'."
    )


@pytest.mark.parametrize(
    ("before", "kind", "message"),
    [
        (
            "np.load('x.npy')",
            errors.ScriptCrashed,
            r"train.py:4 failed with FileNotFoundError: .*'x.npy'. It looked in the current folder",
        ),
        (
            "def f(n):\n    return 1 / n\nf(0)",
            errors.ScriptCrashed,
            r"^train.py:5 failed with ZeroDivisionError: division by zero.$",
        ),
        (
            "n = input('How many epochs? ')",
            errors.ScriptCrashed,
            r"train.py:4 asks for input.*EOFError.*as arguments, after --",
        ),
        (
            "keras.Sequential([keras.Input((3,))], name='net').compile(loss='mse'); sys.exit()",
            errors.NothingFitted,
            r"called sys.exit\(None\) and fitted nothing. It built net; compiled: net",
        ),
        ("os.kill(os.getpid(), 9)", errors.ScriptCrashed, r"ended by signal 9 \(SIGKILL\)"),
    ],
    ids=["missing file", "error", "input", "exit", "killed"],
)
@pytest.mark.slow
def test_a_program_that_fits_nothing_is_an_error_in_its_own_words(folder, before, kind, message):
    with pytest.raises(kind, match=message):
        audit(folder, before=before)


def test_a_program_without_keras_says_so_in_a_second(folder):
    (folder / "plain.py").write_text("print('hello')\n", encoding="utf-8")

    with pytest.raises(
        errors.NothingFitted,
        match=r"plain.py ran to its end and fitted nothing\. It never imported Keras\.",
    ):
        audit_script("plain.py", quiet=True)


def test_a_program_that_never_comes_to_its_fit_is_ended(folder):
    source = """\
import os, multiprocessing, time
worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(99,))
worker.start()
open("worker", "w").write(str(worker.pid))
time.sleep(99)
"""
    (folder / "slow.py").write_text(source, encoding="utf-8")

    with pytest.raises(errors.ScriptTimedOut, match="fitted nothing within 1 s"):
        audit_script("slow.py", limit=1, quiet=True)

    assert not is_running(int((folder / "worker").read_text()))


@pytest.mark.parametrize(
    ("name", "content", "kind", "message"),
    [
        (
            "trian.py",
            None,
            errors.ScriptNotFound,
            r"no program 'trian.py'. Did you mean 'train.py'",
        ),
        ("a.py", b"x = (1,\ny = 2\n", errors.NotPython, r"a.py:1 is not Python 3: .*never closed"),
        ("a.py", b"x = \x00", errors.NotPython, r"a.py.* is not"),
        ("a.ipynb", b"{}", errors.NotPython, r"is a notebook. Save it as a program first"),
    ],
)
def test_what_is_no_program_is_refused_before_anything_runs(folder, name, content, kind, message):
    write(folder)
    if content is not None:
        (folder / name).write_bytes(content)

    with pytest.raises(kind, match=message):
        audit_script(name)


@pytest.mark.parametrize(("argument", "value"), [("budget", 0), ("limit", -1)])
def test_time_must_be_given(folder, argument, value):
    write(folder)

    with pytest.raises(errors.InvalidArgument, match=f"'{argument}' argument of audit_script"):
        audit_script("train.py", **{argument: value})


LOOP = """\
for epoch in range(3):
    for start in range(0, 96, 32):
        model.train_on_batch(noisy[start : start + 32], x[start : start + 32])
"""


@pytest.mark.slow
def test_a_loop_over_batches_is_audited_when_the_program_ends(folder):
    facts = audit(folder, fit=LOOP).facts

    assert facts.training.steps == 9
    assert facts.fit_where.line == line_of(folder, "train_on_batch")
    assert not facts.data.identical
    assert facts.data.inputs.rows == 96 * 3


@pytest.mark.slow
def test_a_noisy_batch_that_a_loop_makes_and_does_not_use_is_seen(folder):
    loop = """\
rows = np.outer(np.random.default_rng(2).normal(size=96), np.ones(6)).astype("float32")
for epoch in range(3):
    for start in range(0, 96, 32):
        batch = rows[start : start + 32]
        broken = batch + np.random.normal(size=batch.shape)
        model.train_on_batch(batch, batch)
"""
    data = audit(folder, fit=loop).facts.data

    assert [s.name for s in data.spare if s.relation == "noisy-copy"] == ["broken"]


@pytest.mark.slow
def test_a_loop_of_fits_is_one_training(folder):
    fit = "for epoch in range(5):\n    model.fit(x, x, verbose=0)"

    facts = audit(folder, fit=fit).facts

    assert facts.training.planned_epochs == 5
    assert len(facts.training.losses) == 5
    assert facts.training.steps == 15


@pytest.mark.slow
def test_the_program_may_choose_its_backend(folder, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND")
    source = """\
import os
os.environ.setdefault("KERAS_BACKEND", "numpy")
import keras
raise SystemExit(keras.backend.backend())
"""
    (folder / "own.py").write_text(source, encoding="utf-8")
    code = "import truecopy.audit.script as s; s.audit_script('own.py', quiet=True)"

    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert "called sys.exit(numpy)" in ended.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.slow
def test_ctrl_c_ends_the_program_too(folder):
    source = "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(99)\n"
    (folder / "slow.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "truecopy", "audit", "slow.py"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as parent:
        while not (folder / "pid").exists() or not (folder / "pid").read_text():
            time.sleep(0.1)
        parent.send_signal(signal.SIGINT)
        _, told = parent.communicate(timeout=20)

    assert (parent.returncode, told.strip()) == (130, "truecopy: Interrupted.")
    assert not is_running(int((folder / "pid").read_text()))


OWN_LOOP = """\
import jax
{ending}
def loss_of(variables, rest, batch):
    copy, _ = model.stateless_call(variables, rest, batch)
    return keras.ops.mean((copy - batch) ** 2)
step = jax.jit(jax.value_and_grad(loss_of))
variables = [v.value for v in model.trainable_variables]
for epoch in range({epochs}):
    loss, slopes = step(variables, [], x)
    variables = [v - 0.1 * s for v, s in zip(variables, slopes)]
    for ours, value in zip(model.trainable_variables, variables):
        ours.assign(value)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.environ["KERAS_BACKEND"] != "jax", reason="a loop in JAX")
@pytest.mark.parametrize(("epochs", "budget"), [(5, 20), (10**7, 2)], ids=["short", "endless"])
def test_a_loop_of_its_own_is_audited_as_far_as_it_can_be_seen(folder, epochs, budget):
    facts = audit(folder, fit=OWN_LOOP.format(epochs=epochs, ending=""), budget=budget).facts

    assert facts.training is None
    assert facts.contract is None
    told = " ".join(facts.notes)
    assert "trained in a loop of its own: its loss and targets were not seen" in told
    assert "taken from the program's array" in told
