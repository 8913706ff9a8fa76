"""Every metric against an oracle in float64 written from its formula, and scikit-learn."""

import math

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss, mean_absolute_error, mean_squared_error
from sklearn.metrics import max_error as sklearn_max_error

from truecopy.facts import Choice, PlanFacts
from truecopy.metrics.accuracy import keras_accuracy, resolve_accuracy
from truecopy.metrics.catalogue import PAGES, suited_metrics
from truecopy.metrics.errors import mae, max_error, mse
from truecopy.metrics.likelihoods import bce
from truecopy.metrics.pixels import exact_match

GENERATOR = np.random.default_rng(0)
SHAPES = [(7,), (28, 28, 1), (4, 5, 3), (6, 6)]


def pair(shape, rows=20):
    target = GENERATOR.integers(0, 256, (rows, *shape)).astype(np.float32) / 255
    target[GENERATOR.uniform(size=target.shape) < 0.3] = 0
    target[GENERATOR.uniform(size=target.shape) < 0.2] = 1
    prediction = np.clip(target + GENERATOR.normal(0, 0.2, target.shape), 0.01, 0.99)
    return target, prediction.astype(np.float32)


@pytest.mark.parametrize(("dtype", "rel"), [(np.float64, 1e-12), (np.float32, 1e-6)])
@pytest.mark.parametrize("shape", SHAPES)
def test_errors_are_those_of_scikit_learn(shape, dtype, rel):
    target, prediction = (rows.astype(dtype) for rows in pair(shape))
    flat = [a.reshape(len(a), -1).astype(np.float64) for a in (target, prediction)]

    assert mse(target, prediction).mean() == pytest.approx(mean_squared_error(*flat), rel=rel)
    assert mae(target, prediction).mean() == pytest.approx(mean_absolute_error(*flat), rel=rel)
    worst = [sklearn_max_error(y, p) for y, p in zip(*flat, strict=True)]
    np.testing.assert_allclose(max_error(target, prediction), worst, rtol=rel)


@pytest.mark.parametrize("shape", SHAPES)
def test_cross_entropy_is_its_formula_in_exact_arithmetic(shape):
    target, prediction = (rows.astype(np.float64) for rows in pair(shape, rows=3))

    def cost(y, p):
        return -(y * math.log(p) + (1 - y) * math.log(1 - p))

    for row, value in enumerate(bce(target, prediction)):
        pairs = zip(target[row].ravel().tolist(), prediction[row].ravel().tolist(), strict=True)
        expected = math.fsum(cost(y, p) for y, p in pairs) / target[row].size
        assert value == pytest.approx(expected, rel=1e-12)


def test_cross_entropy_of_binary_targets_is_scikit_learns_log_loss():
    target = GENERATOR.integers(0, 2, (1, 500)).astype(float)
    prediction = GENERATOR.uniform(0.01, 0.99, (1, 500))

    assert bce(target, prediction)[0] == pytest.approx(log_loss(target[0], prediction[0]))


def test_a_perfect_copy_of_binary_targets_costs_nothing():
    target = GENERATOR.integers(0, 2, (5, 50)).astype(float)

    assert (bce(target, target) == 0).all()


def test_a_perfect_copy_of_uniform_targets_costs_half_a_nat():
    target = GENERATOR.uniform(size=(200, 500))

    # The entropy of Bernoulli(y), averaged over y in [0, 1], is exactly 1/2.
    assert bce(target, target).mean() == pytest.approx(0.5, abs=3 * 0.19 / 100_000**0.5)


@given(st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None)
def test_nothing_costs_less_than_a_perfect_copy(y, p):
    # But for probabilities below Keras' epsilon, 1e-7, which are charged as if they were it.
    target, prediction = np.array([[y]]), np.array([[p]])

    assert bce(target, target)[0] <= bce(target, prediction)[0] + 1e-7


@pytest.mark.parametrize("shape", SHAPES)
def test_keras_accuracy_is_what_keras_reports(shape):
    target, prediction = pair(shape)
    model = keras.Sequential([keras.Input(shape), keras.layers.Activation("linear")])
    model.compile(loss="mse", metrics=["accuracy"])
    reported = model.evaluate(prediction, target, verbose=0, return_dict=True)["accuracy"]

    own = keras_accuracy(target, prediction).mean()

    assert own == pytest.approx(reported, rel=1e-6)
    # The class Keras resolved: the behaviour of 3.15.1 that resolve_accuracy relies on.
    compiled = model._compile_metrics._flat_metrics  # noqa: SLF001 (the only place it is told)
    resolved = type(compiled[0].metrics[0]).__name__
    assert (
        resolved
        == {"binary_accuracy": "BinaryAccuracy", "categorical_accuracy": "CategoricalAccuracy"}[
            resolve_accuracy(shape)
        ]
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_exact_match_counts_equal_grey_levels(shape):
    target, prediction = pair(shape)
    levels = [(a.astype(np.float64) * 255).round().astype(int) for a in (target, prediction)]

    expected = (levels[0] == levels[1]).mean()

    assert exact_match(target, prediction).mean() == pytest.approx(expected, abs=1e-12)
    assert exact_match(target, target).min() == 1


def test_every_grey_level_matches_itself_and_no_other():
    levels = np.arange(256, dtype=np.uint8)[None].astype(np.float32) / 255

    assert exact_match(levels, levels)[0] == 1
    assert exact_match(levels, np.roll(levels, 1))[0] == 0


@pytest.mark.parametrize("name", PAGES)
def test_a_metrics_page_says_what_it_must(name):
    page = PAGES[name].__doc__

    assert page.splitlines()[0].endswith(".")
    for part in ("Formula: ", "is better", "Source: ", "Example:"):
        assert part in page, f"{name} has no {part!r}"
    assert "hides" in page


def test_unit_metrics_are_left_out_where_they_are_not_defined():
    choice = Choice(value="", reason="")
    real = PlanFacts(
        kind="real", because="", scaling=choice, output=choice, loss=choice, target_range=None
    )

    names = [metric.name for metric in suited_metrics(real, (8, 8))]

    assert names == ["mse", "mae", "max_error", "keras_accuracy"]
