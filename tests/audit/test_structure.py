"""The structure of a model is read off a run of it."""

import keras
import numpy as np
import pytest
from keras import layers

from truecopy.audit.latent import find_latent
from truecopy.audit.output import Reach
from truecopy.audit.structure import describe_model, find_role, is_straight, pick_output
from truecopy.audit.subject import Subject
from truecopy.audit.trace import record

RNG = np.random.default_rng(0)
X = RNG.uniform(size=(16, 6)).astype("float32")
IMAGES = RNG.uniform(size=(8, 8, 8, 1)).astype("float32")
STEPS = RNG.uniform(size=(8, 5, 2)).astype("float32")


def facts_of(model, x, y=None):
    subject = Subject(model=model, target="m", inputs=x, targets=x if y is None else y)
    seen = record(model, x)
    return describe_model(
        subject, seen, Reach(), pick_output(subject, seen), straight=False, latent=find_latent(seen)
    )


def dense(*middle):
    return keras.Sequential([keras.Input((6,)), *middle, layers.Dense(6, name="out")])


def test_the_latent_is_the_narrowest_layer_with_the_activation_that_follows_it():
    model = dense(layers.Dense(5), layers.Dense(2, name="z"), layers.ReLU(), layers.Dense(5))

    facts = facts_of(model, X)

    assert (facts.latent, facts.latent_layer, facts.latent_activation) == (2, "z", "relu")
    assert facts.output_layer == "out"
    assert [e.part for e in facts.layers if e.name in {"z", "out"}] == ["latent", "output"]


def test_frozen_layers_have_a_latent_and_an_output_as_well():
    model = dense(layers.Dense(5), layers.Dense(2, name="z"), layers.Dense(4))
    model.trainable = False

    facts = facts_of(model, X)

    assert (facts.latent, facts.latent_layer, facts.output_layer) == (2, "z", "out")
    assert facts.first_input == (X.min(), X.max())


def test_the_latent_of_images_is_counted_in_values_and_of_sequences_is_the_vector():
    pooled = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(2, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(4),
            layers.UpSampling2D(4),
            layers.Conv2D(1, 3, padding="same"),
        ]
    )
    recurrent = keras.Sequential(
        [
            keras.Input((5, 2)),
            layers.LSTM(3, name="vector"),
            layers.RepeatVector(5),
            layers.LSTM(4, return_sequences=True),
            layers.TimeDistributed(layers.Dense(2)),
        ]
    )

    assert facts_of(pooled, IMAGES).latent == 2 * 2 * 2
    assert facts_of(recurrent, STEPS).latent_layer == "vector"


def test_a_wide_hidden_layer_is_a_latent_that_can_hold_the_input():
    assert facts_of(dense(layers.Dense(12, name="wide")), X).latent == 12


def test_penalties_and_noise_up_to_the_latent_are_seen():
    penalised = dense(layers.Dense(12, activity_regularizer="l1"))
    noisy = dense(layers.GaussianNoise(0.1), layers.Dense(12))

    assert facts_of(penalised, X).penalised
    assert facts_of(noisy, X).noise
    assert not facts_of(dense(layers.Dense(12)), X).penalised
    assert not facts_of(dense(layers.Dense(12)), X).noise


@pytest.mark.parametrize(
    ("units", "targets", "role"),
    [
        (6, X, "autoencoder"),
        (1, np.arange(16) % 3, "classifier"),
        (5, X, "autoencoder"),  # a shape that is wrong, not another purpose
        (1, X, "autoencoder"),  # broadcast
        (2, X, "encoder"),
        (3, np.eye(3)[np.arange(16) % 3], "classifier"),
        (2, RNG.normal(size=(16, 2)), "other"),
    ],
)
def test_a_model_is_what_its_targets_make_it(units, targets, role):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(units)])
    subject = Subject(model=model, target="m", inputs=X, targets=targets)

    assert find_role(subject, record(model, X).output)[0] == role


def test_a_model_without_a_bend_is_straight():
    assert is_straight(dense(layers.Dense(3)), X, 0)
    assert not is_straight(dense(layers.Dense(3, activation="tanh")), X, 0)
