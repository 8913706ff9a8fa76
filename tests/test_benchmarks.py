"""What the benchmarks make of their measurements; nothing is timed here."""

import json
import math
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import page
from benchmarks.measure import Program, Run, run_program
from benchmarks.results import Results
from benchmarks.rounds import take_medians, take_turns


def run_of(failure="", wall=10.0, **figures):
    return Run(wall=wall, cpu=12.0, peak=300.0, others=0.0, figures=figures, failure=failure)


def fill(folder, part, runs):
    results = Results(folder, part)
    for name, several in runs.items():
        for run in several:
            results.add(
                Program(name=name, call="x:y", settings={"target": 3.0}, note="a note"), run
            )


def row_of(text, name):
    return next(line for line in text.splitlines() if line.startswith(f"| {name} |"))


def test_programs_take_turns():
    a, b, c = (Program(name=name, call="x:y") for name in "ABC")

    turns = list(take_turns([a, b, c], 2))

    assert "".join(program.name for _, program in turns) == "ABCABC"
    assert [number for number, _ in turns] == [0, 0, 0, 1, 1, 1]


def test_a_median_is_of_the_runs_that_did_not_fail():
    runs = [run_of(seconds=s).to_dict() for s in (5.0, 1.0, 3.0)]
    runs.append(run_of("out of memory", wall=999.0).to_dict())

    assert take_medians(runs)["seconds"] == 3.0
    assert take_medians(runs)["wall"] == 10.0


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [([7.0, None, 9.0], 9.0), ([7.0, None, None], math.inf), ([7.0, None], math.inf)],
)
def test_a_target_that_was_not_reached_is_later_than_any_other(seconds, expected):
    assert take_medians([run_of(seconds=s).to_dict() for s in seconds])["seconds"] == expected


def test_curves_have_no_median():
    assert "curve" not in take_medians([run_of(curve=[[1.0, 0.5]]).to_dict()])


def test_results_are_on_disk_after_every_run(tmp_path):
    results = Results(tmp_path, "dense")

    results.add(Program(name="A", call="x:y"), run_of(seconds=1.0))

    stored = json.loads((tmp_path / "dense.json").read_text(encoding="utf-8"))
    assert stored["programs"]["A"]["runs"][0]["figures"] == {"seconds": 1.0}
    assert [path.name for path in tmp_path.iterdir()] == ["dense.json"]


def test_new_runs_replace_the_programs_older_ones_and_keep_the_others(tmp_path):
    fill(tmp_path, "dense", {"A": [run_of(seconds=1.0)] * 3, "B": [run_of(seconds=2.0)]})

    fill(tmp_path, "dense", {"A": [run_of(seconds=5.0)] * 2})

    programs = Results(tmp_path, "dense").programs
    assert [run["figures"]["seconds"] for run in programs["A"]["runs"]] == [5.0, 5.0]
    assert [run["figures"]["seconds"] for run in programs["B"]["runs"]] == [2.0]


def test_the_page_has_medians_ratios_and_failures(tmp_path):
    def speed(images):
        return run_of(images_per_second=images, images_per_cpu_second=images / 2, warm_up=1.25)

    runs = {
        "truecopy": [speed(30_000.0), speed(10_000.0), speed(20_000.0)],
        "Keras/JAX": [speed(8_000.0)],
        "half": [speed(5_000.0), run_of("it broke")],
        "none": [run_of("no compiler")],
    }
    fill(tmp_path / "benchmarks", "dense", runs)

    text = page.write_page(tmp_path / "benchmarks").read_text(encoding="utf-8")

    assert row_of(text, "truecopy") == "| truecopy | 20,000 | 10,000 | 1.00 | 1.25 | 300 | 3 |"
    assert row_of(text, "Keras/JAX") == "| Keras/JAX | 8,000 | 4,000 | 2.50 | 1.25 | 300 | 1 |"
    assert row_of(text, "half").endswith("| 1 of 2 |")
    assert row_of(text, "none") == "| none | failed |  |  |  |  | 0 of 1 |"
    assert "- none: a note; failed: no compiler." in text
    assert "Not a quiet machine" not in text
    assert "](benchmarks/dense.svg)" in text
    assert (tmp_path / "benchmarks" / "dense.svg").exists()


def test_the_page_says_what_was_not_reached_and_draws_curves_and_growth(tmp_path):
    folder = tmp_path / "benchmarks"
    curve = [[10.0, 9.0], [20.0, 4.0]]
    slow = run_of(seconds=None, best=4.0, epochs=2, curve=curve)
    fill(folder, "quality", {"copy: Keras/JAX": [slow]})
    grown = {
        f"rows {rows} {verb} dense": [run_of(seconds=rows / 1_000, cpu_seconds=1.0)]
        for rows in (1_000, 10_000)
        for verb in ("fit", "evaluate")
    }
    fill(folder, "growth", grown)

    text = page.write_page(folder).read_text(encoding="utf-8")

    expected = "| copy: Keras/JAX | not reached | 4.00 | 2.00 | 10.0 | 12.0 | 300 | 1 |"
    assert row_of(text, "copy: Keras/JAX") == expected
    assert row_of(text, "rows 10000 fit dense").startswith("| rows 10000 fit dense | 10.0 | 1.00 |")
    assert {path.name for path in folder.glob("*.svg")} == {"quality.svg", "growth.svg"}


def test_equal_results_give_equal_files(tmp_path):
    grown = {f"rows {n} fit dense": [run_of(seconds=1.0, cpu_seconds=1.0)] for n in (10, 100)}
    fill(tmp_path, "growth", grown)
    made = []
    for _ in range(2):
        page.write_page(tmp_path)
        made.append((tmp_path / "growth.svg").read_bytes())

    assert made[0] == made[1]


def test_a_process_of_others_is_reported(tmp_path):
    busy = Run(wall=1.0, cpu=1.0, peak=1.0, others=1.5, figures={"seconds": 1.0})
    fill(tmp_path, "startup", {"A": [busy]})

    text = page.write_page(tmp_path).read_text(encoding="utf-8")

    assert "other processes kept up to 1.5 cores busy" in text


def test_a_program_runs_in_a_process_of_its_own():
    program = Program(name="x", call="starting:start", settings={"arguments": ["-c", "pass"]})

    run = run_program(program, seed=0)

    assert run.failure == ""
    assert 0 < run.figures["seconds"] < run.wall
    assert run.cpu > 0
    assert run.peak > 1


def test_a_program_that_breaks_says_why_and_the_next_one_runs(tmp_path, monkeypatch, capsys):
    def offer(*, quick, scratch):
        assert quick
        assert scratch.is_dir()
        good = Program(name="good", call="starting:start", settings={"arguments": ["-c", "pass"]})
        return [Program(name="bad", call="starting:nonsense"), good]

    monkeypatch.setattr("benchmarks.parts.startup.programs", offer)
    monkeypatch.setattr(sys, "argv", ["x", "startup", "--quick", "--results", str(tmp_path)])

    assert command.main() == 1

    programs = Results(tmp_path, "startup").programs
    assert "has no attribute 'nonsense'" in programs["bad"]["runs"][0]["failure"]
    assert programs["good"]["runs"][0]["failure"] == ""
    assert "FAILED" in capsys.readouterr().err


def test_an_interruption_loses_one_run(tmp_path, monkeypatch, capsys):
    def run(_program, *, seed):
        if seed == 1:
            raise KeyboardInterrupt
        return run_of(seconds=1.0)

    monkeypatch.setattr(command, "run_program", run)
    told = ["dense", "--repeats", "2", "--only", "truecopy", "--results", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["x", *told])

    assert command.main() == 130

    assert len(Results(tmp_path, "dense").programs["truecopy"]["runs"]) == 1
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("part", command.PARTS)
def test_every_part_offers_programs_that_exist(part, tmp_path):
    from importlib import import_module

    for quick in (True, False):
        offered = import_module(f"benchmarks.parts.{part}").programs(quick=quick, scratch=tmp_path)
        names = [program.name for program in offered]

        assert len(set(names)) == len(names) > 1
        for program in offered:
            module, _, function = program.call.partition(":")
            assert callable(getattr(import_module(f"benchmarks.programs.{module}"), function))


@pytest.mark.parametrize("path", sorted(Path(page.__file__).parent.rglob("*.py")), ids=str)
def test_files_stay_under_400_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < 400
