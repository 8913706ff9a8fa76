"""`python -m benchmarks PART ...` measures; `python -m benchmarks report` writes the page.

Every measured program is a process of its own; they take turns, A B C A B C. After each run the
results so far are on disk, so an interruption loses one run. The machine should do nothing else:
what other processes take of it is measured and reported, too.
"""

import argparse
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.measure import ROOT, Program, run_program
from benchmarks.results import Results
from benchmarks.rounds import take_medians, take_turns

PARTS = ("dense", "conv", "quality", "scoring", "growth", "startup")
_INTERRUPTED = 130


def main() -> int:
    """Measure the parts named, or write the page; the exit code is 1 where a program failed."""
    options = _parse()
    folder = options.results or ROOT / ("build" if options.quick else "docs") / "benchmarks"
    console = Console(stderr=True)
    failures = 0
    try:
        for part in options.parts:
            if part == "report":
                console.print(f"wrote {_write_report(folder)}")
            else:
                failures += _measure(part, folder, options, console)
    except KeyboardInterrupt:
        console.print(f"interrupted; what was measured until now is in {folder}")
        return _INTERRUPTED
    return int(failures > 0)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="+", choices=[*PARTS, "report"], metavar="PART")
    parser.add_argument("--repeats", type=int, default=0, help="rounds (default 5; quick 1)")
    parser.add_argument("--quick", action="store_true", help="a few steps: does everything work?")
    parser.add_argument("--only", default="", metavar="PEER", help="a part of the program's name")
    parser.add_argument(
        "--results",
        type=Path,
        default=None,
        metavar="FOLDER",
        help="where results are kept (default docs/benchmarks; quick: build/benchmarks); "
        "the page is written beside it",
    )
    options = parser.parse_args()
    if options.repeats < 0:
        parser.error("--repeats must be a whole number from 1 up")
    options.repeats = options.repeats or (1 if options.quick else 5)
    return options


def _measure(part: str, folder: Path, options: argparse.Namespace, console: Console) -> int:
    """Measure a part's programs in turns; return how many runs failed."""
    with tempfile.TemporaryDirectory(prefix=f"benchmarks-{part}-") as scratch:
        module = import_module(f"benchmarks.parts.{part}")
        offered = module.programs(quick=options.quick, scratch=Path(scratch))
        programs = _choose(offered, options.only, console)
        if not programs:
            names = (program.name for program in offered if not program.makes)
            console.print(f"{part} has: {', '.join(names)}")
            return 1
        read = {str(value) for program in programs for value in program.settings.values()} - {""}
        before = [(0, program) for program in offered if program.makes in read]
        turns = [*before, *take_turns(programs, options.repeats)]
        return _run(turns, Results(folder, part), console)


def _choose(offered: list[Program], only: str, console: Console) -> list[Program]:
    """Return the programs asked for that are installed."""
    asked = [program for program in offered if only in program.name and not program.makes]
    for program in asked:
        if program.missing:
            console.print(f"{program.name} is left out: {', '.join(program.missing)} not installed")
    return [program for program in asked if not program.missing]


def _run(turns: list[tuple[int, Program]], results: Results, console: Console) -> int:
    """Run programs one after the other, store each run, and return how many failed."""
    failures = 0
    columns = (TextColumn("{task.description}"), BarColumn())
    with Progress(*columns, MofNCompleteColumn(), TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("", total=len(turns))
        for number, program in turns:
            described = f"{results.path.stem}, round {number + 1}: {program.name}"
            progress.update(task, description=described)
            run = run_program(program, seed=number)
            if not program.makes:
                results.add(program, run)
            failures += bool(run.failure)
            line = _line(program, run.to_dict())
            progress.console.print(line, highlight=False, soft_wrap=True)
            progress.advance(task)
    return failures


def _line(program: Program, run: dict[str, object]) -> str:
    """Return one run in words."""
    if run["failure"]:
        return f"{program.name:28} FAILED: {run['failure']}"
    told = (f"{name} {value:.4g}" for name, value in take_medians([run]).items())
    return f"{program.name:28} " + ", ".join(told)


def _write_report(folder: Path) -> Path:
    from benchmarks.page import write_page

    return write_page(folder)


if __name__ == "__main__":
    sys.exit(main())
