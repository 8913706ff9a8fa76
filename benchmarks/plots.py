"""The plots of docs/benchmarks.md, as SVG files that are equal for equal results."""

from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.rounds import take_medians

Programs = dict[str, dict[str, Any]]

_AXES: Final = {"rows": "rows", "side": "side of an image, pixels", "latent": "latent"}

_ERRORS: Final = {"denoise": "test MSE", "copy": "squared error of a test image"}


def draw(part: str, programs: Programs, folder: Path) -> Path | None:
    """Draw a part's plot into `folder`; return its file, or None where there is none."""
    good = {
        name: program
        for name, program in programs.items()
        if any(not run["failure"] for run in program["runs"])
    }
    drawing = {"dense": _bars, "conv": _bars, "quality": _curves, "growth": _growth}.get(part)
    if drawing is None or not good:
        return None
    path = folder / f"{part}.svg"
    with mpl.rc_context({"svg.hashsalt": "truecopy", "font.size": 9}):
        drawing(good).savefig(path, metadata={"Date": None}, bbox_inches="tight")
    return path


def _bars(programs: Programs) -> Figure:
    """Images per second, of wall time and of CPU time, fastest on top."""
    medians = {name: take_medians(program["runs"]) for name, program in programs.items()}
    names = sorted(medians, key=lambda name: medians[name]["images_per_second"])
    figure = Figure((7, 0.45 * len(names) + 1))
    axes = figure.subplots()
    places = range(len(names))
    for shift, figure_name, label in (
        (0.2, "images_per_second", "wall"),
        (-0.2, "images_per_cpu_second", "CPU"),
    ):
        values = [medians[name][figure_name] for name in names]
        axes.barh([place + shift for place in places], values, 0.4, label=label)
    axes.set_yticks(list(places), names)
    axes.set_xlabel("images per second")
    axes.legend()
    return figure


def _curves(programs: Programs) -> Figure:
    """Test error over seconds of training, every round a line."""
    figure = Figure((9, 4))
    for axes, task in zip(figure.subplots(1, 2), ("denoise", "copy"), strict=True):
        shown = [name for name in programs if name.startswith(task)]
        for number, name in enumerate(shown):
            for count, run in enumerate(r for r in programs[name]["runs"] if not r["failure"]):
                seconds, values = zip(*run["figures"]["curve"], strict=True)
                label = name.partition(": ")[2] if count == 0 else None
                axes.plot(seconds, values, ".-", color=f"C{number}", lw=1, label=label)
        if shown:
            target = programs[shown[0]]["settings"]["target"]
            axes.axhline(target, color="grey", ls=":", label=f"{target:g}")
            axes.set(xscale="log", yscale="log", xlabel="seconds of training", title=task)
            axes.set_ylabel(_ERRORS[task])
            axes.legend(fontsize=7)
    return figure


def _growth(programs: Programs) -> Figure:
    """Seconds (above) and peak memory (below) over rows, side and latent, log-log."""
    lines: dict[str, dict[str, list[tuple[float, float, float]]]] = {}
    for name, program in programs.items():
        axis, size, *verb = name.split()
        figures = take_medians(program["runs"])
        point = (float(size), figures["seconds"], figures["peak"])
        lines.setdefault(axis, {}).setdefault(" ".join(verb), []).append(point)
    figure = Figure((3.6 * len(lines), 6))
    grid = figure.subplots(2, len(lines), squeeze=False)
    for column, (axis, kinds) in enumerate(lines.items()):
        for label, points in kinds.items():
            sizes, seconds, peaks = zip(*sorted(points), strict=True)
            grid[0, column].loglog(sizes, seconds, "o-", label=label)
            grid[1, column].loglog(sizes, peaks, "o-", label=label)
        grid[0, column].set_ylabel("seconds")
        grid[1, column].set(ylabel="peak memory, MiB", xlabel=_AXES[axis])
        grid[0, column].legend(fontsize=7)
    figure.tight_layout()
    return figure
