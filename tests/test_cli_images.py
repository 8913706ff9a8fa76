"""Folders of images on the command line: bad files are named, or skipped and counted."""

import json

import numpy as np
import pytest
from PIL import Image

from truecopy.cli import execute


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Forty pictures of bright spots and a broken file; a run trained on them for an epoch."""
    path = tmp_path_factory.mktemp("parts")
    (path / "images").mkdir()
    generator = np.random.default_rng(0)
    grid = np.mgrid[0:8, 0:8]
    for number, centre in enumerate(generator.uniform(1, 7, (40, 2, 1, 1))):
        spot = 255 * np.exp(-((grid - centre) ** 2).sum(axis=0) / 3)
        Image.fromarray(spot.astype(np.uint8)).save(path / "images" / f"{number:02d}.png")
    (path / "images" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    told = ["--on-bad", "skip", "--epochs", "1", "--model", "dense", "--out", str(path / "run")]
    assert execute(["fit", str(path / "images"), *told, "--quiet"]) == 0
    return path


def test_bad_files_are_named_with_what_to_do(folder, capsys):
    code = execute(["profile", str(folder / "images"), "--quiet"])

    assert code == 2
    err = capsys.readouterr().err
    assert "1 of 41 files can't be taken" in err
    assert "--on-bad skip" in err


def test_skipped_files_are_counted_in_the_scorecard_and_the_report(folder):
    card = json.loads((folder / "run" / "scorecard.json").read_text())

    note = "1 files of the folder were skipped: they can't be taken."
    assert note in card["notes"]
    assert note in (folder / "run" / "report.html").read_text().replace("&#39;", "'")


def test_scores_say_which_files_have_none(folder, capsys, tmp_path):
    told = ["--on-bad", "skip", "--out", str(tmp_path / "scores.npy"), "--json"]

    code = execute(["score", str(folder / "run"), str(folder / "images"), *told])

    captured = capsys.readouterr()
    assert code == 0
    (verdict,) = json.loads(captured.out)["skipped"]
    assert "broken.png' is" in verdict
    assert "They are skipped." in captured.err
    assert np.load(tmp_path / "scores.npy").shape == (40,)
