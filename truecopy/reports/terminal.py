"""Shows facts in words and aligned numbers: in a terminal, as plain text, in a notebook.

Everything fits 80 columns and reads the same without colour, because reports end up in log
files and e-mails. Names come from files and other people's models, so each string is cleaned
first: a control character could otherwise colour, hide or reorder what the reader sees.
"""

import io
import unicodedata
from collections.abc import Iterable, Iterator

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from truecopy.facts import (
    ComparisonFacts,
    DataFacts,
    EvaluationFacts,
    PlanFacts,
    RunFacts,
)
from truecopy.outlier_facts import OutlierFacts
from truecopy.reports.breakdown import describe_breakdown
from truecopy.reports.wording import (
    blame_columns,
    count_decimals,
    describe_calibration,
    describe_columns,
    describe_data,
    describe_evaluation,
    describe_run,
    explain_scores,
    find_linear,
    format_interval,
    format_number,
    format_range,
    format_skill,
    list_choices,
    sum_up,
)

# Persian, Indic scripts and emoji need these two to be spelled right; they reorder nothing.
_JOINERS = frozenset("\u200c\u200d")
# Control and format characters, halves of surrogate pairs, line and paragraph separators.
_UNSAFE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


def clean(text: str) -> str:
    r"""Spell out each character that would control, hide or reorder the text around it.

    Example:
        >>> clean("a\x1b[31mb\nc")
        'a\\x1b[31mb\\nc'
    """
    return "".join(
        char.encode("unicode_escape").decode("ascii")
        if unicodedata.category(char) in _UNSAFE and char not in _JOINERS
        else char
        for char in text
    )


class Bar:
    """A bar from floor to ceiling, filled up to the skill, with a tick where PCA stands."""

    def __init__(self, skill: float, linear: float | None) -> None:
        """Draw `skill` clipped to the scale, and that of PCA where it is on the scale."""
        self.skill = min(max(skill, 0.0), 1.0)
        self.linear = linear if linear is not None and 0 <= linear <= 1 else None

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(8, max(8, min(24, options.max_width)))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        # Not every terminal's encoding has block characters, and half a bar is none.
        full, empty = ("\u2588", "\u2591") if options.encoding.startswith("utf") else ("#", ".")
        width = min(24, options.max_width)
        filled = int(self.skill * width + 0.5)
        text = Text(full * filled, style="blue", no_wrap=True)
        text.append(empty * (width - filled), style="dim")
        if self.linear is None:
            yield text
            return
        tick = min(int(self.linear * width), width - 1)
        yield Text.assemble(text[:tick], ("|", "bold"), text[tick + 1 :], no_wrap=True)


def render_evaluation(evaluation: EvaluationFacts) -> RenderableType:
    """Show the scorecard: every figure beside its floor and its ceiling."""
    about, fitted = describe_evaluation(evaluation)
    return Group(
        _text(f"Scorecard of {evaluation.model} on {evaluation.data}", style="bold"),
        _text(about),
        _text(fitted),
        Text(""),
        _text(sum_up(evaluation), style="bold"),
        Text(""),
        _tabulate_scores(evaluation),
        Text(""),
        _list_rows(describe_breakdown(evaluation)),
        Text(""),
        _list_rows(("-", sentence) for sentence in explain_scores(evaluation)),
    )


def _tabulate_scores(evaluation: EvaluationFacts) -> Table:
    scores = evaluation.scores
    extra = {"pca": "PCA", "copy_input": "noisy"}
    shown = [k for k in extra if any(s.baselines.get(k) is not None for s in scores.values())]
    table = _start_table(expand=True)
    table.add_column(Text("metric"), overflow="fold")
    for title in ("value", "floor", *(extra[k] for k in shown), "perfect", "skill"):
        table.add_column(Text(title), justify="right", overflow="fold")
    table.add_column(Text("floor to perfect"), ratio=1, min_width=8)
    for name, score in scores.items():
        decimals = count_decimals(score)
        others = [format_number(score.baselines.get(k), decimals) for k in shown]
        value = Text(format_number(score.value, decimals), style="bold")
        interval = Text(f"\n{format_interval(score)}", style="not bold")
        floor = f"{format_number(score.floor, decimals)}\n{clean(score.floor_from)}"
        numbers = [*others, format_number(score.perfect, decimals), format_skill(score.skill)]
        bar = "" if score.skill is None else Bar(score.skill, find_linear(score))
        table.add_row(_text(name), value + interval, Text(floor), *map(Text, numbers), bar)
    return table


def render_data(facts: DataFacts) -> RenderableType:
    """Show what the data are like."""
    title = f"{facts.name}: {facts.rows:,} rows"
    return Group(_text(title, style="bold"), _list_rows(describe_data(facts)))


def render_plan(plan: PlanFacts) -> RenderableType:
    """Show the scaling, output activation and loss, each with its reason."""
    rows = [("because", plan.because)]
    for part, choice in list_choices(plan):
        rows.append((part, f"{choice.value}: {choice.reason}"))
        if choice.alternatives:
            rows.append(("", f"also right: {', '.join(choice.alternatives)}"))
    if plan.target_range is not None:
        rows.append(("bounds", f"of the scaled data: {format_range(plan.target_range)}"))
    if plan.groups:
        rows.append(("softmax", f"over column groups of widths {', '.join(map(str, plan.groups))}"))
    rows += describe_columns(plan)
    return Group(_text(f"Plan for {plan.kind} data", style="bold"), _list_rows(rows))


def render_comparison(comparison: ComparisonFacts) -> RenderableType:
    """Show two models' figures on the same rows, and which difference is more than chance."""
    title = f"{comparison.first} against {comparison.second} on {comparison.data}"
    table = _start_table()
    for head in ("metric", "first", "second", "difference", "95 % interval", "better"):
        right = head not in {"metric", "better"}
        table.add_column(Text(head), justify="right" if right else "left", overflow="fold")
    for name, found in comparison.differences.items():
        low, high = found.ci95
        better = "neither" if found.better is None else found.better
        numbers = (f"{value:.4g}" for value in (found.first, found.second, found.difference))
        interval = Text(f"{low:.2g} to {high:.2g}")
        table.add_row(_text(name), *map(Text, numbers), interval, _text(better))
    rows = f"{comparison.rows:,} rows, paired: both models copied the same ones"
    return Group(_text(title, style="bold"), _text(rows), Text(), table)


def render_run(run: RunFacts) -> RenderableType:
    """Show in a few lines how a training went."""
    return Group(_text(f"Training of {run.model}", style="bold"), _list_rows(describe_run(run)))


def render_outliers(found: OutlierFacts) -> RenderableType:
    """Show how many rows are outliers, and the farthest ones with the columns to blame."""
    title = f"Outliers in {found.data}: {found.flagged:,} of {found.rows:,} rows"
    table = _start_table(gap=2)
    for head in ("row", "distance"):
        table.add_column(Text(head), justify="right")
    table.add_column(Text(""))
    table.add_column(Text("because of"), overflow="fold")
    for row in found.worst:
        flag = Text("outlier" if row.outlier else "")
        cells = (f"{row.row:,}", format_number(row.distance))
        table.add_row(*map(Text, cells), flag, _text(blame_columns(row)))
    about = _list_rows(describe_calibration(found.calibration))
    return Group(_text(title, style="bold"), about, Text(""), table)


def to_text(renderable: RenderableType, *, width: int = 80) -> str:
    """Return what a terminal of `width` columns would show, without colour codes."""
    console = Console(
        file=io.StringIO(),
        width=width,
        color_system=None,
        force_terminal=False,
        force_jupyter=False,
        legacy_windows=False,
        highlight=False,
        _environ={},
    )
    with console.capture() as capture:
        console.print(renderable)
    return "\n".join(clean(line.rstrip()) for line in capture.get().rstrip("\n").split("\n"))


def _text(text: str, *, style: str = "") -> Text:
    return Text(clean(text), style=style, overflow="fold")


def _start_table(*, gap: int = 1, expand: bool = False) -> Table:
    """Return a table with a line below its head and none around it."""
    padding = (0, gap, 0, 0)
    return Table(
        box=box.SIMPLE_HEAD, show_edge=False, padding=padding, pad_edge=False, expand=expand
    )


def _list_rows(rows: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(Text(label), _text(text))
    return table
