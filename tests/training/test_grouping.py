"""Steps are grouped where nobody can tell, and only there."""

import keras
import numpy as np
import pytest

import truecopy
from truecopy.training import fit
from truecopy.training.grouping import Trainer, group_steps

ROWS = np.random.default_rng(0).uniform(size=(230, 6)).astype(np.float32)
ON_JAX = pytest.mark.skipif(keras.backend.backend() != "jax", reason="only JAX gains")


def dense(width=6):
    return keras.Sequential([keras.Input((width,)), keras.layers.Dense(width)])


def fit_with(group, monkeypatch):
    """Return the history of 3 epochs of 13 steps, and the steps after which Keras looked up."""
    monkeypatch.setattr(fit, "group_steps", lambda *_, **__: group)
    model = truecopy.Autoencoder(2, model="dense", epochs=3, batch_size=16, quiet=True)
    ends = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs=None: ends.append((batch, logs))
    )
    model.fit(ROWS, callbacks=[watch])
    return model.run_.history, len(ends)


@ON_JAX
def test_grouped_steps_give_the_same_history_but_for_rounding(monkeypatch):
    alone, calls_alone = fit_with(1, monkeypatch)

    grouped, calls_grouped = fit_with(5, monkeypatch)

    assert grouped.keys() == alone.keys()
    for name, values in alone.items():
        np.testing.assert_allclose(grouped[name], values, rtol=1e-5, err_msg=name)
    assert (calls_alone, calls_grouped) == (3 * 13, 3 * 3)


@ON_JAX
def test_a_short_last_group_is_not_compiled_anew():
    traced = []

    class Counting(keras.layers.Layer):
        def call(self, inputs):
            traced.append(inputs.shape)
            return inputs

    inputs = keras.Input((6,))
    model = Trainer(inputs, keras.layers.Dense(6)(Counting()(inputs)))
    # 13 batches in groups of 5.
    rows = ROWS[: 13 * 16]
    model.compile("sgd", "mse", steps_per_execution=5)
    model.fit(rows, rows, batch_size=16, epochs=1, verbose=0)
    once = len(traced)

    model.fit(rows, rows, batch_size=16, epochs=3, verbose=0)

    # Keras' own look at the shapes, the shapes of the losses, and the program.
    assert traced.count((16, 6)) == 3
    assert len(traced) == once


@ON_JAX
def test_short_steps_of_a_dense_model_are_grouped():
    assert group_steps(dense(), 100, []) == 16
    assert group_steps(dense(), 100, [keras.callbacks.History()]) == 16


def test_long_steps_are_not_grouped():
    # 6 x 10**7 rows x 42 weights
    assert group_steps(dense(), 10**7, []) == 1


def test_convolutions_are_not_grouped():
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(1, 3)])

    assert group_steps(model, 1, []) == 1


class EveryBatch(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        """Want to know."""


@pytest.mark.parametrize(
    "callback",
    [EveryBatch(), keras.callbacks.LambdaCallback(on_train_batch_end=lambda *_: None)],
    ids=["a method", "a function"],
)
def test_a_callback_for_every_batch_gets_every_batch(callback):
    assert group_steps(dense(), 100, [callback]) == 1
