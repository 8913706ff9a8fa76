"""Puts facts into words: how a number is written, and the sentences about it.

The terminal, the HTML page and the figures take both from here, so that they all say the
same. Numbers show the digits that mean something, and nothing is rounded to a nothing or a
perfection that it is not. Names come as they were given: whoever shows one cleans it.
"""

import math
from collections.abc import Iterator, Mapping

from truecopy.facts import Choice, DataFacts, EvaluationFacts, PlanFacts, RunFacts, ScoreFacts
from truecopy.outlier_facts import Calibration, OutlierRow

_SPECTRUM_WIDTHS = (2, 8, 16, 32, 64)
_TOO_LARGE, _TOO_SMALL = 1e9, 1e-7  # beyond these, digits are easier to count as a power of ten
_NOTABLE = 0.005  # less is rounding, or the small constant that keeps a logarithm finite
_ALMOST_NONE, _ALMOST_ALL = 0.0005, 0.9995  # would be rounded to 0.0 % and 100.0 %


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
        "nearest": "the nearest of some training rows",
    }.get(name, name)


def label_baseline(name: str) -> str:
    """Name a baseline in the one or two words that fit below a bar."""
    return {
        "blank": "blank page",
        "constant": "best constant",
        "mean": "mean",
        "pca": "PCA",
        "copy_input": "noisy input",
        "untrained": "untrained",
        "nearest": "nearest row",
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


def find_linear(score: ScoreFacts) -> float | None:
    """Place PCA of the same width on the scale of `score`."""
    return find_skill(score, score.baselines.get("pca"))


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
    linear = find_linear(score)
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
    scores, shape = evaluation.scores, evaluation.shape
    sentences = [
        text for name, score in scores.items() for text in _explain_score(name, score, shape)
    ]
    below = {name: s for name, s in scores.items() if s.skill is not None and s.skill < 0}
    worse = [
        f"{name} {format_number(score.value, count_decimals(score))} "
        f"({name_baseline(score.floor_from, shape)} scores "
        f"{format_number(score.floor, count_decimals(score))})"
        for name, score in below.items()
    ]
    if worse:
        sentences.append(f"Worse than the floor: {', '.join(worse)}.")
    above = {name: score for name, score in scores.items() if name not in below}
    return (*sentences, *_compare_baselines(above), *evaluation.notes)


def _explain_score(name: str, score: ScoreFacts, shape: tuple[int, ...]) -> Iterator[str]:
    decimals = count_decimals(score)
    perfect, floor = (format_number(n, decimals) for n in (score.perfect, score.floor))
    if score.resolves_to is not None:
        gap = 100 * abs(score.perfect - score.floor)
        yield (
            f'{name} (what metrics=["accuracy"] reports; here {score.resolves_to}): '
            f"{name_baseline(score.floor_from, shape)} "
            f"scores {floor}, a perfect copy {perfect}: the whole scale is "
            f"{format_number(gap, max(0, 1 - math.floor(math.log10(gap or 1))))} points wide."
        )
    elif not score.higher_is_better and score.perfect > _NOTABLE * score.floor:
        why = ": the targets' entropy" if name == "bce" else ""
        yield f"{name}: a perfect copy still costs {perfect}{why}."
    if score.floor == score.perfect:
        yield f"{name}: floor and ceiling coincide at {perfect}: it can't tell a copy from nothing."


def _compare_baselines(scores: Mapping[str, ScoreFacts]) -> Iterator[str]:
    for key, who in (
        ("pca", "A linear copy (PCA) of the same width"),
        ("copy_input", "The noisy input itself, untouched,"),
    ):
        better = []
        for name, score in scores.items():
            other = score.baselines.get(key)
            if other is None or other == score.value or score.floor == score.perfect:
                continue
            if (other > score.value) == score.higher_is_better:
                better.append(f"{name} {format_number(other, count_decimals(score))}")
        if better:
            yield f"{who} does better: {', '.join(better)}."


def describe_evaluation(evaluation: EvaluationFacts) -> tuple[str, str]:
    """Say on what was evaluated, and on which rows the baselines were fitted."""
    shape, bounds = format_shape(evaluation.shape), format_range(evaluation.data_range)
    latent = "" if evaluation.latent is None else f"; latent {evaluation.latent}"
    noise = f"noise {evaluation.noise}" if evaluation.noise else "no noise"
    about = f"{evaluation.rows:,} rows of {shape} in {bounds}{latent}; {noise}"
    return about, f"Baselines fitted on {evaluation.baselines_from}"


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
    yield "shares", f"{zero} are 0; {top} are the maximum; {unit} lie between 0 and 1"
    bad = facts.non_finite
    places = ", ".join(f"row {row} feature {feature}" for row, feature in bad.places[:3])
    first = f", first at {places}" if places else ""
    yield "not finite", f"{bad.nan:,} NaN, {bad.infinite:,} infinite{first}"
    places = ", ".join(map(str, facts.first_constant[:5]))
    first = f", first {places}" if places else ""
    yield "constant", f"{facts.constant_features:,} of {facts.features:,} features{first}"
    low, high = map(format_number, facts.row_sums)
    yield "row sums", low if low == high else f"{low} to {high}"
    if facts.duplicates:
        yield "duplicates", f"{facts.duplicates:,} rows equal an earlier one"
    if facts.groups:
        yield "one-hot", f"column groups of widths {', '.join(map(str, facts.groups))}"
    if facts.spectrum is not None:
        pairs = zip(facts.spectrum.widths, facts.spectrum.kept, strict=True)
        kept = [f"{w}: {format_percent(k)}" for w, k in pairs if w in _SPECTRUM_WIDTHS]
        rows = "all" if facts.spectrum.exact else f"{facts.spectrum.rows:,}"
        yield "PCA keeps", f"{'; '.join(kept)} of the variance (from {rows} rows)"


def list_choices(plan: PlanFacts) -> tuple[tuple[str, Choice], ...]:
    """List the decisions of a plan in the order in which they follow from each other."""
    return (("scaling", plan.scaling), ("output", plan.output), ("loss", plan.loss))


def describe_columns(plan: PlanFacts) -> Iterator[tuple[str, str]]:
    """Say what each column of a table is and how it is treated, as pairs of name and text."""
    for column in plan.columns:
        missing = f"; {format_percent(column.missing)} missing" if column.missing else ""
        yield (
            column.name,
            f"{column.kind}, {column.because}{missing}: {column.output} output, {column.loss}",
        )


def describe_run(run: RunFacts) -> Iterator[tuple[str, str]]:
    """Say how a training went, as pairs of a label and its text."""
    yield "model", f"latent {run.latent}, {run.parameters:,} parameters"
    yield "data", f"{run.rows:,} rows, {run.validation_rows:,} for validation"
    noise = f", noise {run.noise}" if run.noise else ""
    falling = " falling to 0" if run.schedule == "cosine" else ""
    rate = f"learning rate {run.learning_rate:g}{falling}"
    how = f"{run.optimizer}, {rate}, batches of {run.batch_size:,}"
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


def describe_calibration(calibration: Calibration) -> Iterator[tuple[str, str]]:
    """Say which threshold makes an outlier and what it promises, as pairs of label and text."""
    yield (
        "threshold",
        f"distance {format_number(calibration.threshold)}, from {calibration.taken_from}",
    )
    promised, asked = format_percent(calibration.promised), format_percent(calibration.asked)
    yield "flags", f"{promised} of ordinary rows on average ({asked} asked for)"
    if calibration.note:
        yield "note", calibration.note


def blame_columns(row: OutlierRow) -> str:
    """Say which columns hold how much of a row's distance."""
    return ", ".join(f"{name} {format_percent(share)}" for name, share in row.columns.items())
