"""What is applied to a layer's values is told from the values, however it is written."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from truecopy.audit.named import follow_activation, name_by_numbers
from truecopy.audit.trace import record

X = np.random.default_rng(0).normal(size=(32, 6)).astype("float32")


class Bare(keras.Model):
    """Applies operations that are no layers."""

    def __init__(self):
        super().__init__()
        self.code = layers.Dense(3, name="code")
        self.drop = layers.Dropout(0.5)
        self.out = layers.Dense(6, name="out")

    def call(self, x):
        return ops.sigmoid(self.out(self.drop(ops.relu(self.code(x)))))


def bare_functional():
    inputs = keras.Input((6,))
    return keras.Model(inputs, ops.sigmoid(layers.Dense(6, name="out")(ops.relu(code()(inputs)))))


def code():
    return layers.Dense(3, name="code")


def behind_a_lambda():
    squash = layers.Lambda(lambda x: 1 / (1 + ops.exp(-x)))
    cut = layers.Lambda(lambda x: ops.maximum(x, 0))
    return keras.Sequential([keras.Input((6,)), code(), cut, layers.Dense(6, name="out"), squash])


@pytest.mark.parametrize("make", [Bare, bare_functional, behind_a_lambda])
def test_an_operation_without_a_name_is_named_by_what_it_does(make):
    model = make()
    model(X)

    seen = record(model, X)

    calls = {call.layer.name: call for call in seen.leaves()}
    assert follow_activation(calls["code"], seen) == "relu"
    assert follow_activation(calls["out"], seen) == "sigmoid"


def test_the_activation_behind_a_dropout_is_followed():
    model = keras.Sequential(
        [keras.Input((6,)), code(), layers.Dropout(0.5), layers.ReLU(), layers.Dense(6)]
    )

    seen = record(model, X)

    assert follow_activation(seen.leaves()[0], seen) == "relu"


def test_two_linear_layers_in_a_row_have_no_activation():
    model = keras.Sequential([keras.Input((6,)), code(), layers.Dense(3), layers.Dropout(0.5)])

    seen = record(model, X)

    assert [follow_activation(call, seen) for call in seen.leaves()] == [None, None, None]


@pytest.mark.parametrize("name", ["relu", "tanh", "softmax", "gelu", "elu", "softplus"])
def test_known_activations_are_told_apart(name):
    assert name_by_numbers(X, getattr(keras.activations, name)(X)) == name


def test_what_is_no_activation_has_no_name():
    assert name_by_numbers(X, X) is None
    assert name_by_numbers(X, 2 * X + 1) is None
    assert name_by_numbers(X, X[:, :3]) is None
