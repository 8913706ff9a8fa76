"""What an output can be is found by driving it, whatever its last operation is called."""

import keras
import numpy as np
import pytest
from keras import layers

from truecopy.audit.attainable import Attainable
from truecopy.audit.output import find_reach
from truecopy.audit.trace import record

X = np.random.default_rng(0).uniform(size=(16, 6)).astype("float32")


class Squash(layers.Layer):
    def call(self, x):
        return 3 * keras.ops.sigmoid(x) - 1


def reach_of(*tail):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(4, activation="relu"), *tail])
    return find_reach(model, X, record(model, X), 0)


@pytest.mark.parametrize(
    ("tail", "bounds"),
    [
        ([layers.Dense(6)], (None, None)),
        ([layers.Dense(6, activation="sigmoid")], (0, 1)),
        ([layers.Dense(6, activation="relu")], (0, None)),
        ([layers.Dense(6), layers.Activation("tanh")], (-1, 1)),
        ([layers.Dense(6), layers.LeakyReLU()], (None, None)),
        ([layers.Dense(6, activation="softplus")], (0, None)),
        ([layers.Dense(6, activation="sigmoid"), layers.Rescaling(255.0)], (0, 255)),
        ([layers.Dense(6), Squash()], (-1, 2)),
        ([layers.Dense(6, kernel_initializer="zeros", activation="sigmoid")], (0, 1)),
        ([layers.Dense(6), layers.BatchNormalization()], (None, None)),
    ],
)
def test_bounds_are_those_of_the_last_operation(tail, bounds):
    assert reach_of(*tail).bounds == pytest.approx(bounds)


def test_an_output_that_sums_to_1_is_a_softmax_over_that_axis():
    assert reach_of(layers.Dense(6, activation="softmax")).softmax_axis == -1
    steps = [layers.Dense(6), layers.Reshape((2, 3)), layers.Softmax(axis=1)]
    assert reach_of(*steps).softmax_axis == -2
    assert reach_of(layers.Dense(6, activation="sigmoid")).softmax_axis is None


def test_a_softmax_of_one_unit_is_always_1():
    reach = reach_of(layers.Reshape((4, 1)), layers.Dense(1, activation="softmax"))

    assert reach.softmax_axis == -1
    assert reach.bounds == (1, 1)
    assert reach_of(layers.Dense(1, activation="sigmoid")).softmax_axis is None


def test_a_softmax_that_is_reshaped_sums_to_1_over_the_whole_row():
    pictures = [layers.Dense(6, activation="softmax"), layers.Reshape((2, 3, 1))]

    assert reach_of(*pictures).softmax_axis == 0


def test_a_sigmoid_of_a_sigmoid_is_squashed_twice_and_a_scaled_one_is_not():
    first = layers.Dense(6, activation="sigmoid")
    assert reach_of(first, layers.Activation("sigmoid")).squashed_twice
    assert not reach_of(layers.Dense(6, activation="sigmoid"), layers.Rescaling(2.0)).squashed_twice
    assert not reach_of(layers.Dense(6, activation="sigmoid")).squashed_twice


def test_driving_a_model_leaves_its_weights():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(6, activation="sigmoid")])
    before = model.get_weights()

    find_reach(model, X, record(model, X), 0)

    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))


def test_the_nearest_picture_of_a_reshaped_softmax_sums_to_1():
    pictures = np.full((2, 2, 2), 0.5)

    nearest = Attainable(bounds=(0.0, 1.0), softmax_axis=0).project(pictures)

    np.testing.assert_allclose(nearest, 0.25)
