"""`python -m benchmarks PART ...` measures; `python -m benchmarks report` writes the page.

Every measured program is a process of its own; they take turns, A B C A B C. After each run the
results so far are on disk, so an interruption loses one run. The machine should do nothing else:
what other processes take of it is measured and reported, too.
"""

import argparse
import sys
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
    offered = import_module(f"benchmarks.parts.{part}").programs(quick=options.quick)
    chosen = [program for program in offered if options.only in program.name]
    programs = [program for program in chosen if not program.missing]
    for program in chosen:
        if program.missing:
            console.print(f"{program.name} is left out: {', '.join(program.missing)} not installed")
    if not programs:
        console.print(f"{part} has: {', '.join(program.name for program in offered)}")
        return 1
    results, failures = Results(folder, part), 0
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        task = progress.add_task(part, total=options.repeats * len(programs))
        for number, program in take_turns(programs, options.repeats):
            progress.update(
                task, description=f"{part} {number + 1}/{options.repeats} {program.name}"
            )
            run = run_program(program, seed=number)
            results.add(program, run)
            failures += bool(run.failure)
            progress.console.print(_line(program, run.to_dict()), highlight=False, soft_wrap=True)
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
