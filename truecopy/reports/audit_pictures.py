"""Lays out what an audit measured as pictures: ranges, losses, the training against its floor.

Everything comes from the plain form of an audit; what was not measured has no picture.
"""

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from truecopy.reports.figures import (
    DARK,
    LIGHT,
    Curves,
    Picture,
    draw_curves,
    draw_image,
    draw_lines,
    is_image,
)
from truecopy.reports.wording import format_number

Plain = Mapping[str, Any]

_MARGIN: Final = 0.06  # of the width, on both sides of what is shown
_THIN: Final = 0.6  # percent of the width that a range keeps where it is a single value
_LINES: Final = ("target", "before", "after")
_EPOCHS: Final = 3  # fewer say less than the steps


@dataclass(frozen=True)
class Span:
    """A range on a common scale; places are in percent of the width."""

    label: str
    kind: str
    start: float
    width: float
    text: str


@dataclass(frozen=True)
class Dot:
    """A value on a common scale, from 0 to 100 percent of the width."""

    label: str
    kind: str
    place: float
    text: str


def lay_out_ranges(audit: Plain) -> tuple[Span, ...]:
    """Place the targets, what the output can reach and what it gives on one scale."""
    facts = audit.get("facts") or {}
    targets = (facts.get("data") or {}).get("targets") or {}
    wanted = (targets.get("minimum"), targets.get("maximum"))
    reach = _read_pair((facts.get("model") or {}).get("output_bounds"))
    seen = _read_pair((facts.get("behaviour") or {}).get("output"))
    if not all(map(_is_number, wanted)):
        return ()
    ranges: list[tuple[str, str, tuple[Any, Any]]] = [
        ("the targets", "wanted", wanted),
        ("the output can reach", "reach", reach),
    ]
    if all(map(_is_number, seen)):
        ranges.append(("the output gives", "seen", seen))
    known = [float(bound) for *_, bounds in ranges for bound in bounds if _is_number(bound)]
    low, high = min(known), max(known)
    margin = _MARGIN * ((high - low) or 1.0)
    return tuple(_span(*given, low - margin, high + margin) for given in ranges)


def _read_pair(bounds: Any) -> tuple[Any, Any]:
    return (bounds[0], bounds[1]) if bounds else (None, None)


def _span(label: str, kind: str, bounds: tuple[Any, Any], low: float, high: float) -> Span:
    first, last = bounds
    start = 0.0 if first is None else 100 * (first - low) / (high - low)
    end = 100.0 if last is None else 100 * (last - low) / (high - low)
    words = ["no bound" if bound is None else format_number(bound) for bound in bounds]
    text = "any value" if bounds == (None, None) else f"{words[0]} to {words[1]}"
    return Span(label, kind, start, max(_THIN, end - start), text)


def lay_out_losses(audit: Plain) -> tuple[Dot, ...]:
    """Place the loss of a perfect copy among those of copies that nobody wants."""
    contract = (audit.get("facts") or {}).get("contract") or {}
    better = str(contract.get("better_at") or "a better point")
    named = {
        "perfect": "a perfect copy",
        "projected": "the best it can reach",
        "mean": "the mean target",
        "blank": "nothing but zeros",
        "seen": "what the model gives",
        "better": better,
    }
    values = {name: float(contract[name]) for name in named if _is_number(contract.get(name))}
    if "perfect" not in values or len(values) == 1:
        return ()
    low, high = min(values.values()), max(values.values())
    width = (high - low) or 1.0
    return tuple(
        Dot(named[name], name, 100 * (value - low) / width, format_number(value))
        for name, value in sorted(values.items(), key=lambda item: item[1])
    )


def judge_losses(audit: Plain) -> str:
    """Say whether the loss asks for a copy."""
    dots = lay_out_losses(audit)
    contract = (audit.get("facts") or {}).get("contract") or {}
    if contract.get("unbounded"):
        return "The loss goes on falling away from the targets: it has no minimum."
    if dots and dots[0].kind == "better":
        return f"The loss is lowest at {dots[0].label}, not at a perfect copy."
    if dots and dots[0].kind != "perfect" and dots[0].text != _text_of(dots, "perfect"):
        return f"{dots[0].label.capitalize()} is charged less than a perfect copy."
    return "A perfect copy is charged least, as it should be."


def _text_of(dots: tuple[Dot, ...], kind: str) -> str:
    return next(dot.text for dot in dots if dot.kind == kind)


def show_training(audit: Plain) -> Picture | None:
    """Show the losses of the training that was watched, with that of a perfect copy."""
    facts = audit.get("facts") or {}
    training = facts.get("training") or {}
    losses = _clean(training.get("losses"))
    history = {"loss": losses, "val_loss": _clean(training.get("validation_losses"))}
    unit, steps = "epoch", _clean(training.get("step_losses"))
    if len(losses) < _EPOCHS and len(steps) > len(losses):
        history, unit = {"loss": steps}, "step"
    curves = Curves(
        history={name: values for name, values in history.items() if values},
        unit=unit,
        loss_floor=_find_floor(facts.get("contract") or {}),
    )
    light = draw_curves(curves, LIGHT) if curves.history else None
    if light is None:
        return None
    first, last = (next(iter(curves.history.values()))[place] for place in (0, -1))
    words = f"Loss by {unit}, from {format_number(first)} to {format_number(last)}"
    return Picture(f"loss by {unit}", words, light, draw_curves(curves, DARK))


def show_sketches(finding: Plain) -> tuple[tuple[Picture, ...], ...]:
    """Show some rows and what the programs before and after the fix make of them.

    A row that is an image gives three pictures, any other one with three lines.
    """
    proof = finding.get("proof") or {}
    return tuple(_show_sketch(sketch) for sketch in proof.get("sketches") or ())


def _show_sketch(sketch: Plain) -> tuple[Picture, ...]:
    shape = tuple(map(int, sketch["shape"]))
    rows = {name: _decode(sketch[name], shape) for name in ("target", "before", "after")}
    if is_image(shape):
        side = max(shape[:2])
        return tuple(
            Picture(name, f"A held-out row: {name}", draw_image(row, (0, 255), side=side))
            for name, row in rows.items()
        )
    light, dark = (
        draw_lines(rows["target"], rows["before"], rows["after"], (0, 255), ink, names=_LINES)
        for ink in (LIGHT, DARK)
    )
    return (Picture("rows", "A held-out row, before and after the fix", light, dark),)


def _decode(text: str, shape: tuple[int, ...]) -> Any:
    levels = np.frombuffer(base64.b64decode(text), np.uint8).astype(np.float64)
    return levels.reshape(shape)


def _find_floor(contract: Plain) -> float | None:
    """Return the loss of a perfect copy, where nothing is charged less."""
    if contract.get("unbounded") or contract.get("better") is not None:
        return None
    return contract.get("perfect")


def lay_out_proof(finding: Plain) -> tuple[Dot, ...]:
    """Place a figure before and after the fix between 0 (nothing learned) and 1 (perfect)."""
    proof = finding.get("proof")
    if not proof:
        return ()
    metric = str(proof["metric"])
    dots = []
    for side in ("before", "after"):
        value = proof[side].get(metric)
        place = 100 * min(max(value, 0.0), 1.0) if _is_number(value) else 0.0
        text = f"{metric} {format_number(value, 2)}" if _is_number(value) else "diverged"
        dots.append(Dot(side, side, place, text))
    return tuple(dots)


def _clean(values: Any) -> list[float]:
    """Return losses with NaN for those that a JSON form has no word for."""
    return [math.nan if value is None else float(value) for value in values or ()]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and bool(np.isfinite(value))
