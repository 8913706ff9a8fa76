"""Writes a report as one self-contained HTML page, and fragments for notebooks.

The page is opened by people who did not make it, from models and files that others named:
every string is cleaned and escaped, there is no script, and a content security policy forbids
all but the page's own style and its embedded pictures. Nothing in it depends on the clock or
the machine, so that equal facts give equal pages.
"""

import base64
import functools
import hashlib
import json
import os
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from truecopy.errors import OutputFailed
from truecopy.facts import ReportSection, ScoreFacts, to_plain
from truecopy.reports.audit_pictures import (
    judge_losses,
    lay_out_losses,
    lay_out_proof,
    lay_out_ranges,
    show_sketches,
    show_training,
)
from truecopy.reports.breakdown import (
    describe_structure,
    describe_tolerance,
    list_classes,
    list_columns,
    list_excess,
    list_tones,
    list_verdicts,
)
from truecopy.reports.evaluation_charts import (
    show_distances,
    show_latents,
    show_scatter,
    show_tolerance,
)
from truecopy.reports.figures import draw_colours, show_curves, show_mean_error, show_rows
from truecopy.reports.findings import (
    describe_proof,
    fold_echoes,
    list_evidence,
    list_notes,
    name_place,
    summarise,
)
from truecopy.reports.story import tell_score
from truecopy.reports.terminal import Bar, clean, to_text
from truecopy.reports.wording import (
    blame_columns,
    count_decimals,
    describe_calibration,
    describe_data,
    describe_evaluation,
    describe_run,
    explain_scores,
    find_leader,
    find_skill,
    format_interval,
    format_number,
    format_percent,
    format_range,
    format_skill,
    label_baseline,
    list_choices,
    name_baseline,
    sum_up,
)

# A page should open at once and fit in an e-mail: all pictures together stay below this.
_PICTURE_BYTES = 900_000
# The narrowest bar is about 330 pixels wide (a phone), a letter of its labels about 6.5.
_LETTER = 100 * 6.5 / 330
_BOLD, _PLAIN = Markup("<div><b>{}</b></div>"), Markup("<div>{}</div>")


@dataclass(frozen=True)
class Mark:
    """A labelled tick below a bar; `place` is in percent of its width, `lane` counts down."""

    text: str
    place: float
    lane: int
    anchor: str


@dataclass(frozen=True)
class Scale:
    """A bar from floor to ceiling; `outside` are the baselines no better than the floor."""

    fill: float
    marks: tuple[Mark, ...]
    outside: tuple[str, ...]


def render_page(
    title: str, sections: Sequence[ReportSection], *, command: str | None = None
) -> str:
    """Return a whole page; `command` is the one that made it, shown so it can be repeated."""
    environment = _load_templates()
    style = environment.get_template("page.css").render()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template("page.html").render(
        title=title,
        sections=sections,
        command=command,
        digest=digest,
        budget=_PICTURE_BYTES // max(1, len(sections)),
    )


@functools.cache
def _load_templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("truecopy.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_spell_out,
    )
    # The templates word nothing twice: like the terminal, they have it from `wording`.
    helpers: list[Callable[..., Any]] = [
        *(count_decimals, describe_data, describe_evaluation, describe_run, dump_facts),
        *(explain_scores, find_leader, find_skill, format_interval, format_number),
        *(format_percent, format_range, format_skill, lay_out, list_choices, name_baseline),
        *(describe_proof, judge_losses, lay_out_losses, lay_out_proof, lay_out_ranges),
        *(
            fold_echoes,
            list_evidence,
            list_notes,
            name_place,
            show_sketches,
            show_training,
            summarise,
        ),
        *(show_curves, show_mean_error, show_rows, draw_colours, sum_up, to_uri),
        *(list_classes, list_columns, list_excess, list_tones, list_verdicts, describe_structure),
        *(blame_columns, describe_calibration, show_distances),
        *(describe_tolerance, show_latents, show_scatter, show_tolerance, tell_score),
    ]
    environment.globals.update({helper.__name__: helper for helper in helpers})
    return environment


def _spell_out(value: Any) -> Any:
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def dump_facts(section: ReportSection) -> Markup:
    """Write all facts of a section as JSON, in ASCII: the escapes are JSON's own."""
    parts = {"data": section.data, "plan": section.plan, "run": section.run}
    records = {**parts, "evaluation": section.evaluation}
    known = {name: record.to_dict() for name, record in records.items() if record is not None}
    if section.audit is not None:
        known["audit"] = to_plain(section.audit)
    return escape(json.dumps(known, indent=1))


def to_uri(picture: bytes) -> str:
    """Write a PNG as an address that holds it."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def lay_out(score: ScoreFacts) -> Scale:
    """Place the baselines of a score below its bar so that no two labels touch."""
    decimals = count_decimals(score)
    floor = f"floor {format_number(score.floor, decimals)}"
    named = f"{floor} ({label_baseline(score.floor_from)})"
    ends = (named, f"perfect {format_number(score.perfect, decimals)}")
    marks = [Mark(ends[0], 0, 0, "start"), Mark(ends[1], 100, 0, "end")]
    outside = []
    for name, value in score.baselines.items():
        skill = find_skill(score, value)
        if skill is None or name == score.floor_from:
            continue
        text = f"{label_baseline(name)} {format_number(value, decimals)}"
        if skill <= 0:
            outside.append(text)
        else:
            marks.append(_find_lane(text, 100 * min(skill, 1.0), marks))
    return Scale(100 * min(max(score.skill or 0.0, 0.0), 1.0), tuple(marks), tuple(outside))


def _find_lane(text: str, place: float, others: Sequence[Mark]) -> Mark:
    width = len(text) * _LETTER
    anchor = "middle"
    if place < width / 2:
        anchor = "start"
    elif place > 100 - width / 2:
        anchor = "end"
    mark = Mark(text, place, 0, anchor)
    while any(_touch(mark, other) for other in others):
        mark = replace(mark, lane=mark.lane + 1)
    return mark


def _touch(one: Mark, two: Mark) -> bool:
    (start, end), (other_start, other_end) = _span(one), _span(two)
    return one.lane == two.lane and start < other_end + _LETTER and other_start < end + _LETTER


def _span(mark: Mark) -> tuple[float, float]:
    width = len(mark.text) * _LETTER
    start = mark.place - {"start": 0, "middle": width / 2, "end": width}[mark.anchor]
    return start, start + width


def write_page(
    path: str | PathLike[str],
    title: str,
    sections: Sequence[ReportSection],
    *,
    command: str | None = None,
) -> None:
    """Write `render_page` to a file, which appears only once it is complete."""
    write_whole(path, render_page(title, sections, command=command))


def write_whole(path: str | PathLike[str], text: str) -> None:
    """Write `text` to a file that appears, or replaces an older one, only once complete.

    Raises:
        OutputFailed: it can't be written; what was there before is intact.
    """
    # A link to a file is kept a link: what it points to is replaced.
    whole = Path(os.path.realpath(path))
    part = whole.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with part.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(whole)
    except OSError as error:
        part.unlink(missing_ok=True)
        message = f"Could not write {clean(str(path))!r}: {error.strerror}."
        raise OutputFailed(message) from error


def to_fragment(renderable: RenderableType) -> str:
    """Return a small piece of HTML for a notebook; its colours follow the notebook's."""
    return f'<div style="line-height:1.4">{_to_markup(renderable)}</div>'


def _to_markup(renderable: Any) -> Markup:
    if isinstance(renderable, Group):
        return Markup("").join(map(_to_markup, renderable.renderables))
    if isinstance(renderable, Table):
        return _tabulate(renderable)
    if isinstance(renderable, Bar):
        return _draw_bar(renderable)
    if isinstance(renderable, Text):
        line = _BOLD if renderable.style == "bold" else _PLAIN
        return line.format(_break_lines(renderable.plain))
    return Markup("<pre>{}</pre>").format(to_text(renderable))


def _tabulate(table: Table) -> Markup:
    columns = [list(column.cells) for column in table.columns]
    right = [column.justify == "right" for column in table.columns]
    rows = [[_to_cell(cell) for cell in row] for row in zip(*columns, strict=True)]
    if table.show_header:
        titles = [_to_cell(column.header) for column in table.columns]
        rows.insert(0, [Markup("<b>{}</b>").format(title) for title in titles])
    styles = [f"text-align:{'right' if flag else 'left'};vertical-align:top" for flag in right]
    cell = Markup('<td style="{};padding:.15em .7em .15em 0">{}</td>')
    lines = [
        Markup("").join(cell.format(style, text) for style, text in zip(styles, row, strict=True))
        for row in rows
    ]
    body = Markup("").join(Markup("<tr>{}</tr>").format(line) for line in lines)
    return Markup('<table style="border-collapse:collapse;margin:.4em 0">{}</table>').format(body)


def _to_cell(cell: Any) -> Markup:
    if isinstance(cell, Bar):
        return _draw_bar(cell)
    return _break_lines(cell.plain if isinstance(cell, Text) else str(cell))


def _break_lines(text: str) -> Markup:
    return Markup("<br>").join(map(clean, text.split("\n")))


def _draw_bar(bar: Bar) -> Markup:
    tick = Markup("")
    if bar.linear is not None:
        tick = Markup('<rect x="{:.1f}%" width="2" height="100%" fill="currentColor"/>').format(
            100 * bar.linear
        )
    return Markup(
        '<svg width="140" height="12" role="img" aria-label="skill {:.3f}">'
        '<rect width="100%" height="100%" fill="currentColor" fill-opacity=".15"/>'
        '<rect width="{:.1f}%" height="100%" fill="#0072b2"/>{}</svg>'
    ).format(bar.skill, 100 * bar.skill, tick)
