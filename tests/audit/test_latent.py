"""The latent is where the copy goes through, not merely the narrowest layer."""

import keras
import numpy as np
from keras import layers

from truecopy.audit.latent import choose_latent, width_of
from truecopy.audit.path import keep_path
from truecopy.audit.trace import record

X = np.random.default_rng(0).normal(size=(32, 12)).astype("float32")


def choose(model, number=0):
    seen = keep_path(model, X, record(model, X), number)
    return choose_latent(model, X, seen, number, measure=True)


def test_a_narrow_gate_beside_the_code_is_no_latent():
    inputs = keras.Input((12,))
    code = layers.Dense(5, name="code")(inputs)
    gate = layers.Dense(2, name="squeeze")(code)
    gate = layers.Dense(5, activation="sigmoid")(gate)
    outputs = layers.Dense(12)(layers.Multiply()([code, gate]))

    found = choose(keras.Model(inputs, outputs))

    assert found.call.layer.name == "code"
    assert found.bypass < 0.01


def test_a_code_that_nothing_reads_stays_the_latent_and_all_goes_around_it():
    inputs = keras.Input((12,))
    wide = layers.Dense(12, activation="tanh")(inputs)
    code = layers.Dense(2, name="code")(wide)
    outputs = layers.Dense(12)(layers.Concatenate()([wide, 0 * code]))

    found = choose(keras.Model(inputs, outputs))

    assert found.call.layer.name == "code"
    assert found.bypass > 0.99


def test_a_head_for_another_output_is_no_latent():
    inputs = keras.Input((12,))
    code = layers.Dense(4, name="code")(inputs)
    model = keras.Model(inputs, [layers.Dense(12)(code), layers.Dense(1, name="label")(code)])

    assert choose(model).call.layer.name == "code"


def test_what_comes_before_any_weights_is_no_latent():
    model = keras.Sequential(
        [
            keras.Input((12,)),
            layers.GaussianNoise(0.1),
            layers.Dense(12, name="w"),
            layers.Dense(12),
        ]
    )

    assert choose(model).call.layer.name == "w"


def test_of_a_layer_used_twice_it_is_not_known_what_goes_around():
    shared = layers.Dense(12, activation="tanh", name="shared")
    model = keras.Sequential(
        [keras.Input((12,)), shared, layers.Dense(12), shared, layers.Dense(12)]
    )

    assert choose(model).bypass is None


def test_the_states_of_a_recurrent_layer_are_a_latent_of_their_widths():
    inputs = keras.Input((6, 2))
    _, h, c = layers.LSTM(3, return_state=True, name="encoder")(inputs)
    nothing = layers.Lambda(lambda x: 0 * x)(inputs)
    steps = layers.LSTM(3, return_sequences=True)(nothing, initial_state=[h, c])
    model = keras.Model(inputs, layers.Dense(2)(steps))
    rows = X.reshape(32, 6, 2)
    seen = keep_path(model, rows, record(model, rows), 0)

    found = choose_latent(model, rows, seen, 0, measure=True)

    assert found.call.layer.name == "encoder"
    assert width_of(found.call, seen) == 6  # Keras 3.15 gives h twice: as the output, too
    assert found.bypass < 0.01


def test_states_that_nothing_takes_are_no_part_of_the_latent():
    inputs = keras.Input((6, 2))
    code, _, _ = layers.LSTM(3, return_state=True, name="encoder")(inputs)
    steps = layers.LSTM(4, return_sequences=True)(layers.RepeatVector(6)(code))
    model = keras.Model(inputs, layers.Dense(2)(steps))
    rows = X.reshape(32, 6, 2)
    seen = keep_path(model, rows, record(model, rows), 0)

    found = choose_latent(model, rows, seen, 0, measure=True)

    assert (found.call.layer.name, width_of(found.call, seen)) == ("encoder", 3)
