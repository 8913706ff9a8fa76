"""Draws the pictures of a report as PNG bytes: rows, errors, training curves.

Only matplotlib's object interface is used, never pyplot: a report must not change the
caller's figures or settings, and the same facts must give the same bytes. No name or other
foreign string is ever drawn: matplotlib would read a `$x$` in it as a formula. Charts come in
a light and a dark version because a picture can't follow the page's colours.
"""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from truecopy.facts import Example, Examples, RunFacts
from truecopy.reports.wording import describe_run, format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Values = NDArray[np.floating[Any]]

ERROR_COLOURS = "cividis"  # made for colour-blind readers; brightness grows with the error
CHART_SIZE = (5.4, 3.2)  # inches, at 100 pixels each
LINES_SIZE = (6.4, 1.8)
_SCALE = 2  # for screens with two pixels to the point
_MAX_POINTS = 1500  # a chart is 640 points wide: more values only make the picture larger
_LINES_BYTES = 40_000  # what one row drawn as lines takes, light and dark
_SQUASHED = 4  # later epochs that use less than a quarter of the height show too little
_MAX_MARKED = 40  # so few values that each is worth a dot


@dataclass(frozen=True)
class Ink:
    """The colours of a chart; Okabe and Ito's, which colour-blind readers can tell apart."""

    text: str
    faint: str
    first: str
    second: str
    third: str


LIGHT = Ink(text="#3d4650", faint="#d5dae0", first="#0072b2", second="#d55e00", third="#00795a")
DARK = Ink(text="#b4bdc7", faint="#363e47", first="#56b4e9", second="#e69f00", third="#2bc49a")


@dataclass(frozen=True)
class Picture:
    """A PNG, its version for dark pages where it has one, and what it shows in words."""

    label: str
    alt: str
    light: bytes
    dark: bytes | None = None


@dataclass(frozen=True)
class Curves:
    """The losses of a training that someone else ran: no weights of it were kept.

    `history` is that of Keras, one value for each `unit`; `loss_floor` the loss of a perfect copy.
    """

    history: Mapping[str, Sequence[float]]
    unit: str
    loss_floor: float | None
    best_epoch: None = None


@dataclass(frozen=True)
class Row:
    """An example with its pictures: four of an image, one of any other row."""

    example: Example
    pictures: tuple[Picture, ...]


def show_curves(run: RunFacts) -> Picture | None:
    """Show the losses of a training, or None when no finite loss was logged."""
    light, dark = draw_curves(run, LIGHT), draw_curves(run, DARK)
    if light is None:
        return None
    words = "; ".join(f"{label}: {text}" for label, text in describe_run(run))
    return Picture("loss by epoch", f"Loss by epoch. {words}", light, dark)


def show_rows(
    examples: Examples, bounds: tuple[float, float] | None, *, budget: int
) -> tuple[tuple[Row, ...], float]:
    """Show the examples, and return the error that is drawn brightest in all of them.

    Args:
        examples: the rows.
        bounds: the values drawn darkest and brightest; None: those of the originals. Lines
            span what is shown.
        budget: about how many bytes all pictures together may take.
    """
    errors = [measure_error(e.original, e.reconstruction) for e in examples.rows]
    top = max(map(find_top, errors))
    if not is_image(examples.rows[0].original.shape):
        rows = _choose_rows(examples.rows, budget // _LINES_BYTES)
        # On scales of their own, the best row's errors would look as large as the worst one's.
        arrays = [a for e in rows for a in (e.original, e.noisy, e.reconstruction) if a is not None]
        span = find_bounds(arrays)
        return tuple(_show_lines(e, span) for e in rows), top
    bounds = bounds or find_bounds([e.original for e in examples.rows])
    side = _fit_side(budget // (4 * len(examples.rows)))
    return tuple(Row(e, _show_image(e, bounds, top, side)) for e in examples.rows), top


def _choose_rows(rows: Sequence[Example], count: int) -> Sequence[Example]:
    if count >= len(rows):
        return rows
    # Best, median and worst stand in this order: even steps keep some of each.
    return [rows[round(i)] for i in np.linspace(0, len(rows) - 1, max(3, count))]


def _show_lines(example: Example, bounds: tuple[float, float]) -> Row:
    alt = f"Row {example.row}: the original as a line, its reconstruction over it"
    arrays = (example.original, example.noisy, example.reconstruction)
    light, dark = (draw_lines(*arrays, bounds, ink) for ink in (LIGHT, DARK))
    return Row(example, (Picture("lines", alt, light, dark),))


def _show_image(
    example: Example, bounds: tuple[float, float], top: float, side: int
) -> tuple[Picture, ...]:
    arrays = {
        "original": example.original,
        "noisy": example.noisy,
        "copy": example.reconstruction,
    }
    words = {"noisy": "noisy input", "copy": "reconstruction"}
    pictures = [
        Picture(
            label,
            f"Row {example.row}: {words.get(label, label)}",
            draw_image(array, bounds, side=side),
        )
        for label, array in arrays.items()
        if array is not None
    ]
    error = measure_error(example.original, example.reconstruction)
    drawn = draw_image(error, (0, top), side=side, colours=ERROR_COLOURS)
    alt = f"Row {example.row}: error, at most {format_number(find_top(error))}"
    return (*pictures, Picture("error", alt, drawn))


def show_mean_error(examples: Examples, *, budget: int) -> tuple[Picture, float]:
    """Show where the copies err on average, and return the error drawn brightest."""
    error = measure_error(np.zeros_like(examples.mean_error), examples.mean_error)
    top = find_top(error)
    alt = f"Mean error of each feature over all rows, at most {format_number(top)}"
    if is_image(error.shape):
        drawn = draw_image(error, (0, top), side=_fit_side(budget), colours=ERROR_COLOURS)
        return Picture("mean error", alt, drawn), top
    light, dark = draw_profile(error, LIGHT), draw_profile(error, DARK)
    return Picture("mean error", alt, light, dark), top


def _fit_side(budget: int) -> int:
    # Noise in colour takes three bytes a pixel, and a third more as text in the page.
    return int(min(160, max(28, math.sqrt(budget / 4))))


def find_top(errors: Values) -> float:
    """Find the largest finite error, 0 where there is none."""
    return float(np.max(errors, where=np.isfinite(errors), initial=0.0))


def is_image(shape: Sequence[int]) -> bool:
    """Tell whether a row of `shape` can be shown as a picture, grey or coloured."""
    return len(shape) > 1 and tuple(shape[2:]) in {(), (1,), (3,)}


def find_bounds(arrays: Sequence[Values]) -> tuple[float, float]:
    """Find the smallest and largest finite value of all `arrays`."""
    finite = [array[np.isfinite(array)] for array in arrays]
    low = min((float(part.min()) for part in finite if part.size), default=0.0)
    high = max((float(part.max()) for part in finite if part.size), default=1.0)
    return (low, high) if high > low else (low, low + 1.0)


def measure_error(original: Values, reconstruction: Values) -> Values:
    """Measure the absolute error of each value, averaged over the colours of a pixel."""
    error: Values = np.abs(np.subtract(reconstruction, original, dtype=np.float64))
    return error.mean(axis=2) if error.shape[2:] in {(1,), (3,)} else error


def draw_image(
    values: Values, bounds: tuple[float, float], *, side: int, colours: str | None = None
) -> bytes:
    """Draw one row as a picture, a pixel for each value, at most `side` pixels wide and high.

    Args:
        values: shape (H, W), (H, W, 1) or (H, W, 3).
        bounds: the values drawn darkest and brightest; what lies outside is clipped.
        side: a larger picture is averaged down to this.
        colours: a colour map for values that are no colours themselves; None: grey.
    """
    from matplotlib import colormaps
    from PIL import Image

    low, high = bounds
    scaled = np.clip((np.asarray(values, np.float64) - low) / ((high - low) or 1.0), 0, 1)
    pixels = _shrink(np.nan_to_num(scaled), side)
    if pixels.shape[2:] == (1,):
        pixels = pixels[:, :, 0]
    if colours is not None:
        pixels = colormaps[colours](pixels)[:, :, :3]
    file = io.BytesIO()
    Image.fromarray(np.rint(255 * pixels).astype(np.uint8)).save(file, "png", optimize=True)
    return file.getvalue()


def _shrink(pixels: Values, side: int) -> Values:
    factor = max(1.0, max(pixels.shape[:2]) / side)
    for axis, length in enumerate(pixels.shape[:2]):
        starts = np.linspace(0, length, max(1, round(length / factor)), endpoint=False).astype(int)
        sizes = np.diff(np.append(starts, length))
        sums = np.add.reduceat(pixels, starts, axis=axis)
        pixels = np.moveaxis(np.moveaxis(sums, axis, -1) / sizes, -1, axis)
    return pixels


def draw_colours() -> bytes:
    """Draw the colours of the error map from none to most, one pixel high."""
    return draw_image(np.linspace(0, 1, 128)[None], (0, 1), side=128, colours=ERROR_COLOURS)


def draw_curves(run: "RunFacts | Curves", ink: Ink) -> bytes | None:
    """Draw the losses of a training with the loss of a perfect copy as the floor.

    Returns None when there is no finite loss to draw.
    """
    from matplotlib.ticker import MaxNLocator

    losses = [("loss", "training", ink.first), ("val_loss", "validation", ink.second)]
    curves = [np.asarray(run.history[key]) for key, *_ in losses if key in run.history]
    if not any(np.isfinite(curve).any() for curve in curves):
        return None
    figure, axes = start_chart(CHART_SIZE, ink)
    # The two curves often coincide: the thin one lies on the thick one.
    for (key, label, colour), width in zip(losses, (3.0, 1.4), strict=True):
        curve = run.history.get(key, ())
        if curve:
            marker = "." if len(curve) <= _MAX_MARKED else None
            epochs = range(1, len(curve) + 1)
            axes.plot(epochs, curve, color=colour, label=label, marker=marker, lw=width)
    if run.best_epoch is not None:
        text = f"best epoch: {run.best_epoch}"
        axes.axvline(run.best_epoch, color=ink.text, lw=1.2, ls=":", label=text)
    floor = run.loss_floor
    if floor is not None:
        text = f"a perfect copy: {format_number(floor)}"
        axes.axhline(floor, color=ink.third, lw=1.8, ls=(0, (5, 2)), label=text)
    axes.set_ylim(*_choose_limits(curves, floor))
    axes.set_xlim(0.5, max(curve.size for curve in curves) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.set_xlabel(run.unit if isinstance(run, Curves) else "epoch", color=ink.text)
    axes.set_ylabel("loss", color=ink.text)
    add_legend(axes, ink, columns=2)
    return finish_chart(figure)


def add_legend(axes: "Axes", ink: Ink, *, columns: int) -> None:
    """Name the lines above the axes, where they hide nothing."""
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=columns,
        frameon=False,
        labelcolor=ink.text,
        fontsize=9.5,
        borderaxespad=0.1,
    )


def _choose_limits(curves: Sequence[Values], floor: float | None) -> tuple[float, float]:
    known = [*curves, np.asarray([] if floor is None else [floor])]
    low, high = find_bounds(known)
    later = find_bounds([*(curve[1:] for curve in curves if curve.size > 1), known[-1]])[1]
    # One bad first epoch would otherwise squash all that the others have to show.
    if high - low > _SQUASHED * (later - low) > 0:
        high = later + (later - low)
    margin = 0.06 * (high - low)
    return low - margin, high + margin


def draw_lines(
    original: Values,
    noisy: Values | None,
    copy: Values,
    bounds: tuple[float, float],
    ink: Ink,
    *,
    names: tuple[str, str, str] = ("original", "noisy input", "reconstruction"),
) -> bytes:
    """Draw a row that isn't an image: the original as a line, its copy over it.

    `names` are those of the three lines.
    """
    low, high = bounds
    margin = 0.05 * (high - low)
    figure, axes = start_chart(LINES_SIZE, ink)
    if noisy is not None:
        _plot(axes, noisy, color=ink.faint, lw=1.2, label=names[1])
    _plot(axes, original, color=ink.first, lw=2.2, label=names[0])
    _plot(axes, copy, color=ink.second, lw=1.2, label=names[2])
    axes.set_ylim(low - margin, high + margin)
    axes.margins(x=0.01)
    add_legend(axes, ink, columns=3)
    return finish_chart(figure)


def draw_profile(errors: Values, ink: Ink) -> bytes:
    """Draw the mean error of each feature of rows that aren't images."""
    figure, axes = start_chart(LINES_SIZE, ink)
    _plot(axes, errors, color=ink.first, lw=1.4)
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    axes.set_xlabel("feature", color=ink.text)
    axes.set_ylabel("mean error", color=ink.text)
    return finish_chart(figure)


def _plot(axes: "Axes", values: Values, **style: Any) -> None:
    flat = np.asarray(values, np.float64).ravel()
    places = np.arange(flat.size)
    if flat.size > _MAX_POINTS:
        # The least and the greatest of each stretch keep every spike visible.
        half = math.ceil(flat.size / (_MAX_POINTS // 2))
        padded = np.pad(flat, (0, -flat.size % half), mode="edge").reshape(-1, half)
        flat = np.stack([padded.min(axis=1), padded.max(axis=1)], axis=1).ravel()
        places = np.repeat(np.arange(len(padded)) * half, 2)
    axes.plot(places, flat, marker="." if flat.size <= _MAX_MARKED else None, **style)


def start_chart(size: tuple[float, float], ink: Ink) -> tuple["Figure", "Axes"]:
    """Start a chart with one pair of axes in the colours of `ink`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=100 * _SCALE, facecolor="none", layout="constrained")
    axes = figure.add_subplot(facecolor="none")
    axes.grid(visible=True, axis="y", color=ink.faint, lw=0.7)
    axes.tick_params(colors=ink.text, labelsize=9.5, length=3)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(ink.faint)
    return figure, axes


def finish_chart(figure: "Figure") -> bytes:
    """Draw a chart as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    # A chart has few colours: naming them makes the picture a quarter as large.
    chart = Image.fromarray(np.asarray(canvas.buffer_rgba()))
    file = io.BytesIO()
    few = chart.quantize(64, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(file, "png", optimize=True)
    return file.getvalue()
