"""What a terminal shows: the right numbers, 80 columns, and nothing that a name smuggled in."""

import io
import json
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from truecopy.facts import (
    Choice,
    DataFacts,
    EvaluationFacts,
    NonFinite,
    PlanFacts,
    RunFacts,
    ScoreFacts,
    Spectrum,
)
from truecopy.reports.result import Result
from truecopy.reports.terminal import (
    render_data,
    render_evaluation,
    render_plan,
    render_run,
    to_text,
)
from truecopy.reports.wording import explain_scores, sum_up

HOSTILE = [
    "<script>alert(1)</script>",
    "\x1b[31mred\x1b[0m\x07",
    "[red]marked up[/red]",
    "two\nlines\r\nand a\ttab",
    "left \u202eright\u202c \u2066x\u2069",
    "byte \udcff of a file name",
    "w" * 300,
    "\u753b\u50cf" * 60,
    "$x$ {braces} %s \\",
]


def score(value, perfect, floor, **changes):
    facts = {
        "value": value,
        "perfect": perfect,
        "floor": floor,
        "floor_from": "mean",
        "skill": (floor - value) / (floor - perfect),
        "ci95": (value - 0.00008, value + 0.00008),
        "higher_is_better": perfect > floor,
        "baselines": {"mean": floor, "pca": None, "copy_input": None},
    }
    return ScoreFacts(**{**facts, **changes})


MSE = score(0.00967, 0.0, 0.06747, baselines={"mean": 0.06747, "pca": 0.02686})
ACCURACY = score(0.8125, 0.8154789, 0.8087977, floor_from="blank", resolves_to="binary_accuracy")
BCE = score(0.0912, 0.0583633, 0.2063)


def evaluation(*, name="dense-16", **changes):
    facts = {
        "model": name,
        "data": "mnist:test",
        "rows": 10_000,
        "shape": (28, 28),
        "data_range": (0.0, 1.0),
        "latent": 16,
        "noise": None,
        "baselines_from": "the 60000 rows of mnist",
        "scores": {"mse": MSE, "keras_accuracy": ACCURACY, "bce": BCE},
        "notes": ("A note.",),
    }
    return EvaluationFacts(**{**facts, **changes})


def data(*, name="mnist"):
    return DataFacts(
        name=name,
        shape=(28, 28),
        dtype="uint8",
        rows=60_000,
        minimum=0.0,
        maximum=255.0,
        mean=33.318421,
        spread=78.56749,
        share_zero=0.80879,
        share_maximum=0.0067,
        share_inside_unit=0.81,
        integers=True,
        binary=False,
        levels=256,
        non_finite=NonFinite(nan=2, places=((7, 3), (9, 1))),
        constant_features=67,
        first_constant=(0, 1, 2),
        row_sums=(4342.0, 79483.0),
        tails=12.3,
        groups=(3, 2),
        spectrum=Spectrum(widths=(1, 2, 16), kept=(0.1, 0.168, 0.594), rows=20_000, exact=False),
    )


def plan(*, name="bytes"):
    choice = Choice(value=name, reason=f"because of {name}", alternatives=(name, "mse"))
    return PlanFacts(
        kind=name,
        because=name,
        scaling=choice,
        output=choice,
        loss=choice,
        target_range=(0.0, 1.0),
        groups=(3, 2),
    )


def run(*, name="dense-16"):
    return RunFacts(
        model=name,
        latent=16,
        parameters=235_920,
        rows=55_000,
        validation_rows=5_000,
        epochs=3,
        best_epoch=2,
        batch_size=128,
        optimizer=name,
        learning_rate=0.001,
        noise=name,
        seed=7,
        stopped=name,
        seconds=61.44,
        loss_floor=0.0583633,
        history={"loss": (0.3, 0.2, 0.1), "val_loss": (0.31, 0.21, 0.25)},
        versions={"keras": "3.15.1"},
    )


def render_all(name):
    return {
        "data": render_data(data(name=name)),
        "plan": render_plan(plan(name=name)),
        "run": render_run(run(name=name)),
        "evaluation": render_evaluation(
            evaluation(name=name, data=name, noise=name, baselines_from=name, notes=(name,))
        ),
        "scores": render_evaluation(evaluation(scores={name: replace(MSE, floor_from=name)})),
    }


class Card(Result):
    """The smallest result."""

    def __init__(self, facts):
        self._facts = facts

    @property
    def facts(self):
        return self._facts

    def _render(self):
        return render_evaluation(self._facts)


def joined(renderable):
    """The text with its lines joined, for sentences that wrap."""
    return " ".join(to_text(renderable).split())


@pytest.mark.parametrize("name", ["mnist", *HOSTILE])
@pytest.mark.parametrize("part", ["data", "plan", "run", "evaluation", "scores"])
def test_nothing_is_wider_than_80_columns(part, name):
    lines = to_text(render_all(name)[part]).split("\n")

    assert max(map(cell_len, lines)) <= 80


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("part", ["data", "plan", "run", "evaluation", "scores"])
def test_no_name_can_colour_hide_or_reorder_the_text(part, name):
    text = to_text(render_all(name)[part])

    assert all(char.isprintable() or char == "\n" for char in text)
    text.encode("utf-8")


def test_text_has_no_colour_codes_even_where_colour_is_forced(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")

    text = to_text(render_evaluation(evaluation()))

    assert "\x1b" not in text
    assert max(map(len, text.split("\n"))) <= 80


def test_a_renderable_of_others_cannot_smuggle_colour_codes_in_either():
    assert to_text(Text("a\x1b[31mb")) == "a\\x1b[31mb"


def test_markup_in_a_name_is_shown_as_it_is():
    assert to_text(render_run(run(name="[red]x[/red]"))).startswith("Training of [red]x[/red]\n")


def test_the_scorecard_says_what_was_evaluated_on_what():
    head = to_text(render_evaluation(evaluation(noise="gaussian:0.5"))).split("\n")[:3]

    assert head == [
        "Scorecard of dense-16 on mnist:test",
        "10,000 rows of 28 x 28 in [0, 1]; latent 16; noise gaussian:0.5",
        "Baselines fitted on the 60000 rows of mnist",
    ]


def test_each_figure_stands_beside_its_floor_ceiling_and_skill():
    lines = to_text(render_evaluation(evaluation())).split("\n")
    row = next(i for i, line in enumerate(lines) if line.startswith("mse  "))

    assert lines[row].split()[:6] == ["mse", "0.00967", "0.06747", "0.02686", "0", "0.857"]
    assert lines[row + 1].split() == ["\u00b10.00008", "mean"]


def test_the_verdict_and_every_sentence_are_shown():
    card = evaluation()

    text = joined(render_evaluation(card))

    assert all(sentence in text for sentence in (sum_up(card), *explain_scores(card)))


def test_a_copy_worse_than_the_floor_has_an_empty_bar():
    bad = evaluation(scores={"mse": score(0.0912, 0.0, 0.0675)})

    text = joined(render_evaluation(bad))

    assert "mse 0.0912 is worse than the floor: the mean image scores 0.0675." in text
    assert "\u2588" not in text


@pytest.mark.parametrize(("noisy", "shown"), [(None, False), (0.1131, True)])
def test_the_noisy_input_has_a_column_only_where_there_is_noise(noisy, shown):
    noised = replace(MSE, baselines={"mean": 0.06747, "copy_input": noisy})

    assert ("noisy" in to_text(render_evaluation(evaluation(scores={"mse": noised})))) is shown


def test_the_bar_is_as_long_as_the_skill():
    bars = []
    for skill in (0.0, 0.25, 1.0):
        half = replace(MSE, skill=skill, baselines={})
        text = to_text(render_evaluation(evaluation(scores={"mse": half})))
        bars.append((text.count("\u2588"), text.count("\u2591")))

    full = bars[2][0]
    assert bars == [(0, full), (round(full / 4), full - round(full / 4)), (full, 0)]


def test_a_terminal_without_block_characters_gets_plain_ones():
    file = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")

    Console(file=file, width=80).print(render_evaluation(evaluation()))

    file.seek(0)
    assert "####" in file.read()


def test_a_run_says_the_losses_of_its_best_epoch_and_of_a_perfect_copy():
    assert (
        "at the best epoch: training 0.2000, validation 0.2100, a perfect copy 0.05836"
    ) in joined(render_run(run()))


def test_data_say_where_they_are_not_finite():
    assert "2 NaN, 0 infinite, first at row 7 feature 3, row 9 feature 1" in joined(
        render_data(data())
    )


def test_a_result_prints_its_facts():
    card = Card(evaluation())

    assert str(card) == to_text(render_evaluation(evaluation()))
    assert repr(card) == "<Card: Scorecard of dense-16 on mnist:test>"
    assert json.loads(card.to_json()) == card.to_dict() == evaluation().to_dict()


def test_a_result_prints_itself_on_a_rich_console():
    console = Console(file=io.StringIO(), width=80, color_system=None)

    console.print(Card(evaluation()))

    assert "Scorecard of dense-16" in console.file.getvalue()
