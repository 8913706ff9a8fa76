"""Layers are seen, and replaced, while a model of any kind runs."""

import keras
import numpy as np
import pytest

from truecopy.audit.preserve import unchanged
from truecopy.audit.trace import as_array, overriding, record

X = np.random.default_rng(0).uniform(size=(16, 6)).astype("float32")


def nested():
    encoder = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3, name="code")], name="enc")
    decoder = keras.Sequential([keras.Input((3,)), keras.layers.Dense(6, name="out")], name="dec")
    inputs = keras.Input((6,))
    return keras.Model(inputs, decoder(encoder(inputs)))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.code = keras.layers.Dense(3, name="code")
        self.noise = keras.layers.Dropout(0.5, seed=1)
        self.out = keras.layers.Dense(6, name="out")

    def call(self, x, training=None):
        return keras.ops.sigmoid(self.out(self.noise(self.code(x), training=training)))


@pytest.mark.parametrize("make", [nested, Subclassed])
def test_layers_inside_are_seen_with_what_they_take_and_give(make):
    model = make()

    seen = record(model, X)

    by_name = {call.layer.name: call for call in seen.leaves()}
    code, out = by_name["code"], by_name["out"]
    kernel, bias = (as_array(w.value) for w in code.layer.weights)
    np.testing.assert_allclose(code.output(), X @ kernel + bias, atol=1e-5)
    assert out.inputs[0].shape == (16, 3)
    np.testing.assert_array_equal(as_array(seen.output), as_array(model(X)))


def test_what_a_layer_takes_leads_to_the_layer_that_gave_it():
    seen = record(nested(), X)
    out = next(call for call in seen.leaves() if call.layer.name == "out")

    assert seen.source(out.inputs[0]).layer.name == "code"
    assert out in seen.users(next(c for c in seen.calls if c.layer.name == "code"))


def test_a_recurrent_layer_counts_as_one():
    model = keras.Sequential([keras.Input((4, 2)), keras.layers.LSTM(3, name="lstm")])

    seen = record(model, np.zeros((5, 4, 2), "float32"))

    assert [call.layer.name for call in seen.leaves()][-1] == "lstm"


def test_what_a_layer_gives_can_be_replaced_and_is_put_back():
    model = nested()
    code = model.get_layer("enc").get_layer("code")
    plain = as_array(model(X))

    with overriding({code: keras.ops.zeros_like}):
        replaced = as_array(model(X))

    bias = as_array(model.get_layer("dec").get_layer("out").bias.value)
    np.testing.assert_allclose(replaced, np.broadcast_to(bias, (16, 6)), atol=1e-7)
    np.testing.assert_array_equal(as_array(model(X)), plain)


def test_training_a_model_leaves_nothing_behind():
    model = Subclassed()
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, X, verbose=0, batch_size=8)
    variables = [*model.variables, *model.optimizer.variables]
    before = [as_array(v.value).copy() for v in variables]
    history, random = model.history, np.random.get_state()[1].copy()  # noqa: NPY002

    with unchanged(model):
        model.fit(X, X, verbose=0, epochs=2)
        np.random.normal()  # noqa: NPY002
        changed = [as_array(v.value) for v in variables]

    after = [as_array(v.value) for v in variables]
    assert any((a != b).any() for a, b in zip(before, changed, strict=True))
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    assert model.history is history
    assert (np.random.get_state()[1] == random).all()  # noqa: NPY002
    model.fit(X, X, verbose=0)  # and goes on as before
