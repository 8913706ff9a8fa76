"""docs/benchmarks.md from the results: tables of medians, how they were measured, plots."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benchmarks.rounds import take_medians
from benchmarks.texts import ABOUT, HEAD, MEANING, NONE_YET, TITLES

# Above this many cores of other work, figures are not those of a quiet machine.
_QUIET: Final = 0.2

Programs = dict[str, dict[str, Any]]
Column = tuple[str, Callable[[dict[str, float]], str]]


def write_page(folder: Path) -> Path:
    """Write the page beside `folder`, and its plots into it; return the page's path."""
    from benchmarks.plots import draw

    parts = {part: _read(folder / f"{part}.json") for part in TITLES}
    parts = {part: programs for part, programs in parts.items() if programs}
    plots = {part: draw(part, programs, folder) for part, programs in parts.items()}
    page = folder.with_suffix(".md")
    page.write_text(render(parts, {k: f"{folder.name}/{v.name}" for k, v in plots.items() if v}))
    return page


def render(parts: dict[str, Programs], plots: dict[str, str]) -> str:
    """Return the page's text for the results of each part, and the files of their plots."""
    blocks = [HEAD, *([] if parts else [NONE_YET])]
    for part, programs in parts.items():
        blocks += [f"## {TITLES[part]}", f"`python -m benchmarks {part}`", ABOUT[part]]
        blocks += [_describe_quiet(programs), _table(part, programs)]
        if part in plots:
            blocks.append(f"![{TITLES[part]}]({plots[part]})")
        blocks += [MEANING[part]] if MEANING.get(part) else []
        blocks += [_notes(programs), _conditions(programs)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _read(path: Path) -> Programs:
    programs: Programs = {}
    if path.exists():
        programs = json.loads(path.read_text(encoding="utf-8"))["programs"]
    return programs


def _table(part: str, programs: Programs) -> str:
    """Return the medians of a part as a Markdown table; failures say why."""
    columns = _COLUMNS[part]
    lines = ["| program | " + " | ".join(name for name, _ in columns) + " | runs |"]
    lines.append("|---" + "|---:" * (len(columns) + 1) + "|")
    medians = {name: take_medians(program["runs"]) for name, program in programs.items()}
    first = medians.get("truecopy", {})
    for name, figures in medians.items():
        runs = programs[name]["runs"]
        good = sum(not run["failure"] for run in runs)
        if good:
            told = {**figures, "_ours": first.get("images_per_second", math.nan)}
            cells = [write(told) for _, write in columns]
        else:
            cells = ["failed", *[""] * (len(columns) - 1)]
        count = str(good) if good == len(runs) else f"{good} of {len(runs)}"
        lines.append(f"| {name} | {' | '.join(cells)} | {count} |")
    return "\n".join(lines)


def _number(name: str) -> Callable[[dict[str, float]], str]:
    """Return what writes a figure with three digits that mean something."""

    def write(figures: dict[str, float]) -> str:
        value = figures.get(name, math.nan)
        if math.isnan(value):
            return ""
        if math.isinf(value):
            return "not reached"
        digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
        rounded = round(value, 2 - math.floor(math.log10(abs(value)))) if value else 0
        return f"{rounded:,.{digits}f}"

    return write


def _ratio(figures: dict[str, float]) -> str:
    """Return how many times as fast as this program truecopy is."""
    ours, its = figures["_ours"], figures.get("images_per_second", math.nan)
    return "" if math.isnan(ours / its) else f"{ours / its:.2f}"


_PROCESS: Final[list[Column]] = [
    ("wall s, whole process", _number("wall")),
    ("CPU s", _number("cpu")),
    ("peak MiB", _number("peak")),
]
_THROUGHPUT: Final[list[Column]] = [
    ("images per second", _number("images_per_second")),
    ("images per CPU second", _number("images_per_cpu_second")),
    ("truecopy is faster by", _ratio),
    ("warm-up s", _number("warm_up")),
    ("peak MiB", _number("peak")),
]
_TIMED: Final[list[Column]] = [
    ("s", _number("seconds")),
    ("CPU s", _number("cpu_seconds")),
    ("peak MiB", _number("peak")),
]
_COLUMNS: Final[dict[str, list[Column]]] = {
    "dense": _THROUGHPUT,
    "conv": _THROUGHPUT,
    "quality": [
        ("s to the figure", _number("seconds")),
        ("best figure", _number("best")),
        ("epochs", _number("epochs")),
        *_PROCESS,
    ],
    "scoring": [*_TIMED, ("warm-up s", _number("warm_up"))],
    "growth": _TIMED,
    "startup": [("s", _number("seconds")), ("peak MiB", _number("peak"))],
}


def _describe_quiet(programs: Programs) -> str:
    """Return a warning where other processes took part of the machine."""
    busiest = max(
        (take_medians(program["runs"]).get("others", 0.0) for program in programs.values()),
        default=0.0,
    )
    if busiest <= _QUIET:
        return ""
    return (
        f"**Not a quiet machine**: other processes kept up to {busiest:.1f} cores busy (median of "
        "a program's runs). Wall times are longer than they should be."
    )


def _notes(programs: Programs) -> str:
    """Return what must be known of single programs, and why some failed."""
    lines = []
    for name, program in programs.items():
        failures = [run["failure"] for run in program["runs"] if run["failure"]]
        said = [program["note"], *([f"failed: {failures[0]}"] if failures else [])]
        if any(said):
            lines.append(f"- {name}: {'; '.join(filter(None, said))}.")
    return "\n".join(lines)


def _conditions(programs: Programs) -> str:
    """Return machine, versions and day of each set of programs measured alike."""
    alike: dict[str, list[str]] = {}
    for name, program in programs.items():
        machine = program["machine"]
        versions = ", ".join(f"{k} {v}" for k, v in program["versions"].items())
        told = (
            f"{machine['cores']} cores of {machine['processor']}, {machine['memory']} GiB, "
            f"{machine['system']}, Python {machine['python']}, {versions}; {program['measured']}"
        )
        alike.setdefault(told, []).append(name)
    if len(alike) == 1:
        return f"Measured on {next(iter(alike))}."
    return "\n".join(f"- {', '.join(names)}: measured on {told}." for told, names in alike.items())
