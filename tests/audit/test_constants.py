"""A number that a callback sets while a model is trained is one that the compiled step has read."""

import keras
import numpy as np
import pytest
from keras import layers

from truecopy.audit.constants import as_compiled, read_numbers
from truecopy.audit.recorded_losses import Losses
from truecopy.audit.recording import Recorder

X = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
COMPILES = keras.backend.backend() != "torch"


class Weighed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(4)
        self.weight = 0.0

    def call(self, rows):
        return self.dense(rows)

    def compute_loss(self, x=None, y=None, y_pred=None, *_, **__):  # noqa: ARG002 (Keras')
        return 0 * keras.ops.mean(y_pred) + self.weight


class Raise(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):  # noqa: ARG002 (Keras' signature)
        self.model.weight = float(epoch)


def train(**compiling):
    model, recorder = Weighed(), Recorder(Losses())
    model.compile("adam", **compiling)
    history = model.fit(X, X, epochs=3, verbose=0, callbacks=[Raise(), recorder])
    return model, recorder.numbers, history.history["loss"]


def test_the_step_keeps_the_number_that_it_was_compiled_with():
    model, numbers, losses = train()
    assert losses == ([0, 0, 0] if COMPILES else [0, 1, 2])  # what Keras 3.15 does

    with as_compiled(model, numbers) as told:
        assert model.weight == (0 if COMPILES else 2)
        if COMPILES:
            (sentence,) = told
            assert sentence.startswith(f"'weight' of {model.name} was set from 0 to 2 while")

    assert model.weight == 2


def test_a_step_that_runs_eagerly_reads_it_anew():
    model, numbers, losses = train(run_eagerly=True)
    assert losses == [0, 1, 2]

    with as_compiled(model, numbers) as told:
        assert told == ()
        assert model.weight == 2


def test_the_number_comes_back_where_the_block_fails():
    model, numbers, _ = train()

    with pytest.raises(RuntimeError), as_compiled(model, numbers):
        raise RuntimeError
    assert model.weight == 2


def test_numbers_are_those_of_the_model_and_its_layers():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dropout(0.25)])

    numbers = read_numbers(model)

    assert {(name, value) for (_, name), value in numbers.items()} >= {("units", 3), ("rate", 0.25)}
    assert not any(name.startswith("_") for _, name in numbers)


def test_numbers_of_numpy_are_numbers_and_flags_are_none():
    model = Weighed()
    model.weight, model.flag = np.float64(0.5), True

    assert {name: value for (_, name), value in read_numbers(model).items()}["weight"] == 0.5
    assert "flag" not in {name for _, name in read_numbers(model)}
