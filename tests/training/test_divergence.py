"""A training that diverges says where, and keeps the last good weights."""

import re

import keras
import numpy as np
import pytest

import truecopy
from truecopy.errors import Diverged

ROWS = np.random.default_rng(0).normal(size=(200, 8))


def build(activation):
    """8-1-8, whose decoder ends in two layers with an activation; the same one every time."""

    def dense(width, name, activation="linear"):
        seeded = keras.initializers.GlorotUniform(seed=0)
        return keras.layers.Dense(width, activation, kernel_initializer=seeded, name=name)

    inputs = keras.Input((8,))
    encoder = keras.Sequential([keras.Input((8,)), dense(1, "in")], name="encoder")
    layers = [dense(8, "hidden", activation), dense(8, "out", activation)]
    decoder = keras.Sequential([keras.Input((1,)), *layers], name="decoder")
    return keras.Model(inputs, decoder(encoder(inputs)))


class Losses(keras.callbacks.Callback):
    """What Keras itself logs after each step: the mean loss of the epoch so far."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        del batch
        self.seen.append(logs["loss"])


def test_a_first_epoch_that_diverges_says_the_step_the_rate_and_the_layer():
    # Adam's first step takes every weight to 1e15 or so: the product of three is no float32.
    model = truecopy.Autoencoder(model=build("linear"), learning_rate=1e15, quiet=True)
    losses = Losses()

    with pytest.raises(Diverged) as caught:
        model.fit(ROWS, callbacks=[losses])

    said = re.fullmatch(
        r"The loss became NaN or infinite in epoch 1, at step (\d+) of 12 \(learning rate 1e\+15; "
        r"the first outputs that are not finite: those of layer '(.*)'\)\. Kept are the weights "
        r"from before\. Lower the learning rate\.",
        str(caught.value),
    )
    assert int(said[1]) == 1 + np.flatnonzero(~np.isfinite(losses.seen))[0]
    assert said[2] == "decoder/out"
    assert model.run_.diverged
    assert all(np.isfinite(weights).all() for weights in model.model_.get_weights())


class Rate(keras.callbacks.Callback):
    """Raises the learning rate in the second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        del logs
        self.model.optimizer.learning_rate = 1e15 if epoch == 1 else 1e-3


@pytest.mark.slow
def test_a_later_epoch_that_diverges_leaves_the_weights_of_the_best_before():
    def make():
        return truecopy.Autoencoder(model=build("linear"), epochs=1, quiet=True)

    model, good = make().set_params(epochs=3), make().fit(ROWS, callbacks=[Rate()])

    with pytest.raises(Diverged, match=r"in epoch 2, .*rate 1e\+15; .* the weights of epoch 1\."):
        model.fit(ROWS, callbacks=[Rate()])

    assert (model.run_.epochs, model.run_.best_epoch, model.run_.diverged) == (1, 1, True)
    assert model.run_.history == good.run_.history
    np.testing.assert_array_equal(model.encode(ROWS), good.encode(ROWS))


@pytest.mark.slow
def test_a_loss_that_overflows_on_finite_outputs_is_told_as_such():
    # Three weights of a million give outputs of 1e18, whose sum of squares is no float32.
    model = truecopy.Autoencoder(model=build("linear"), learning_rate=1e6, quiet=True)

    with pytest.raises(Diverged, match=r"at step 2 of 12 \(.*; all outputs are finite, their loss"):
        model.fit(ROWS)
