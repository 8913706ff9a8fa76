"""The command line in this process: what it prints, where, and with which exit code."""

import json

import numpy as np
import pytest

import truecopy
from truecopy import cli
from truecopy.cli import execute
from truecopy.facts import RunFacts


@pytest.fixture(scope="module")
def folder(tmp_path_factory, blobs):
    """A folder with pictures in blobs.npy and a run trained on them."""
    path = tmp_path_factory.mktemp("cli")
    np.save(path / "blobs.npy", blobs)
    settings = {"latent": 4, "model": "dense", "epochs": 2, "quiet": True}
    truecopy.Autoencoder(**settings).fit(blobs).save(path / "run")
    return path


def run(capsys, *arguments):
    code = execute([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_help_teaches(capsys):
    code, out, _ = run(capsys, "--help")

    assert code == 0
    for command in (
        "demo",
        "profile",
        "fit",
        "evaluate",
        "reconstruct",
        "encode",
        "score",
        "explain",
    ):
        assert command in out
    assert "truecopy demo" in out


@pytest.mark.parametrize(
    "command", ["demo", "profile", "fit", "evaluate", "reconstruct", "encode", "score", "explain"]
)
def test_every_command_has_help(capsys, command):
    code, out, _ = run(capsys, command, "--help")

    assert code == 0
    assert len(out) > 200


def test_profile_prints_data_and_plan(capsys, folder):
    code, out, err = run(capsys, "profile", folder / "blobs.npy", "--quiet")

    assert (code, err) == (0, "")
    assert "sigmoid" in out
    assert "300 rows" in out


def test_profile_json_is_one_document(capsys, folder):
    code, out, _ = run(capsys, "profile", folder / "blobs.npy", "--json")

    document = json.loads(out)
    assert code == 0
    assert document["data"]["rows"] == 300
    assert document["plan"]["kind"] == "bytes"


def test_profile_shows_where_data_are_not_finite(capsys, tmp_path):
    rows = np.ones((9, 2))
    rows[7, 1] = np.nan
    np.save(tmp_path / "rows.npy", rows)

    code, out, err = run(capsys, "profile", tmp_path / "rows.npy", "--quiet")

    assert code == 2
    assert "1 NaN" in out
    assert "row 7 feature 1" in err


def test_fit_writes_a_run_folder(capsys, folder, tmp_path):
    out_folder = tmp_path / "deep" / "run"
    code, out, _ = run(
        capsys,
        "fit",
        folder / "blobs.npy",
        "--latent",
        3,
        "--epochs",
        1,
        "--model",
        "dense",
        "--noise",
        "masking:0.1",
        "--out",
        out_folder,
    )

    assert code == 0
    assert {path.name for path in out_folder.iterdir()} == {
        "model.keras",
        "encoder.keras",
        "decoder.keras",
        "plan.json",
        "run.json",
        "history.csv",
        "baselines.npz",
        "scorecard.json",
        "report.html",
    }
    assert str(out_folder / "report.html") in out
    card = json.loads((out_folder / "scorecard.json").read_text())
    assert card["rows"] == 30
    assert "validation rows" in card["data"]
    assert (out_folder / "report.html").read_text().startswith("<!doctype html>")


@pytest.mark.slow
def test_fit_chooses_a_free_folder(capsys, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ("fit", folder / "blobs.npy", "--epochs", 1, "--model", "dense", "--json")

    runs = [json.loads(run(capsys, *arguments)[1])["run"] for _ in range(2)]

    assert runs == ["runs/blobs.npy-dense", "runs/blobs.npy-dense-2"]


def test_fit_never_overwrites_a_run(capsys, folder):
    before = (folder / "run" / "model.keras").read_bytes()

    code, out, err = run(capsys, "fit", folder / "blobs.npy", "--out", folder / "run")

    assert (code, out) == (2, "")
    assert "exists already" in err
    assert (folder / "run" / "model.keras").read_bytes() == before


def test_evaluate_json_keeps_its_contract(capsys, folder):
    code, out, _ = run(capsys, "evaluate", folder / "run", folder / "blobs.npy", "--json")

    document = json.loads(out)
    assert code == 0
    assert {"rows", "shape", "data_range", "latent", "scores", "explain"} <= set(document)


def test_evaluate_takes_a_bare_keras_file(capsys, folder):
    code, out, _ = run(
        capsys, "evaluate", folder / "run" / "model.keras", folder / "blobs.npy", "--json"
    )

    assert code == 0
    assert json.loads(out)["latent"] == 4


@pytest.mark.parametrize("ending", ["npy", "csv", "parquet"])
@pytest.mark.parametrize("command", ["reconstruct", "encode", "score"])
def test_results_are_written_and_equal_those_of_python(capsys, folder, tmp_path, command, ending):
    model = truecopy.load(folder / "run")
    blobs = np.load(folder / "blobs.npy")
    expected = {
        "reconstruct": model.reconstruct,
        "encode": model.encode,
        "score": lambda rows: -model.score_samples(rows),
    }[command](blobs)
    out_file = tmp_path / f"result.{ending}"

    code, out, err = run(
        capsys, command, folder / "run", folder / "blobs.npy", "--out", out_file, "--quiet"
    )

    assert (code, out, err) == (0, "", "")
    if ending == "npy":
        written = np.load(out_file)
        assert written.shape == expected.shape
    elif ending == "csv":
        written = np.loadtxt(out_file, delimiter=",", skiprows=1)
    else:
        from pyarrow import parquet

        written = np.stack([c.to_numpy() for c in parquet.read_table(out_file).columns], axis=1)
    np.testing.assert_allclose(written.reshape(expected.shape), expected, rtol=1e-5, atol=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == [out_file.name]


def test_a_failed_result_leaves_the_old_file(capsys, folder, tmp_path):
    np.save(tmp_path / "odd.npy", np.zeros((3, 5)))
    (tmp_path / "result.npy").write_text("precious")

    code, _, err = run(
        capsys,
        "encode",
        folder / "run",
        tmp_path / "odd.npy",
        "--out",
        tmp_path / "result.npy",
        "--quiet",
    )

    assert code == 2
    assert "have shape (5,), but the model takes (8, 8, 1)" in err
    assert (tmp_path / "result.npy").read_text() == "precious"
    assert {path.name for path in tmp_path.iterdir()} == {"odd.npy", "result.npy"}


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("accuracy", "keras_accuracy (metric)"),
        ("bce", "bce (metric)"),
        ("softmax", "softmax (activation)"),
        ("poisson", "poisson (loss)"),
        ("TC201", "softmax-reconstruction (rule)"),
        ("softmax-reconstruction", "softmax-reconstruction (rule)"),
    ],
)
def test_explain_prints_a_page(capsys, name, page):
    code, out, _ = run(capsys, "explain", name)

    assert code == 0
    assert out.startswith(page)


def test_explain_on_adds_the_users_numbers(capsys, folder):
    code, out, _ = run(
        capsys, "explain", "accuracy", "--on", folder / "run", folder / "blobs.npy", "--json"
    )

    document = json.loads(out)["on"]
    told = document["explain"]
    assert code == 0
    assert told["resolves_to"] == "binary_accuracy"
    assert sum(told["bridge"].values()) == told["values"] == 300 * 64
    right = told["bridge"]["right_exact"] + told["bridge"]["right_not_exact"]
    assert document["score"]["value"] == pytest.approx(right / told["values"], rel=1e-12)


def test_explain_on_tells_the_bridge_in_words(capsys, folder):
    code, out, _ = run(
        capsys, "explain", "accuracy", "--on", folder / "run", folder / "blobs.npy", "--quiet"
    )

    assert code == 0
    assert "Keras resolves 'accuracy' to binary_accuracy, because the last dimension" in out
    assert "From accuracy to exact match: " in out
    assert "Of 19,200 values" in out


@pytest.mark.slow
def test_evaluate_compares_two_models_on_the_same_rows(capsys, folder, tmp_path, blobs):
    better = truecopy.Autoencoder(
        latent=8, model="dense", epochs=40, learning_rate=5e-3, batch_size=32, quiet=True
    ).fit(blobs)
    better.save(tmp_path / "better")

    code, out, _ = run(
        capsys, "evaluate", folder / "run", tmp_path / "better", folder / "blobs.npy", "--json"
    )

    found = json.loads(out)["differences"]["mse"]
    assert code == 0
    assert found["difference"] == pytest.approx(found["first"] - found["second"])
    assert found["ci95"][0] < found["difference"] < found["ci95"][1]
    assert found["ci95"][0] > 0
    assert found["better"] == "dense (second)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["explain", "acuracy"], "Did you mean 'accuracy'?"),
        (["explain", "softmax", "--on", "a", "b"], "must be a metric"),
        (["profile", "nosuch.npy"], "nosuch.npy"),
        (["profile", "mnst"], "mnist"),
        (["fit", "digits", "--model", "recipe:hinton"], "Did you mean 'hinton-2006'?"),
        (["fit", "digits", "--model", "dens"], "Did you mean 'dense'?"),
        (["fit", "digits", "--noise", "gausian:1"], "Did you mean 'gaussian'?"),
        (["fit", "digits", "--latent", "64"], "must be a whole number from 1 to 63"),
        (["fit", "digits", "--epochs", "zero"], "--epochs"),
        (["fit", "digits", "--nonsense"], "--nonsense"),
        (["nonsense"], "nonsense"),
        (["evaluate", "digits"], "one or two models, then the data"),
        (["evaluate", "no-such-run", "digits"], "There is no run folder or .keras file"),
        (["encode", "no-such-run", "digits", "--out", "x.png"], "ending in .npy, .csv, .parquet"),
        (["encode", "no-such-run", "digits", "--out", "no/such/folder/x.npy"], "folder must exist"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(
    capsys, arguments, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    code, out, err = run(capsys, *arguments, *(["--quiet"] if arguments[0] == "fit" else []))

    assert (code, out) == (2, "")
    assert message in err
    assert err.startswith("truecopy: ")
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_where():
    with pytest.raises(truecopy.TruecopyError):
        execute(["explain", "acuracy", "--debug"])


def test_an_interrupt_is_130_and_leaves_nothing(capsys, folder, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("truecopy.training.fit.accelerate", interrupt)

    code, _, err = run(capsys, "fit", folder / "blobs.npy", "--out", tmp_path / "run", "--quiet")

    assert code == 130
    assert "Interrupted" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_an_interrupted_fit_goes_on_with_resume(capsys, folder, tmp_path, monkeypatch):
    from truecopy.training import fit

    out = tmp_path / "run"
    arguments = ("fit", folder / "blobs.npy", "--model", "dense", "--epochs", 4, "--out", out)
    real, epochs = fit.ProgressBar.on_epoch_begin, []

    def interrupt(self, epoch, logs=None):
        epochs.append(epoch)
        if len(epochs) == 3:
            raise KeyboardInterrupt
        real(self, epoch, logs)

    with monkeypatch.context() as patched:
        patched.setattr(fit.ProgressBar, "on_epoch_begin", interrupt)
        first, _, told = run(capsys, *arguments)
    left = [path.name for path in tmp_path.iterdir()]
    refused, _, err = run(capsys, *arguments)
    code, _, _ = run(capsys, *arguments, "--resume", "--quiet")

    assert (first, refused, code) == (130, 2, 0)
    assert f"Go on with: --resume --out {out}" in told
    assert left == ["run.checkpoint"]
    assert "holds an interrupted training. Go on with --resume, or remove it." in err
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert len((out / "history.csv").read_text().splitlines()) == 5


def test_a_diverged_training_is_3_and_leaves_the_last_good_weights(
    capsys, folder, tmp_path, monkeypatch
):
    monkeypatch.setattr("truecopy.models.fitting.train", pretend_to_diverge)
    out = tmp_path / "run"

    code, _, err = run(capsys, "fit", folder / "blobs.npy", "--out", out, "--quiet")

    assert code == 3
    assert f"The loss became NaN. They are in {str(out)!r}." in err
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    loaded = truecopy.load(out)
    assert loaded.run_.diverged
    assert np.isfinite(loaded.reconstruct(folder / "blobs.npy")).all()


def pretend_to_diverge(networks, rows, *_, **__):
    """Return what `train` does after a first epoch that diverged."""
    return RunFacts(
        model=networks.model.name,
        latent=networks.latent,
        parameters=1,
        rows=len(rows),
        validation_rows=0,
        epochs=0,
        best_epoch=0,
        batch_size=1,
        optimizer="adam",
        learning_rate=1.0,
        noise=None,
        seed=0,
        stopped="The loss became NaN.",
        seconds=1.0,
        loss_floor=None,
        history={"loss": ()},
        versions={},
        diverged=True,
    )


def test_main_exits_with_the_code(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["truecopy", "explain", "nonsense-name"])

    with pytest.raises(SystemExit) as stopped:
        cli.main()

    assert stopped.value.code == 2
    capsys.readouterr()


def test_a_folder_of_images_of_different_sizes_needs_size(capsys, tmp_path):
    from PIL import Image

    for number, side in enumerate((8, 8, 10)):
        picture = np.full((side, side), 20 * number, np.uint8)
        Image.fromarray(picture).save(tmp_path / f"{number}.png")

    refused, _, err = run(capsys, "profile", tmp_path, "--quiet")
    code, out, _ = run(capsys, "profile", tmp_path, "--size", "9x8", "--json")
    wrong, _, usage = run(capsys, "profile", tmp_path, "--size", "9", "--quiet")

    assert refused == 2
    assert "2.png" in err
    assert "--size" in err
    assert code == 0
    assert json.loads(out)["data"]["shape"] == [9, 8, 1]
    assert wrong == 2
    assert usage == (
        "truecopy: The '--size' argument of truecopy must be HEIGHTxWIDTH such as 64x48. Got '9'.\n"
    )


def test_fit_learns_from_a_table_in_csv_and_gives_it_back_in_its_units(capsys, tmp_path):
    generator = np.random.default_rng(0)
    hidden = generator.normal(size=(400, 2))
    table = 1000 + 50 * hidden @ generator.normal(size=(2, 5))
    np.savetxt(tmp_path / "t.csv", table, delimiter=",", header="a,b,c,d,e", comments="")

    code, out, _ = run(
        capsys,
        "fit",
        tmp_path / "t.csv",
        "--latent",
        2,
        "--epochs",
        60,
        "--out",
        tmp_path / "run",
        "--json",
    )
    card = json.loads(out)["scorecard"]
    run(capsys, "reconstruct", tmp_path / "run", tmp_path / "t.csv", "--out", tmp_path / "c.csv")
    header, *_ = (tmp_path / "c.csv").read_text().splitlines()
    copy = np.loadtxt(tmp_path / "c.csv", delimiter=",", skiprows=1)

    assert code == 0
    assert card["scores"]["mse"]["skill"] > 0.8
    assert header == "a,b,c,d,e"
    assert ((copy - table) ** 2).mean() < 0.2 * table.var(axis=0).mean()


@pytest.mark.parametrize("out", [".", "blobs.npy/run"])
def test_a_run_folder_that_cannot_be_made_is_refused_before_training(
    capsys, folder, out, monkeypatch
):
    monkeypatch.chdir(folder)
    monkeypatch.setattr("truecopy.models.fitting.train", None)  # not reached

    code, _, err = run(capsys, "fit", "blobs.npy", "--out", out, "--quiet")

    assert code == 2
    assert "exists already" in err or "is not a folder that can be written" in err


@pytest.mark.parametrize("out", ["card.pdf", "no/such/folder/card.html"])
def test_a_scorecard_that_cannot_be_saved_is_refused_before_scoring(
    capsys, folder, out, monkeypatch
):
    monkeypatch.chdir(folder)

    code, out_text, err = run(capsys, "evaluate", "no-such-run", "blobs.npy", "--out", out)

    assert (code, out_text) == (2, "")
    assert "a name ending in" in err or "folder must exist" in err


def test_results_are_told_as_json(capsys, folder, tmp_path):
    out = tmp_path / "codes.npy"

    code, text, _ = run(
        capsys, "encode", folder / "run", folder / "blobs.npy", "--out", out, "--json"
    )

    columns = [f"latent_{number}" for number in range(4)]
    assert code == 0
    assert json.loads(text) == {"out": str(out), "rows": 300, "columns": columns}


def test_a_profile_of_data_that_are_not_finite_is_json_without_a_plan(capsys, tmp_path):
    rows = np.ones((9, 2))
    rows[7, 1] = np.nan
    np.save(tmp_path / "rows.npy", rows)

    code, out, err = run(capsys, "profile", tmp_path / "rows.npy", "--json")

    document = json.loads(out)
    assert code == 2
    assert document["plan"] is None
    assert document["data"]["non_finite"]["places"] == [[7, 1]]
    assert "row 7 feature 1" in err


def test_scored_rows_are_numbered_as_in_the_data(blobs):
    from truecopy.data.sources import open_source
    from truecopy.run import _score_held_out

    model = truecopy.Autoencoder(model="dense", epochs=1, quiet=True).fit(blobs)
    card = _score_held_out(open_source(blobs), model)

    for example in card.examples.rows:
        np.testing.assert_allclose(example.original * 255, blobs[example.row], atol=1e-3)


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("bogus", "KERAS_BACKEND is 'bogus'; it must be one of jax, tensorflow, torch."),
        ("torch", "KERAS_BACKEND is 'torch', which is not installed. Install it, or unset it."),
    ],
)
def test_a_backend_that_is_not_there_is_one_clear_line(backend, message, monkeypatch):
    from truecopy import backend as policy

    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setattr(policy, "find_spec", lambda _: None)

    assert policy.explain_missing_backend() == message
