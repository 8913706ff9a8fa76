"""What Keras reports for "accuracy", and which class that is: against Keras itself."""

from math import prod

import keras
import numpy as np
import pytest

import truecopy
from truecopy.metrics.accuracy import resolve_accuracy
from truecopy.metrics.evaluate import evaluate

LAYERS = keras.layers


def pictures(shape, rows):
    """Clean rows with black, grey and white values, as bytes."""
    generator = np.random.default_rng(rows)
    grey = generator.integers(1, 255, (rows, *shape))
    tone = generator.integers(0, 3, grey.shape)
    return np.select([tone == 0, tone == 1], [0, 255], grey).astype(np.uint8)


def network(kind, shape):
    """An untrained network: its outputs lie close to the threshold of 0.5."""
    keras.utils.set_random_seed(1)
    hidden = {
        "identity": [LAYERS.Activation("linear")],
        "dense": [
            LAYERS.Flatten(),
            LAYERS.Dense(16, activation="relu"),
            LAYERS.Dense(prod(shape), activation="sigmoid"),
            LAYERS.Reshape(shape),
        ],
        "conv": [
            LAYERS.Conv2D(4, 3, padding="same", activation="relu"),
            LAYERS.BatchNormalization(),
            LAYERS.Conv2D(shape[-1], 3, padding="same", activation="sigmoid"),
        ],
    }
    return keras.Sequential([keras.Input(shape), *hidden[kind]])


# A short batch, alone and as the last of many.
_ROWS = [20, pytest.param(1061, marks=pytest.mark.slow)]


@pytest.mark.parametrize("rows", _ROWS)
@pytest.mark.parametrize(
    ("kind", "shape", "loss"),
    [
        ("dense", (28, 28, 1), "binary_crossentropy"),
        ("dense", (63,), "mse"),
        ("conv", (8, 8, 3), "binary_crossentropy"),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in [
                ("identity", (28, 28, 1), "mse"),
                ("conv", (7, 9, 1), "mse"),
                ("dense", (784,), "binary_crossentropy"),
                ("dense", (5, 7, 3), "mse"),
                ("dense", (6, 7), "huber"),
            ]
        ),
    ],
)
def test_the_accuracy_is_that_of_model_evaluate_to_the_last_bit(kind, shape, loss, rows):
    images, model = pictures(shape, rows), network(kind, shape)
    clean = images.astype(np.float32) / 255
    model.compile(loss=loss, metrics=["accuracy"])
    reported = model.evaluate(clean, clean, verbose=0, return_dict=True)["accuracy"]

    card = evaluate(model, images)

    told = card.facts.explain["keras_accuracy"]["keras_float32"]
    assert told == reported
    # The exact figure differs by what float32 rounds.
    assert card.facts.scores["keras_accuracy"].value == pytest.approx(reported, abs=2e-6)


def test_a_denoisers_accuracy_is_that_of_model_evaluate_on_its_noisy_rows(blobs):
    settings = {"epochs": 1, "noise": "gaussian:0.3", "quiet": True, "model": "dense"}
    denoiser = truecopy.Autoencoder(latent=4, **settings).fit(blobs)
    clean = blobs.astype(np.float32) / 255
    noisy = np.clip(clean + np.random.default_rng(0).normal(0, 0.2, clean.shape), 0, 1)
    model = keras.models.clone_model(denoiser.model_)
    model.set_weights(denoiser.model_.get_weights())
    model.compile(loss="mse", metrics=["accuracy"])
    noisy = noisy.astype(np.float32)
    reported = model.evaluate(noisy, clean, verbose=0, return_dict=True)["accuracy"]

    card = evaluate(denoiser, noisy * 255, target=blobs)

    assert card.facts.explain["keras_accuracy"]["keras_float32"] == reported


def test_an_encoder_with_its_decoder_and_a_function_are_asked_as_well(blobs):
    flat, clean = blobs.reshape(300, 64), blobs.astype(np.float32) / 255
    encoder = keras.Sequential([keras.Input((64,)), LAYERS.Dense(3)])
    decoder = keras.Sequential([keras.Input((3,)), LAYERS.Dense(64)])
    whole = keras.Sequential([keras.Input((64,)), encoder, decoder])
    whole.compile(loss="mse", metrics=["accuracy"])
    rows = clean.reshape(300, 64)
    reported = whole.evaluate(rows, rows, verbose=0, return_dict=True)["accuracy"]

    def told(model, data):
        return evaluate(model, data).facts.explain["keras_accuracy"]["keras_float32"]

    assert told([encoder, decoder], flat) == reported
    right = (clean == (clean > 0.5)).mean()
    assert told(lambda seen: seen, blobs) == pytest.approx(right, rel=1e-6)


def test_a_models_own_compile_state_is_left_as_it_was(blobs):
    model = network("dense", (8, 8, 1))
    model.compile(loss="huber", metrics=["mae"])
    clean = blobs.astype(np.float32) / 255
    before = model.evaluate(clean, clean, verbose=0, return_dict=True)

    evaluate(model, blobs)

    assert model.evaluate(clean, clean, verbose=0, return_dict=True) == before


CLASSES = {
    "BinaryAccuracy": "binary_accuracy",
    "CategoricalAccuracy": "categorical_accuracy",
    "SparseCategoricalAccuracy": "sparse_categorical_accuracy",
}


@pytest.mark.parametrize(
    ("output", "target"),
    [
        ((28, 28, 1), (28, 28, 1)),
        ((784,), (784,)),
        ((6, 6), (6, 6)),
        ((8, 8, 3), (8, 8, 3)),
        ((8, 8, 3), (8, 8, 1)),
        ((8, 8, 3), (8, 8)),
        ((10,), (1,)),
        ((1,), (1,)),
    ],
)
def test_the_class_is_the_one_that_keras_resolves(output, target):
    model = keras.Sequential([keras.Input(output), LAYERS.Activation("linear")])
    model.compile(loss=lambda _, given: keras.ops.mean(given), metrics=["accuracy"])
    model.evaluate(np.zeros((2, *output)), np.zeros((2, *target)), verbose=0)
    compiled = model._compile_metrics._flat_metrics  # noqa: SLF001 (the only place it is told)

    resolved = CLASSES[type(compiled[0].metrics[0]).__name__]

    assert resolve_accuracy(output, target) == resolved
