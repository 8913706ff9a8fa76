"""Mixed tables on the command line: profile, fit, score and reconstruct a .csv of people."""

import json

import narwhals as nw
import numpy as np
import pytest
from pyarrow import csv

from truecopy.cli import execute


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with people.csv, some heights missing, and a run trained on it for an epoch."""
    path = tmp_path_factory.mktemp("people")
    generator = np.random.default_rng(0)
    lines = ["id,height,city,zip"]
    for number, cause in enumerate(generator.normal(size=80)):
        height = "" if number % 10 == 3 else f"{170 + 10 * cause:.1f}"
        place = "Oslo,100" if cause > 0.4 else "Rome,2000" if cause > -0.4 else "Lima,30"
        lines.append(f"person {number},{height},{place}")
    (path / "people.csv").write_text("\n".join(lines))
    told = ["--ignore", "id", "--categorical", "zip", "--epochs", "1", "--quiet"]
    assert execute(["fit", str(path / "people.csv"), *told, "--out", str(path / "run")]) == 0
    return path


def run(capsys, *arguments):
    code = execute([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_profile_plans_every_column(capsys, folder):
    told = ("--ignore", "id", "--categorical", "zip")

    code, out, _ = run(capsys, "profile", folder / "people.csv", *told, "--json")

    assert code == 0
    columns = {column["name"]: column for column in json.loads(out)["plan"]["columns"]}
    kinds = {name: column["kind"] for name, column in columns.items()}
    assert kinds == {"height": "numeric", "city": "categorical", "zip": "categorical"}
    assert columns["height"]["missing"] == pytest.approx(0.1)


def test_profile_says_what_to_do_with_text(capsys, folder):
    code, _, err = run(capsys, "profile", folder / "people.csv", "--quiet")

    assert code == 2
    assert "The column 'id' is text: 80 different values in 80 rows." in err


def test_the_scorecard_says_how_many_rows_were_complete(folder):
    card = json.loads((folder / "run" / "scorecard.json").read_text())

    assert "validation rows" in card["data"]
    assert card["rows"] <= 8


def test_scores_come_with_each_columns_part(capsys, folder, tmp_path):
    out = tmp_path / "scores.csv"

    code, *_ = run(
        capsys, "score", folder / "run", folder / "people.csv", "--contributions", "--out", out
    )

    assert code == 0
    table = csv.read_csv(out)
    assert table.column_names == ["error", "height", "city", "zip"]
    parts = np.column_stack([table[name].to_numpy() for name in table.column_names[1:]])
    np.testing.assert_allclose(table["error"].to_numpy(), parts.sum(axis=1), rtol=1e-6)
    assert parts[3, 0] == 0  # its height is missing


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_the_copy_is_a_table_like_the_one_given(capsys, folder, tmp_path, ending):
    out = tmp_path / f"copy{ending}"

    code, *_ = run(capsys, "reconstruct", folder / "run", folder / "people.csv", "--out", out)

    assert code == 0
    read = nw.read_csv if ending == ".csv" else nw.read_parquet
    copy = read(str(out), backend="pyarrow")
    assert copy.columns == ["id", "height", "city", "zip"]
    assert copy["id"].to_list()[:2] == ["person 0", "person 1"]
    assert set(copy["zip"].to_list()) <= {100, 2000, 30}
    assert copy["height"].null_count() == 0


def test_a_copy_of_words_is_no_array(capsys, folder, tmp_path):
    out = tmp_path / "copy.npy"

    code, _, err = run(capsys, "reconstruct", folder / "run", folder / "people.csv", "--out", out)

    assert code == 2
    assert "must be a file ending in .csv or .parquet for a table of mixed columns" in err
    assert not out.exists()


def test_a_column_that_is_not_there_is_named(capsys, folder):
    code, _, err = run(capsys, "fit", folder / "people.csv", "--ignore", "ids", "--quiet")

    assert code == 2
    assert "The table has no column 'ids'" in err
    assert "Did you mean 'id'?" in err
