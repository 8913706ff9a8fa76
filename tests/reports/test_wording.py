"""The sentences compare with what must be compared, and no number is rounded to perfection."""

from dataclasses import replace

import pytest

from truecopy.facts import EvaluationFacts, ScoreFacts
from truecopy.reports.wording import (
    explain_scores,
    format_number,
    format_percent,
    format_skill,
    sum_up,
)


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


def evaluation(**scores):
    return EvaluationFacts(
        model="dense-16",
        data="mnist:test",
        rows=10_000,
        shape=(28, 28),
        data_range=(0.0, 1.0),
        latent=16,
        noise=None,
        baselines_from="the 60000 rows of mnist",
        scores=scores or {"mse": MSE, "keras_accuracy": ACCURACY, "bce": BCE},
        notes=("A note.",),
    )


def test_the_verdict_compares_with_floor_ceiling_and_pca():
    assert sum_up(evaluation()) == (
        "mse 0.00967 is 85.7 % of the way from the floor (the mean image, 0.06747) to a perfect "
        "copy (0). PCA of the same width gets 60.2 % of the way."
    )


def test_the_verdict_says_where_pca_stays_below_the_floor():
    poor = replace(MSE, baselines={"mean": 0.06747, "pca": 0.07})

    assert sum_up(evaluation(mse=poor)).endswith(" PCA of the same width stays below the floor.")


def test_the_width_of_the_accuracy_scale_is_said():
    assert (
        'keras_accuracy (what metrics=["accuracy"] reports; here binary_accuracy): a blank page '
        "scores 0.8088, a perfect copy 0.8155: the whole scale is 0.67 points wide."
    ) in explain_scores(evaluation())


def test_the_cost_of_a_perfect_copy_is_said_where_it_is_not_0():
    sentences = explain_scores(evaluation())

    assert "bce: a perfect copy still costs 0.0584: the targets' entropy." in sentences
    assert not any("mse: a perfect copy" in sentence for sentence in sentences)


def test_the_notes_come_last():
    assert explain_scores(evaluation())[-1] == "A note."


def test_a_copy_worse_than_the_floor_is_called_so():
    bad = evaluation(mse=score(0.0912, 0.0, 0.0675))

    assert sum_up(bad) == "mse 0.0912 is worse than the floor: the mean image scores 0.0675."


def test_a_copy_worse_than_pca_is_called_so():
    linear = score(0.03, 0.0, 0.0675, baselines={"mean": 0.0675, "pca": 0.02})

    sentences = explain_scores(evaluation(mse=linear))

    assert "A linear copy (PCA) of the same width does better: mse 0.0200." in sentences


def test_a_denoiser_worse_than_the_noise_is_called_so():
    baselines = {"mean": 0.0675, "copy_input": 0.01}
    denoiser = score(0.03, 0.0, 0.0675, baselines=baselines)

    sentences = explain_scores(evaluation(mse=denoiser))

    assert "The noisy input itself, untouched, does better: mse 0.0100." in sentences


def test_a_scale_without_width_has_no_skill_and_says_why():
    flat = evaluation(mse=replace(MSE, floor=0.0, value=0.0, skill=None))

    assert explain_scores(flat)[0] == (
        "mse: floor and ceiling coincide at 0: it can't tell a copy from nothing."
    )
    assert sum_up(flat) == (
        "No figure has both a floor and a ceiling: nothing says how good the copy is."
    )


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"),
        (0.0001, "under 0.1 %"),
        (0.80879, "80.9 %"),
        (0.9999, "over 99.9 %"),
        (1.0, "100 %"),
        (-0.352, "-35.2 %"),
    ],
)
def test_a_share_is_never_rounded_to_none_or_all(share, text):
    assert format_percent(share) == text


@pytest.mark.parametrize(
    ("skill", "text"), [(None, "-"), (0.99999, "0.999"), (1.0, "1"), (-0.3517, "-0.352")]
)
def test_a_skill_is_never_rounded_to_perfect(skill, text):
    assert format_skill(skill) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(float("nan"), "-"), (float("inf"), "inf"), (1e-9, "1e-09"), (1234567.0, "1,234,567")],
)
def test_unusual_numbers_stay_readable(number, text):
    assert format_number(number) == text
