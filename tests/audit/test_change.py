"""A changed copy begins with the same weights, and the original is left as it was."""

import random

import keras
import numpy as np
import pytest
from keras import layers, ops

from truecopy.audit.alter import find_layers
from truecopy.audit.change import change_program, find_array, open_program, sort_changes
from truecopy.audit.rebuild import CannotRebuild, copy_model, refresh_weights, seeded
from truecopy.audit.rescale import Units, are_on_one_scale, measure_units
from truecopy.audit.subject import Subject
from truecopy.rules.facts import TrainingFacts

ROWS = np.random.default_rng(0).uniform(0, 1, (24, 6)).astype("float32")


class Doubled(layers.Layer):
    """A layer whose activation is in its own code."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(units)

    def call(self, rows):
        return ops.softmax(self.dense(rows))


class Penalised(layers.Layer):
    def call(self, rows):
        self.add_loss(ops.sum(ops.abs(rows)))
        return rows


class Subclassed(keras.Model):
    """No config, layers as arguments, a step of its own."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.touched = []

    def call(self, rows, training=None):
        return self.decoder(self.encoder(rows), training=training)

    def my_loss(self, target, output):
        return ops.mean(ops.abs(target - output), axis=-1)


def make_sequential():
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(3, activation="relu"),
            layers.Dense(6, activation="softmax"),
        ]
    )


def make_functional():
    inputs = keras.Input((6,))
    code = layers.Dense(3, activation="relu")(inputs)
    return keras.Model(inputs, layers.Softmax()(layers.Dense(6, activation="relu")(code)))


def make_operation():
    inputs = keras.Input((6,))
    return keras.Model(inputs, ops.softmax(layers.Dense(6)(layers.Dense(3)(inputs))))


def make_nested():
    encoder = keras.Sequential([keras.Input((6,)), layers.Dense(3)], name="encoder")
    decoder = keras.Sequential(
        [keras.Input((3,)), layers.Dense(6), layers.Activation("softmax"), layers.Reshape((6,))]
    )
    inputs = keras.Input((6,))
    return keras.Model(inputs, decoder(encoder(inputs)))


def make_subclassed():
    return Subclassed(layers.Dense(3), layers.Dense(6, activation="softmax"))


def make_hidden():
    return keras.Sequential([keras.Input((6,)), layers.Dense(3), Doubled(6)])


def make_wrapped():
    dense = layers.TimeDistributed(layers.Dense(3, activation="softmax"))
    return keras.Sequential([keras.Input((2, 3)), layers.Dense(2), dense])


MODELS = [
    *(make_sequential, make_functional, make_operation, make_nested, make_subclassed),
    *(make_hidden, make_wrapped),
]


def make_subject(model, *, rows=ROWS, targets=None, loss="mse", **settings):
    model(rows[:1])
    model.compile(keras.optimizers.SGD(0.5), loss=loss)
    return Subject(
        model=model, target="test", inputs=rows, targets=rows if targets is None else targets,
        rows=len(rows), **settings,
    )  # fmt: skip


def change(subject, *changes, seed=0):
    return change_program(open_program(subject, seed=seed), changes, subject, seed=seed)


def run(model, rows=ROWS):
    return ops.convert_to_numpy(model(rows, training=False))


@pytest.mark.parametrize("make", MODELS)
def test_the_output_gets_the_activation_wherever_the_old_one_was(make):
    rows = ROWS.reshape(24, 2, 3) if make is make_wrapped else ROWS
    subject = make_subject(make(), rows=rows)
    before = run(subject.model, rows)

    changed = change(subject, {"action": "set_output_activation", "activation": "linear"})
    squashed = change(subject, {"action": "set_output_activation", "activation": "sigmoid"})

    linear = run(changed.model, rows)
    assert not np.allclose(linear.sum(axis=-1), 1)
    assert linear.min() < 0  # also where a relu came before the softmax
    np.testing.assert_allclose(
        run(squashed.model, rows), 1 / (1 + np.exp(-linear)), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(run(subject.model, rows), before)


@pytest.mark.parametrize("make", MODELS)
def test_a_copy_computes_the_same_and_shares_no_weight(make):
    rows = ROWS.reshape(24, 2, 3) if make is make_wrapped else ROWS
    subject = make_subject(make(), rows=rows)

    copied = copy_model(subject.model)

    np.testing.assert_array_equal(run(copied, rows), run(subject.model, rows))
    assert len(copied.weights) == len(subject.model.weights) > 0
    assert not {id(w) for w in copied.weights} & {id(w) for w in subject.model.weights}


def test_a_subclassed_models_copy_learns_and_the_model_does_not():
    subject = make_subject(make_subclassed(), loss="mse")
    before = [np.array(w) for w in subject.model.get_weights()]

    program = change(subject, {"action": "set_output_activation", "activation": "linear"})
    losses = program.compile().fit(ROWS, ROWS, epochs=8, verbose=0).history["loss"]

    assert losses[-1] < 0.7 * losses[0]
    for now, then in zip(subject.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert subject.model.optimizer.iterations == 0


def test_a_loss_that_is_a_method_of_the_model_becomes_that_of_the_copy():
    model = make_subclassed()
    subject = make_subject(model, loss=model.my_loss)

    program = change(subject, {"action": "set_learning_rate", "learning_rate": 0.1})

    assert program.compiling["loss"].__self__ is program.model is not model


def test_fresh_weights_are_the_seeds_and_leave_pythons_generators_alone():
    model = make_nested()
    states = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    copies = [copy_model(model) for _ in range(3)]

    for copied, seed in zip(copies, (1, 1, 2), strict=True):
        refresh_weights(copied, seed=seed)

    first, again, other = (copied.get_weights() for copied in copies)
    np.testing.assert_array_equal(first[0], again[0])
    assert np.abs(first[0] - other[0]).max() > 0.01
    assert np.abs(first[0] - model.get_weights()[0]).max() > 0.01
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states  # noqa: NPY002


def test_the_weights_before_the_training_are_preferred_to_fresh_ones():
    model = make_sequential()
    initial = [np.full(w.shape, 0.25) for w in model.weights]

    program = open_program(make_subject(model, initial_weights=initial))

    assert all((w == 0.25).all() for w in program.model.get_weights())


def test_frozen_layers_keep_what_they_learned_elsewhere():
    model = make_sequential()
    model.layers[0].trainable = False

    program = open_program(make_subject(model), seed=5)

    np.testing.assert_array_equal(program.model.get_weights()[0], model.get_weights()[0])
    assert np.abs(program.model.get_weights()[2] - model.get_weights()[2]).max() > 0.01


def test_changed_and_original_program_begin_with_the_same_weights():
    subject = make_subject(make_nested())
    original = open_program(subject, seed=3)

    changed = change_program(
        original, [{"action": "set_output_activation", "activation": "relu"}], subject, seed=3
    )

    for one, two in zip(original.model.get_weights(), changed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    # The original is still to be trained as it was.
    np.testing.assert_allclose(run(original.model).sum(axis=-1), 1, rtol=1e-5)
    assert not np.allclose(run(changed.model).sum(axis=-1), 1)


def test_compile_settings_change_and_the_rest_stays():
    subject = make_subject(make_sequential(), loss="binary_crossentropy")

    program = change(
        subject,
        {"action": "set_from_logits", "from_logits": True},
        {"action": "set_learning_rate", "learning_rate": 0.125},
        {"action": "set_metrics", "metrics": ["mae"]},
        {"action": "set_epochs", "epochs": 7},
    )

    assert program.compiling["loss"].get_config()["from_logits"] is True
    assert isinstance(program.compiling["optimizer"], keras.optimizers.SGD)
    assert float(program.compiling["optimizer"].learning_rate) == 0.125
    assert (program.compiling["metrics"], program.epochs) == (["mae"], 7)


def test_an_optimiser_is_replaced():
    changed = {"action": "set_optimizer", "optimizer": "adam", "learning_rate": 0.25}

    optimizer = change(make_subject(make_sequential()), changed).compiling["optimizer"]

    assert isinstance(optimizer, keras.optimizers.Adam)
    assert float(optimizer.learning_rate) == 0.25


def test_batch_size_and_epochs_are_the_users():
    training = TrainingFacts(losses=(), planned_epochs=20, batch_size=5)

    program = open_program(make_subject(make_sequential(), training=training))

    assert (program.epochs, program.batch_size) == (20, 5)


def test_rates_and_momenta_are_set_on_the_layers_meant():
    model = keras.Sequential(
        [
            *(keras.Input((6,)), layers.Dense(6), layers.BatchNormalization(momentum=0.999)),
            *(layers.Dropout(0.5, name="a"), layers.Dropout(0.5, name="b")),
        ]
    )

    program = change(
        make_subject(model),
        {"action": "set_momentum", "momentum": 0.9},
        {"action": "remove_dropout", "layer": "b"},
    )

    normalisation, first, second = program.model.layers[1:]
    assert (normalisation.momentum, first.rate, second.rate) == (0.9, 0.5, 0.0)
    assert (model.layers[1].momentum, model.layers[3].rate) == (0.999, 0.5)


def test_a_named_layer_in_a_nested_model_gets_another_activation():
    model = make_nested()

    name = model.layers[1].layers[0].name
    program = change(
        make_subject(model), {"action": "set_activation", "layer": name, "activation": "tanh"}
    )

    assert find_layers(program.model, [name])[0].activation is keras.activations.tanh
    assert find_layers(model, [name])[0].activation is keras.activations.linear


def test_penalties_of_all_kinds_are_scaled():
    dense = layers.Dense(6, kernel_regularizer="l2", activity_regularizer="l1")
    model = keras.Sequential([keras.Input((6,)), dense, Penalised()])
    subject = make_subject(model)
    model(ROWS)
    before = [float(part) for part in model.losses]
    program = open_program(subject)
    program.model.set_weights(model.get_weights())

    changed = change_program(program, [{"action": "scale_penalty", "by": 0.125}], subject)

    changed.model(ROWS)
    after = [float(part) for part in changed.model.losses]
    np.testing.assert_allclose(after, 0.125 * np.array(before), rtol=1e-5)
    assert len(after) == 3


@pytest.mark.parametrize("rows", [ROWS, ROWS[:7]])
def test_sums_over_rows_are_averaged_and_means_are_left(rows):
    dense = layers.Dense(6, kernel_regularizer="l2", activity_regularizer="l1")
    model = keras.Sequential([keras.Input((6,)), dense, Penalised()])
    subject = make_subject(model)
    model(rows)
    before = np.array([float(part) for part in model.losses])

    program = open_program(subject)
    program.model.set_weights(model.get_weights())
    changed = change_program(program, [{"action": "average_penalty"}], subject)

    changed.model(rows)
    after = np.array([float(part) for part in changed.model.losses])
    summed = np.sum(np.abs(keras.ops.convert_to_numpy(model(rows))))
    expected = np.where(np.isclose(before, summed), before / len(rows), before)
    np.testing.assert_allclose(after, expected, rtol=1e-5)
    assert (after != before).sum() == 1


def test_a_penalty_that_is_no_sum_cannot_be_averaged():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(6, activity_regularizer="l1")])

    with pytest.raises(CannotRebuild, match="no layer adds a sum"):
        change(make_subject(model), {"action": "average_penalty"})


def test_a_wider_code_keeps_the_weights_of_other_layers():
    subject = make_subject(make_sequential())
    name = subject.model.layers[0].name
    original = open_program(subject)

    program = change_program(
        original, [{"action": "set_latent", "latent": 5, "layer": name}], subject
    )

    assert [w.shape for w in program.model.weights] == [(6, 5), (5,), (5, 6), (6,)]
    assert program.model(ROWS).shape == (24, 6)


def test_channels_of_the_output_are_set():
    rows = np.random.default_rng(0).uniform(size=(8, 4, 4, 3)).astype("float32")
    model = keras.Sequential(
        [keras.Input((4, 4, 3)), layers.Conv2D(5, 3, padding="same"), layers.Conv2D(1, 1)]
    )

    program = change(
        make_subject(model, rows=rows), {"action": "set_output_channels", "channels": 3}
    )

    assert program.model(rows).shape == rows.shape
    np.testing.assert_array_equal(
        program.model.layers[0].get_weights()[0],
        open_program(make_subject(model, rows=rows)).model.layers[0].get_weights()[0],
    )


def test_data_are_divided_where_inputs_and_targets_have_one_scale():
    rows = 255 * ROWS
    program = change(
        make_subject(make_sequential(), rows=rows),
        {"action": "scale_data", "scaling": "divide", "by": 255.0},
    )

    np.testing.assert_allclose(program.inputs, ROWS, rtol=1e-6)
    np.testing.assert_allclose(program.targets, ROWS, rtol=1e-6)
    assert program.units.scale == 255


def test_targets_that_are_scaled_already_stay():
    program = change(
        make_subject(make_sequential(), rows=255 * ROWS, targets=ROWS),
        {"action": "scale_data", "scaling": "divide", "by": 255.0},
    )

    np.testing.assert_array_equal(program.targets, ROWS)
    np.testing.assert_allclose(program.inputs, ROWS, rtol=1e-6)
    assert program.units.scale == 1


@pytest.mark.parametrize(
    ("scaling", "shift", "scale"),
    [("standardise", [2.0, 5.0], [1.0, 1.0]), ("minmax", [1.0, 5.0], [2.0, 1.0])],
)
def test_columns_are_scaled_each_and_constant_ones_are_kept_finite(scaling, shift, scale):
    rows = np.array([[1.0, 5.0], [3.0, 5.0]])

    units = measure_units(rows, scaling)

    np.testing.assert_allclose(units.shift, shift)
    np.testing.assert_allclose(units.scale, scale)
    assert np.isfinite(units.apply(rows)).all()


def test_pixels_have_one_scale():
    rows = np.array([[0, 255], [10, 20]], np.uint8)

    units = measure_units(rows, "minmax")

    assert (units.shift, units.scale) == (0, 255)


def test_scales_are_one_within_a_factor_of_ten():
    assert are_on_one_scale(np.array([9.9]), np.array([1.0]))
    assert not are_on_one_scale(np.array([10.1]), np.array([1.0]))


def test_targets_become_the_array_that_was_not_used():
    clean = ROWS / 2
    subject = make_subject(make_sequential(), spare={"x_clean": clean, "short": clean[:3]})

    named = change(subject, {"action": "set_targets", "to": "array x_clean"})
    only = change(subject, {"action": "set_targets", "to": "clean"})

    assert named.targets is clean
    assert only.targets is clean
    assert only.inputs is ROWS


def test_targets_are_replaced_before_the_data_are_scaled():
    subject = make_subject(make_sequential(), spare={"clean": 100 * ROWS}, rows=255 * ROWS)

    program = change(
        subject,
        {"action": "scale_data", "scaling": "divide", "by": 100.0},
        {"action": "set_targets", "to": "array clean"},
    )

    np.testing.assert_allclose(program.targets, ROWS, rtol=1e-6)


def test_weights_that_were_one_number_are_drawn_and_biases_stay():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(6, kernel_initializer="zeros")])

    program = change(make_subject(model), {"action": "draw_weights", "layer": model.layers[0].name})

    kernel, bias = program.model.get_weights()
    assert 0 < np.abs(kernel).max() <= np.sqrt(6 / 12)  # Glorot and Bengio 2010, equation 16
    assert len(np.unique(kernel)) == kernel.size
    assert not bias.any()


def test_an_output_is_mended_where_a_normalisation_follows_it():
    tail = [layers.Dense(6), layers.UnitNormalization(), layers.Activation("tanh")]
    model = keras.Sequential([keras.Input((6,)), *tail])

    program = change(
        make_subject(model), {"action": "set_output_activation", "activation": "linear"}
    )

    kernel, bias = program.model.get_weights()
    given = keras.ops.convert_to_numpy(program.model(ROWS))
    np.testing.assert_allclose(given, ROWS @ kernel + bias, atol=1e-5)


class Tupled(keras.Model):
    """Gives its code along with the copy."""

    def __init__(self):
        super().__init__()
        self.code, self.copy = layers.Dense(3), layers.Dense(6)

    def call(self, rows):
        code = self.code(rows)
        return self.copy(code), code


def test_of_a_model_that_gives_several_things_a_missing_penalty_is_told():
    model = Tupled()
    model(ROWS)

    with pytest.raises(CannotRebuild, match="added by a layer but by the model's own code"):
        change(make_subject(model), {"action": "scale_kl", "by": 0.1})


def test_a_loss_that_nothing_was_compiled_of_is_not_replaced():
    model = make_sequential()
    model.compile("adam")

    with pytest.raises(CannotRebuild, match="the loss is computed in the model's own code"):
        change(
            Subject(model=model, target="m", inputs=ROWS, targets=ROWS),
            {"action": "set_loss", "loss": "mean_squared_error"},
        )


def test_the_same_change_of_two_findings_is_made_once():
    scale = {"action": "scale_data", "scaling": "divide", "by": 255.0}
    both = {"action": "all", "changes": [scale, {"action": "set_loss", "loss": "mse"}]}

    assert sort_changes([scale, {}, both, {"action": "set_loss", "loss": "mae"}]) == [
        scale,
        {"action": "set_loss", "loss": "mse"},
    ]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"action": "paint"}, "the change 'paint' can't be applied automatically"),
        ({"action": "set_momentum", "momentum": 0.9}, "there is no BatchNormalization layer"),
        ({"action": "set_targets", "to": "array z"}, "the rows of 'z' are not at hand"),
        ({"action": "scale_data", "scaling": "log"}, "the scaling 'log' is not known"),
        ({"action": "set_from_logits", "from_logits": True}, "knows no logits"),
        (
            {"action": "set_activation", "layer": "none", "activation": "relu"},
            "there is no layer 'none'",
        ),
    ],
)
def test_what_cannot_be_applied_says_why(asked, message):
    with pytest.raises(CannotRebuild, match=message):
        change(make_subject(make_sequential()), asked)


def test_a_model_that_is_not_compiled_or_has_no_data_says_so():
    model = make_sequential()

    with pytest.raises(CannotRebuild, match="not compiled"):
        open_program(Subject(model=model, target="t", inputs=ROWS, targets=ROWS))
    with pytest.raises(CannotRebuild, match="no data"):
        open_program(Subject(model=model, target="t"))


def test_units_undo_nothing_by_default():
    np.testing.assert_array_equal(Units().apply(ROWS), ROWS)


def test_a_block_that_draws_from_a_seed_ends_as_it_began():
    state = random.getstate()

    with seeded(1):
        first = random.getstate()
    with seeded(1):
        again = random.getstate()

    assert first == again != state
    assert random.getstate() == state


def test_an_array_is_found_by_name_among_those_of_as_many_rows():
    subject = make_subject(make_sequential(), spare={"a": ROWS + 1, "b": ROWS + 2})
    program = open_program(subject)

    assert find_array({"to": "array b"}, subject, program)[0, 0] == ROWS[0, 0] + 2
    with pytest.raises(CannotRebuild, match="not at hand"):
        find_array({"to": "clean"}, subject, program)
