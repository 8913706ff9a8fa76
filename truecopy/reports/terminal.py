"""Shows facts in words and aligned numbers: in a terminal, as plain text, in a notebook.

Everything fits 80 columns and reads the same without colour, because reports end up in log
files and e-mails. Names come from files and other people's models, so each string is cleaned
first: a control character could otherwise colour, hide or reorder what the reader sees.
The HTML page takes its numbers and sentences from here, so that both say the same.
"""

import io
import math
import unicodedata
from collections.abc import Iterable, Iterator

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from truecopy.facts import Choice, DataFacts, EvaluationFacts, PlanFacts, RunFacts, ScoreFacts

# Persian, Indic scripts and emoji need these two to be spelled right; they reorder nothing.
_JOINERS = frozenset("\u200c\u200d")
# Control and format characters, halves of surrogate pairs, line and paragraph separators.
_UNSAFE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_SPECTRUM_WIDTHS = (2, 8, 16, 32, 64)
_TOO_LARGE, _TOO_SMALL = 1e9, 1e-7  # beyond these, digits are easier to count as a power of ten
_NOTABLE = 0.005  # less is rounding, or the small constant that keeps a logarithm finite
_ALMOST_NONE, _ALMOST_ALL = 0.0005, 0.9995  # would be rounded to 0.0 % and 100.0 %


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


def count_decimals(score: ScoreFacts) -> int:
    """Decimals that show three digits of the value and two of the floor-to-ceiling gap."""
    needed = [0]
    for number, digits in ((score.value, 3), (score.floor - score.perfect, 2)):
        if math.isfinite(number) and number != 0:
            needed.append(digits - 1 - math.floor(math.log10(abs(number))))
    return max(needed)


def format_number(number: float | None, decimals: int | None = None) -> str:
    """Write a number with `decimals` (by default, about four digits that mean something).

    Example:
        >>> [format_number(n) for n in (255.0, 65535, 0.1307, 33.318421, None)]
        ['255', '65,535', '0.1307', '33.32', '-']
    """
    if number is None or math.isnan(number):
        return "-"
    if math.isinf(number):
        return "inf" if number > 0 else "-inf"
    if abs(number) >= _TOO_LARGE or 0 < abs(number) < _TOO_SMALL:
        return f"{number:.3g}"
    if number in {0, 1} or (decimals is None and number == int(number)):
        return f"{int(number):,}"
    if decimals is None:
        decimals = max(0, 3 - math.floor(math.log10(abs(number))))
    return f"{number:,.{decimals}f}"


def format_percent(share: float) -> str:
    """Write a share as percent, never rounded to a 0 % or 100 % that it is not."""
    if 0 < share < _ALMOST_NONE:
        return "under 0.1 %"
    if _ALMOST_ALL <= share < 1:
        return "over 99.9 %"
    return f"{100 * share:.1f} %".replace(".0 %", " %")


def format_range(bounds: tuple[float, float]) -> str:
    """Write an interval with its bounds."""
    return f"[{format_number(bounds[0])}, {format_number(bounds[1])}]"


def format_shape(shape: tuple[int, ...]) -> str:
    """Write the shape of a row as people say it."""
    return " x ".join(map(str, shape)) or "1"


def name_baseline(name: str, shape: tuple[int, ...]) -> str:
    """Name a baseline in words, as it stands in a sentence about rows of `shape`."""
    return {
        "blank": "a blank page" if len(shape) > 1 else "a row of zeros",
        "constant": "the best constant",
        "mean": "the mean image" if len(shape) > 1 else "the mean row",
        "pca": "PCA",
        "copy_input": "the noisy input itself",
        "untrained": "the untrained model",
    }.get(name, name)


def format_skill(skill: float | None) -> str:
    """Write a skill with three decimals, never rounded to a 1 that it is not."""
    if skill is None or not math.isfinite(skill):
        return "-"
    return f"{min(skill, 0.999):.3f}" if skill < 1 else format_number(skill, 3)


def format_interval(score: ScoreFacts) -> str:
    """Write the 95 % interval as half its width, at the value's decimals or where it shows."""
    half, decimals = (score.ci95[1] - score.ci95[0]) / 2, count_decimals(score)
    if not math.isfinite(half):
        return ""
    if 0 < half < 0.5 * 10**-decimals:
        decimals = -math.floor(math.log10(half))
    return f"\u00b1{format_number(half, decimals)}"


def find_skill(score: ScoreFacts, value: float | None) -> float | None:
    """Place `value` on the scale of `score`: 0 at the floor, 1 at a perfect copy."""
    gap = score.floor - score.perfect
    if value is None or score.skill is None or not math.isfinite(gap):
        return None
    return (score.floor - value) / gap


def find_leader(evaluation: EvaluationFacts) -> str | None:
    """Name the score that sums up the copy: mse, else the first that has a skill."""
    names = ["mse", *evaluation.scores]
    scores = evaluation.scores
    return next((n for n in names if n in scores and scores[n].skill is not None), None)


def sum_up(evaluation: EvaluationFacts) -> str:
    """Say in one or two sentences where the copy stands between floor and ceiling."""
    name = find_leader(evaluation)
    if name is None:
        return "No figure has both a floor and a ceiling: nothing says how good the copy is."
    score = evaluation.scores[name]
    skill, decimals = score.skill or 0.0, count_decimals(score)
    value, bottom, perfect = (
        format_number(n, decimals) for n in (score.value, score.floor, score.perfect)
    )
    floor = name_baseline(score.floor_from, evaluation.shape)
    if skill < 0:
        return f"{name} {value} is worse than the floor: {floor} scores {bottom}."
    linear = _find_linear(score)
    beside = ""
    if linear is not None:
        beside = f" PCA of the same width gets {format_percent(linear)} of the way."
        if linear < 0:
            beside = " PCA of the same width stays below the floor."
    return (
        f"{name} {value} is {format_percent(skill)} of the way from the floor ({floor}, {bottom}) "
        f"to a perfect copy ({perfect}).{beside}"
    )


def explain_scores(evaluation: EvaluationFacts) -> tuple[str, ...]:
    """Say in sentences what the figures alone would not tell, then the evaluation's notes."""
    sentences = [
        sentence
        for name, score in evaluation.scores.items()
        for sentence in _explain_score(name, score, evaluation.shape)
    ]
    return (*sentences, *evaluation.notes)


def _explain_score(name: str, score: ScoreFacts, shape: tuple[int, ...]) -> Iterator[str]:
    decimals = count_decimals(score)
    value, perfect, floor = (
        format_number(n, decimals) for n in (score.value, score.perfect, score.floor)
    )
    bottom = name_baseline(score.floor_from, shape)
    if score.resolves_to is not None:
        gap = 100 * abs(score.perfect - score.floor)
        yield (
            f'{name} (what metrics=["accuracy"] reports; here {score.resolves_to}): {bottom} '
            f"scores {floor}, a perfect copy {perfect}: the whole scale is "
            f"{format_number(gap, max(0, 1 - math.floor(math.log10(gap or 1))))} points wide."
        )
    elif not score.higher_is_better and score.perfect > _NOTABLE * score.floor:
        why = ": the targets' entropy" if name == "bce" else ""
        yield f"{name}: a perfect copy still costs {perfect}{why}."
    if score.floor == score.perfect:
        yield f"{name}: floor and ceiling coincide at {perfect}: it can't tell a copy from nothing."
    elif score.skill is not None and score.skill < 0:
        yield f"{name}: {value} is worse than the floor: {bottom} scores {floor}."
    else:
        yield from _compare_baselines(name, score, decimals)


def _compare_baselines(name: str, score: ScoreFacts, decimals: int) -> Iterator[str]:
    for key, who in (
        ("pca", "a linear copy (PCA) of the same width"),
        ("copy_input", "the noisy input itself, untouched,"),
    ):
        other = score.baselines.get(key)
        if other is None or other == score.value:
            continue
        if (other > score.value) == score.higher_is_better:
            yield f"{name}: {who} does better: {format_number(other, decimals)}."


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
        _list_rows(("-", sentence) for sentence in explain_scores(evaluation)),
    )


def describe_evaluation(evaluation: EvaluationFacts) -> tuple[str, str]:
    """Say on what was evaluated, and on which rows the baselines were fitted."""
    shape, bounds = format_shape(evaluation.shape), format_range(evaluation.data_range)
    latent = "" if evaluation.latent is None else f"; latent {evaluation.latent}"
    noise = f"noise {evaluation.noise}" if evaluation.noise else "no noise"
    about = f"{evaluation.rows:,} rows of {shape} in {bounds}{latent}; {noise}"
    return about, f"Baselines fitted on {evaluation.baselines_from}"


def _tabulate_scores(evaluation: EvaluationFacts) -> Table:
    scores = evaluation.scores
    extra = {"pca": "PCA", "copy_input": "noisy"}
    shown = [k for k in extra if any(s.baselines.get(k) is not None for s in scores.values())]
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False, expand=True
    )
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
        bar = "" if score.skill is None else Bar(score.skill, _find_linear(score))
        table.add_row(_text(name), value + interval, Text(floor), *map(Text, numbers), bar)
    return table


def _find_linear(score: ScoreFacts) -> float | None:
    return find_skill(score, score.baselines.get("pca"))


def render_data(facts: DataFacts) -> RenderableType:
    """Show what the data are like."""
    title = f"{facts.name}: {facts.rows:,} rows"
    return Group(_text(title, style="bold"), _list_rows(describe_data(facts)))


def describe_data(facts: DataFacts) -> Iterator[tuple[str, str]]:
    """Say what the data are like, as pairs of a label and its text."""
    low, high = map(format_number, (facts.minimum, facts.maximum))
    kind = "; whole numbers" * facts.integers + "; only two different values" * facts.binary
    if facts.levels and not facts.binary:
        kind += f"; {facts.levels:,} different values"
    yield "row", f"{format_shape(facts.shape)} {facts.dtype} ({facts.features:,} features)"
    yield "values", f"{low} to {high}{kind}"
    mean, spread, tails = map(format_number, (facts.mean, facts.spread, facts.tails))
    yield "moments", f"mean {mean}; deviation {spread}; median kurtosis {tails} (normal: 3)"
    shares = (facts.share_zero, facts.share_maximum, facts.share_inside_unit)
    zero, top, unit = map(format_percent, shares)
    yield "shares", f"{zero} are 0; {top} are the maximum; {unit} lie in [0, 1]"
    bad = facts.non_finite
    places = ", ".join(f"row {row} feature {feature}" for row, feature in bad.places[:3])
    first = f", first at {places}" if places else ""
    yield "not finite", f"{bad.nan:,} NaN, {bad.infinite:,} infinite{first}"
    places = ", ".join(map(str, facts.first_constant[:5]))
    first = f", first {places}" if places else ""
    yield "constant", f"{facts.constant_features:,} of {facts.features:,} features{first}"
    low, high = map(format_number, facts.row_sums)
    yield "row sums", low if low == high else f"{low} to {high}"
    if facts.groups:
        yield "one-hot", f"column groups of widths {', '.join(map(str, facts.groups))}"
    if facts.spectrum is not None:
        pairs = zip(facts.spectrum.widths, facts.spectrum.kept, strict=True)
        kept = [f"{w}: {format_percent(k)}" for w, k in pairs if w in _SPECTRUM_WIDTHS]
        rows = "all" if facts.spectrum.exact else f"{facts.spectrum.rows:,}"
        yield "PCA keeps", f"{'; '.join(kept)} of the variance (from {rows} rows)"


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
    return Group(_text(f"Plan for {plan.kind} data", style="bold"), _list_rows(rows))


def list_choices(plan: PlanFacts) -> tuple[tuple[str, Choice], ...]:
    """List the decisions of a plan in the order in which they follow from each other."""
    return (("scaling", plan.scaling), ("output", plan.output), ("loss", plan.loss))


def render_run(run: RunFacts) -> RenderableType:
    """Show in a few lines how a training went."""
    return Group(_text(f"Training of {run.model}", style="bold"), _list_rows(describe_run(run)))


def describe_run(run: RunFacts) -> Iterator[tuple[str, str]]:
    """Say how a training went, as pairs of a label and its text."""
    yield "model", f"latent {run.latent}, {run.parameters:,} parameters"
    yield "data", f"{run.rows:,} rows, {run.validation_rows:,} for validation"
    noise = f", noise {run.noise}" if run.noise else ""
    how = f"{run.optimizer}, learning rate {run.learning_rate:g}, batches of {run.batch_size:,}"
    yield "how", f"{how}, seed {run.seed}{noise}"
    yield "epochs", f"{run.epochs} in {run.seconds:,.1f} s, best {run.best_epoch}; {run.stopped}"
    losses = []
    for key, word in (("loss", "training"), ("val_loss", "validation")):
        curve = run.history.get(key, ())
        if 0 < run.best_epoch <= len(curve):
            losses.append(f"{word} {format_number(curve[run.best_epoch - 1])}")
    if run.loss_floor is not None:
        losses.append(f"a perfect copy {format_number(run.loss_floor)}")
    if losses:
        yield "loss", f"at the best epoch: {', '.join(losses)}"


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


def _list_rows(rows: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(Text(label), _text(text))
    return table
