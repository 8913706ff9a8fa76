"""The parts behind the figures add up, in the words and in the order in which they are read."""

import numpy as np
import pytest

from truecopy.facts import (
    ColumnScoreFacts,
    EvaluationFacts,
    Examples,
    ReportSection,
    ScoreFacts,
)
from truecopy.reports.breakdown import (
    describe_breakdown,
    describe_structure,
    describe_tolerance,
    list_classes,
    list_columns,
    list_excess,
    list_tones,
    list_verdicts,
)
from truecopy.reports.evaluation_charts import show_latents, show_scatter, show_tolerance
from truecopy.reports.html import render_page
from truecopy.reports.story import tell_score
from truecopy.reports.terminal import render_evaluation, to_text

ACCURACY = {
    "resolves_to": "binary_accuracy",
    "last_dimension": 1,
    "keras_float32": 0.800000012,
    "values": 1000,
    "targets": {"black": 700, "grey": 200, "white": 100},
    "right": {"black": 690, "grey": 0, "white": 110},
    "bridge": {
        "right_exact": 600,
        "right_not_exact": 200,
        "wrong_exact": 50,
        "wrong_not_exact": 150,
    },
    "can_be_right": 800,
    "only_rounded": 40,
    "only_truncated": 10,
}
BCE = {
    "floor": 0.05,
    "excess": 0.08,
    "excess_by_target": {"black": 0.02, "grey": 0.05, "white": 0.01},
}
SCORE = ScoreFacts(
    value=0.8, perfect=0.9, floor=0.7, floor_from="blank", skill=0.5, ci95=(0.79, 0.81),
    higher_is_better=True, baselines={"blank": 0.7}, resolves_to="binary_accuracy",
)  # fmt: skip


def evaluation(**changes):
    facts = {
        "model": "net", "data": "mnist", "rows": 10, "shape": (10, 10, 1),
        "data_range": (0.0, 1.0), "latent": 8, "noise": None, "baselines_from": "10 rows",
        "scores": {"keras_accuracy": SCORE, "bce": SCORE},
        "explain": {"keras_accuracy": ACCURACY, "bce": BCE},
        "structure": {
            "variance_kept": 0.871, "copies_effective_rank": 6.54, "latents_active": 7,
            "latents_effective_rank": 5.21, "error_input_correlation": -0.117,
        },
        "tolerance": (0.65, 0.7, 0.72, *np.linspace(0.75, 1, 253)),
        "classes": {"one": 0.01, "seven": 0.04, "$x$ <b>": 0.02},
    }  # fmt: skip
    return EvaluationFacts(**facts | changes)


def test_verdicts_and_tones_add_up_to_all_values():
    verdicts, tones = list_verdicts(evaluation()), list_tones(evaluation())

    assert [part.count for part in verdicts] == [600, 200, 50, 150]
    assert [part.share for part in verdicts] == [0.6, 0.2, 0.05, 0.15]
    assert [part.text for part in tones] == ["0 (black)", "between (grey)", "1 (white)"]
    assert sum(part.count for part in tones) == sum(part.count for part in verdicts) == 1000


def test_the_excess_is_shared_out_by_target():
    assert [part.share for part in list_excess(evaluation())] == pytest.approx([0.25, 0.625, 0.125])


def test_classes_come_worst_first_and_only_so_many():
    classes = list_classes(evaluation())

    assert [part.text for part in classes] == ["seven", "$x$ <b>", "one"]
    assert [part.share for part in classes] == [1, 0.5, 0.25]
    many = {str(number): float(number) for number in range(100)}
    shown = list_classes(evaluation(classes=many))
    assert [part.text for part in shown[:2]] == ["99", "98"]
    assert len(shown) == 24


def test_exact_copies_have_classes_and_no_shares():
    assert [part.share for part in list_classes(evaluation(classes={"0": 0.0}))] == [0]
    perfect = {**BCE, "excess_by_target": {"black": 0.0, "grey": 0.0, "white": 0.0}}
    assert {part.share for part in list_excess(evaluation(explain={"bce": perfect}))} == {0}


def test_tolerance_and_structure_are_said_in_words():
    assert describe_tolerance(evaluation()).startswith("0: 65 %; 1: 70 %; 2: 72 %; 5: ")
    assert dict(describe_structure(evaluation())) == {
        "variance": "the copies have 87.1 % of that of the targets",
        "copies": "effective rank 6.5: about so many directions are in use",
        "latents": "7 of 8 active (variance above 0.01); effective rank 5.2",
        "errors": "correlation of the absolute error with the target's value -0.12",
    }
    assert dict(describe_breakdown(evaluation()))["classes"] == (
        "mse by label from 0.01000 (one) to 0.04000 (seven)"
    )


def test_what_is_not_known_is_not_said():
    bare = evaluation(explain={}, structure={"variance_kept": None}, tolerance=(), classes={})

    assert list(describe_breakdown(bare)) == []
    assert list_verdicts(bare) == list_tones(bare) == list_excess(bare) == list_classes(bare) == ()
    assert show_tolerance(bare) is None
    page = render_page("t", [ReportSection(heading="t", evaluation=bare)])
    for heading in ("How near", "Error by class", "explained", "Structure"):
        assert heading not in page


def test_the_accuracys_story_adds_up():
    told = " ".join(tell_score("keras_accuracy", evaluation()))

    assert "because the last dimension of the output is 1" in told
    assert "float32, gives 0.800000012." in told
    assert "Of 1,000 values 700 are 0, 100 are 1 and 200 are grey." in told
    # 800 right, less 200 that are not exact, and 50 exact ones that count as wrong.
    assert "800 right - 200 right but not exact + 50 exact but counted wrong = 650 exact" in told
    # 650 exact when rounded, less 40, and 10 more.
    assert "620 exact when truncated: 62.0000%" in told


def test_the_losss_story_has_floor_and_excess():
    told = " ".join(tell_score("bce", evaluation()))

    assert "A perfect copy costs 0.05" in told
    assert "0.02 in black targets, 0.05 in grey targets, 0.01 in white targets" in told


def examples(own, linear):
    return Examples(
        rows=(), mean_error=np.zeros(4), row_errors=np.array(own), pca_errors=np.array(linear)
    )


def test_the_scatter_says_how_many_rows_are_copied_better_than_by_pca():
    picture, better = show_scatter(examples([0.01, 0.02, 0.09, 0.0], [0.02, 0.03, 0.05, 0.01]))

    assert better == 0.75
    assert picture.alt.startswith("Mean squared error of 4 rows beside PCA's: 75 % lie below")
    assert picture.light != picture.dark
    assert picture.light[:4] == picture.dark[:4] == b"\x89PNG"


@pytest.mark.parametrize(("own", "linear"), [([], []), ([0.0, 0.0], [0.0, 0.1])])
def test_there_is_no_scatter_without_errors_to_compare(own, linear):
    assert show_scatter(examples(own, linear)) is None


@pytest.mark.parametrize("curve", [(1.0,) * 256, (0.0,) * 255 + (1.0,), (0.999, 1.0)])
def test_the_curve_can_be_drawn_of_any_copies(curve):
    assert show_tolerance(evaluation(tolerance=curve)).light[:4] == b"\x89PNG"


def test_page_and_terminal_show_all_of_it():
    shown = examples([0.01, 0.02], [0.02, 0.01])
    section = ReportSection(heading="t", evaluation=evaluation(), examples=shown)

    page, text = render_page("t", [section]), to_text(render_evaluation(evaluation()))

    for words in (
        "How near the copies come", "Error by class", "The accuracy explained",
        "exact, but counted wrong", "The loss explained", "excess held by targets", "Structure",
        "50 % of them are copied", "$x$ &lt;b&gt;", "60.0000 %",
    ):  # fmt: skip
        assert words in page
    assert "<b>" not in page
    for words in ("within", "mse by label", "effective rank 6.5"):
        assert words in text


def columns(**skills):
    return {
        name: ColumnScoreFacts(kind="numeric", value=0.1, floor=1.0, pca=None, skill=skill)
        for name, skill in skills.items()
    }


def test_the_columns_are_listed_from_the_worst_and_those_without_skill_last():
    told = evaluation(columns=columns(a=0.5, b=None, c=-0.2))

    assert [name for name, _ in list_columns(told)] == ["c", "a", "b"]
    assert dict(describe_breakdown(told))["columns"] == "skill from -0.2000 (c) to 0.5000 (a)"


def test_the_page_has_the_columns_of_a_table():
    told = evaluation(columns=columns(age=0.5, **{"<b>": 0.25}))

    page = render_page("t", [ReportSection(heading="t", evaluation=told)])

    assert ">age</th>" in page
    assert ">&lt;b&gt;</th>" in page


def test_rows_are_drawn_by_their_latents():
    shown = Examples(
        rows=(), mean_error=np.zeros(4), row_errors=np.array([0.1, 0.0, 0.3]),
        latents=np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]]), latent_shares=(0.75, 0.25),
    )  # fmt: skip

    picture = show_latents(shown)

    assert picture.alt.startswith("3 rows by the two directions")
    assert "75 % and 25 % of the variance" in picture.alt
    assert picture.light[:4] == picture.dark[:4] == b"\x89PNG"


def test_without_two_latents_there_is_nothing_to_draw():
    assert show_latents(examples([0.1], [0.2])) is None
