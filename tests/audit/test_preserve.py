"""The audit leaves nothing behind: what is trained after it is what would have been."""

import random

import keras
import numpy as np
import pytest
from keras import layers
from keras.src.backend.common import global_state

import truecopy
from truecopy.audit.preserve import unchanged

X = np.random.default_rng(0).uniform(size=(96, 8)).astype("float32")


class Subclassed(keras.Model):
    """Has no weights until it is called."""

    def __init__(self):
        super().__init__()
        self.code = layers.Dense(3, activation="relu")
        self.drop = layers.Dropout(0.2)
        self.scale = layers.BatchNormalization()
        self.out = layers.Dense(8)

    def call(self, x, training=None):
        code = self.drop(self.code(x), training=training)
        return self.out(self.scale(code, training=training))


def sequential():
    return keras.Sequential(
        [
            keras.Input((8,)),
            layers.GaussianNoise(0.1),
            layers.Dense(3, activity_regularizer="l1"),
            layers.BatchNormalization(),
            layers.Dense(8, activation="sigmoid"),
        ]
    )


def decaying():
    return keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.9)


def train(make, optimizer, *, audited):
    keras.utils.set_random_seed(3)
    model = make()
    model.compile(optimizer(), "mse", metrics=["mae"])
    if audited:
        truecopy.audit(model, X)
    history = model.fit(X, X, epochs=2, batch_size=32, verbose=0)
    drawn = random.random(), np.random.random()  # noqa: NPY002, S311 (the user's generators)
    return history.history, model.get_weights(), drawn, layers.Dense(1).name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "optimizer"),
    [
        (Subclassed, lambda: keras.optimizers.Adam(0.01)),
        pytest.param(
            sequential,
            lambda: keras.optimizers.SGD(decaying(), momentum=0.9),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_is_trained_after_an_audit_is_what_is_trained_without_one(make, optimizer):
    keras.utils.clear_session()
    plain = train(make, optimizer, audited=False)
    keras.utils.clear_session()
    audited = train(make, optimizer, audited=True)

    assert plain[0] == audited[0]
    assert all((a == b).all() for a, b in zip(plain[1], audited[1], strict=True))
    assert plain[2:] == audited[2:]


def test_an_audit_makes_no_global_seed_generator():
    name = "global_seed_generator"
    kept = global_state.get_global_attribute(name)
    global_state.set_global_attribute(name, None)
    try:
        with unchanged(sequential()):
            keras.random.normal((2,))

        assert global_state.get_global_attribute(name) is None
    finally:
        global_state.set_global_attribute(name, kept)
