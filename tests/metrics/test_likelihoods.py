"""Likelihoods against scikit-learn, SciPy, Keras, and their formulas in exact sums."""

import math

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import mean_poisson_deviance

from truecopy.errors import InvalidArgument
from truecopy.metrics.likelihoods import (
    bce,
    bce_excess,
    cross_entropy,
    gaussian_nll,
    poisson_deviance,
)

SHAPES = [(7,), (6, 6), (4, 5, 3)]


def pictures(shape, rows=5):
    generator = np.random.default_rng(1)
    target = generator.integers(0, 256, (rows, *shape)) / 255
    target[generator.uniform(size=target.shape) < 0.3] = 0
    target[generator.uniform(size=target.shape) < 0.2] = 1
    return target, generator.uniform(0.01, 0.99, target.shape)


def entropy(y):
    """The entropy of Bernoulli(y), in nats."""
    return -math.fsum(q * math.log(q) for q in (y, 1 - y) if q > 0)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_excess_is_the_cross_entropy_minus_the_targets_entropy(shape):
    target, prediction = pictures(shape)
    entropies = [math.fsum(map(entropy, row.ravel())) / row.size for row in target]

    excess = bce_excess(target, prediction)

    np.testing.assert_allclose(excess, bce(target, prediction) - entropies, rtol=1e-12)


@given(st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None)
def test_the_excess_is_never_negative_and_that_of_the_formula(y, p):
    target, prediction = np.array([[y]]), np.array([[p]])

    excess = bce_excess(target, prediction)[0]

    # But for probabilities below Keras' epsilon, 1e-7, which are charged as if they were it.
    assert excess >= -1e-7
    assert excess == pytest.approx(bce(target, prediction)[0] - entropy(y), abs=2e-7)


def test_float32_outputs_near_0_and_1_keep_their_digits():
    p = np.float32([[1e-9, 3e-8, 1e-6, 1e-4, 0.01, 0.3]])
    near_1 = 1 - np.float32([[2**-23, 1e-6, 1e-4, 0.01, 0.3, 0.7]])

    black = [bce(np.zeros((1, 1), np.float32), p[:, [k]])[0] for k in range(6)]
    white = [bce(np.ones((1, 1), np.float32), near_1[:, [k]])[0] for k in range(6)]

    np.testing.assert_allclose(black, -np.log1p(-p[0].astype(float)), rtol=1e-6)
    np.testing.assert_allclose(white, -np.log(near_1[0].astype(float)), rtol=1e-6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
@settings(deadline=None)
def test_a_perfect_copy_has_no_excess(values):
    target = np.array([values])

    assert bce_excess(target, target)[0] == 0


def test_a_confident_wrong_value_costs_what_keras_charges():
    white, black = np.ones((1, 1)), np.zeros((1, 1))

    assert bce_excess(white, black)[0] == pytest.approx(-math.log(1e-7), rel=1e-6)
    assert bce_excess(black, white)[0] == pytest.approx(-math.log(1e-7), rel=1e-6)


def test_the_excess_of_float32_rows_is_good_to_a_tenth_of_a_millionth():
    target, prediction = (array.astype(np.float32) for array in pictures((28, 28)))
    exact = bce_excess(target.astype(np.float64), prediction.astype(np.float64))

    np.testing.assert_allclose(bce_excess(target, prediction), exact, atol=1e-7)


@pytest.mark.parametrize("shape", SHAPES)
def test_poisson_deviance_is_scikit_learns(shape):
    generator = np.random.default_rng(2)
    target = generator.poisson(2.0, (5, *shape)).astype(np.float32)
    prediction = generator.uniform(0.1, 9, target.shape).astype(np.float32)

    deviance = poisson_deviance(target, prediction)

    for row, value in enumerate(deviance):
        flat = (array[row].ravel().astype(np.float64) for array in (target, prediction))
        assert value == pytest.approx(mean_poisson_deviance(*flat), rel=1e-12)


def test_a_perfect_copy_of_counts_has_no_deviance_zeros_included():
    counts = np.array([[0.0, 1.0, 1000.0]])

    assert poisson_deviance(counts, counts)[0] == 0


def test_a_count_predicted_as_impossible_costs_much_but_not_infinitely():
    # 2 (y log(y / 1e-7) - y) for y = 3, where scikit-learn refuses p = 0.
    expected = 2 * (3 * math.log(3e7) - 3)

    for p in (0.0, -1.0):
        cost = poisson_deviance(np.array([[3.0]]), np.array([[p]]))[0]
        assert cost == pytest.approx(expected, rel=1e-6)


def test_cross_entropy_of_one_group_is_that_of_keras():
    generator = np.random.default_rng(3)
    target = np.eye(6)[generator.integers(0, 6, 20)]
    prediction = generator.dirichlet(np.ones(6), 20)
    keras_own = keras.losses.categorical_crossentropy(target, prediction)

    own = cross_entropy(target, prediction)

    np.testing.assert_allclose(own, keras.ops.convert_to_numpy(keras_own), rtol=1e-5)


def test_cross_entropy_adds_up_a_rows_groups():
    # Two groups of columns, of 2 and 3 choices: log 2 for the first, log 4 for the second.
    target = np.array([[0.0, 1.0, 1.0, 0.0, 0.0]])
    prediction = np.array([[0.5, 0.5, 0.25, 0.25, 0.5]])

    assert cross_entropy(target, prediction)[0] == pytest.approx(math.log(8), rel=1e-12)
    assert cross_entropy(target, target)[0] == 0
    assert not np.signbit(cross_entropy(target, target)[0])


def test_an_impossible_choice_costs_what_keras_epsilon_costs():
    target, prediction = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])

    assert cross_entropy(target, prediction)[0] == pytest.approx(-math.log(1e-7))


@pytest.mark.parametrize("scale", [0.1, 1.0, 7.5])
@pytest.mark.parametrize("shape", SHAPES)
def test_gaussian_nll_is_minus_scipys_log_density(shape, scale):
    target, prediction = np.random.default_rng(4).normal(size=(2, 5, *shape))
    density = norm.logpdf(target, loc=prediction, scale=scale).reshape(5, -1).mean(axis=1)

    own = gaussian_nll(target, prediction, scale=scale)

    np.testing.assert_allclose(own, -density, rtol=1e-12)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan])
def test_a_scale_must_be_above_0(scale):
    row = np.zeros((1, 2))
    expected = rf"The 'scale' argument of gaussian_nll must be above 0\. Got {scale}\."

    with pytest.raises(InvalidArgument, match=expected):
        gaussian_nll(row, row, scale=scale)


@pytest.mark.parametrize("metric", [bce, bce_excess, poisson_deviance, cross_entropy])
def test_a_row_scores_the_same_alone_and_among_others(metric):
    target, prediction = pictures((4, 5, 3))

    alone = [metric(target[[row]], prediction[[row]])[0] for row in range(len(target))]

    np.testing.assert_array_equal(metric(target, prediction), alone)
