"""What a model does with the rows equals what NumPy says of its outputs."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers, ops
from sklearn.decomposition import PCA

import truecopy
from truecopy.audit.behaviour import (
    measure_behaviour,
    measure_terms,
    pca_error,
    run_model,
    train_briefly,
)
from truecopy.audit.latent import find_latent
from truecopy.audit.output import Reach
from truecopy.audit.padding import Masked
from truecopy.audit.steploss import handed_as_by_fit
from truecopy.audit.structure import describe_model
from truecopy.audit.subject import Subject
from truecopy.audit.tensors import flat
from truecopy.audit.trace import record
from truecopy.audit.units import measure_start, measure_units
from truecopy.rules.facts import BehaviourFacts

RNG = np.random.default_rng(0)
X = (RNG.normal(size=(64, 2)) @ RNG.normal(size=(2, 6)) + 1).astype("float32")


def subject_of(*middle, y=X, **known):
    model = keras.Sequential([keras.Input((6,)), *middle, layers.Dense(6, name="out")])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return Subject(model=model, target="m", inputs=X, targets=y, **known)


def structure_of(subject):
    seen = record(subject.model, subject.inputs)
    facts = describe_model(subject, seen, Reach(), 0, straight=False, latent=find_latent(seen))
    return seen, facts


def behaviour_of(subject):
    return measure_behaviour(subject, run_model(subject, 0), structure_of(subject)[1], same=True)


def test_errors_are_those_of_numpy():
    subject = subject_of(layers.Dense(2))
    copied = subject.model.predict(X, verbose=0)

    facts = behaviour_of(subject)

    assert facts.mse == pytest.approx(np.square(copied - X).mean(), rel=1e-5)
    assert facts.mse_mean == pytest.approx(X.var(axis=0, dtype=float).mean(), rel=1e-6)
    assert facts.mse_blank == pytest.approx(np.square(X, dtype=float).mean(), rel=1e-6)
    expected = np.sqrt(copied.var(axis=0).mean() / X.var(axis=0).mean())
    assert facts.spread == pytest.approx(expected, rel=1e-4)


def test_the_pca_error_is_that_of_scikit_learn_on_rows_it_was_not_fitted_on():
    for features in (6, 90):  # fewer and more values than rows
        rows = flat(RNG.normal(size=(64, 4)) @ RNG.normal(size=(4, features)))
        pca = PCA(3).fit(rows[::2])
        expected = np.square(pca.inverse_transform(pca.transform(rows[1::2])) - rows[1::2]).mean()

        assert pca_error(rows, 3) == pytest.approx(expected, rel=1e-6)
    assert pca_error(X[:4], 2) is None


def test_what_weights_leave_out_does_not_count():
    weights = RNG.choice([0.0, 1.0, 3.0], 64)
    subject = subject_of(layers.Dense(2), weights=weights)
    copied = flat(subject.model.predict(X, verbose=0))

    facts = behaviour_of(subject)

    def expected(copy):
        return np.average(np.square(flat(X) - copy).mean(axis=1), weights=weights)

    assert facts.mse == pytest.approx(expected(copied), rel=1e-5)
    assert facts.mse_blank == pytest.approx(expected(0.0), rel=1e-5)
    mean = np.average(flat(X), axis=0, weights=weights)
    assert facts.mse_mean == pytest.approx(expected(mean), rel=1e-5)
    assert facts.mse_pca is None  # of all rows, it would be no fair comparison


def test_a_value_that_the_loss_masks_does_not_count():
    wanted = X.copy()
    wanted[:, 3:] = -1
    subject = subject_of(layers.Dense(2), y=wanted)
    outputs = run_model(subject, 0)
    error = np.square(subject.model.predict(X, verbose=0) - wanted)[:, :3].mean()

    counting = outputs.counting(Masked(value=-1.0, whole_steps=False).counts(wanted))

    assert counting.error(counting.seen) == pytest.approx(error, rel=1e-5)
    # Where nothing is left, or nothing that differs, the errors stay those of all values.
    assert outputs.counting(np.zeros(X.shape)) is outputs
    assert outputs.counting((wanted == -1).astype(float)) is outputs


def test_constant_outputs_hold_their_targets_variance_and_the_distance_to_its_mean():
    subject = subject_of(layers.Dense(2))
    kernel, bias = subject.model.get_layer("out").get_weights()
    kernel[:, 0], bias[0] = 0, 1
    subject.model.get_layer("out").set_weights([kernel, bias])

    facts = behaviour_of(subject)

    assert facts.dead_outputs == 1
    held = np.square(flat(X)[:, 0] - 1).mean() / 6 / flat(X).var(axis=0).mean()
    assert facts.dead_left == pytest.approx(held, rel=1e-4)


def sequences_of(lengths, *, masked):
    """Return a subject whose rows end in steps of 0, with or without a mask of them."""
    rows = RNG.normal(2, 1, (len(lengths), 8, 2)).astype("float32")
    rows *= (np.arange(8) < np.reshape(lengths, (-1, 1)))[..., None]
    first = [layers.Masking(0.0)] if masked else []
    model = keras.Sequential([keras.Input((8, 2)), *first, layers.Dense(2)])
    model.compile("adam", "mse")
    return Subject(model=model, target="m", inputs=rows, targets=rows)


@pytest.mark.parametrize("masked", [False, True])
def test_steps_that_only_fill_up_are_measured_apart_and_masked_ones_not_at_all(masked):
    lengths = RNG.integers(2, 6, 50)
    subject = sequences_of(lengths, masked=masked)
    copied = subject.model.predict(subject.inputs, verbose=0)
    there = np.arange(8) < lengths[:, None]
    means = np.stack([subject.inputs[there[:, k], k].mean(axis=0) for k in range(5)])
    means = np.concatenate([means, np.zeros((3, 2))])
    errors = [np.square(subject.inputs - c)[there].mean() for c in (copied, means)]

    outputs = run_model(subject, 0)
    facts = measure_behaviour(subject, outputs, structure_of(subject)[1], same=True)

    if masked:
        assert facts.padding is None
        assert facts.mse == pytest.approx(errors[0], rel=1e-4)
        assert facts.mse_mean == pytest.approx(errors[1], rel=1e-4)
    else:
        assert facts.padding == pytest.approx((1 - lengths.mean() / 8, errors[0] / errors[1]))
        assert facts.mse == pytest.approx(np.square(copied - subject.inputs).mean(), rel=1e-5)


def test_an_output_that_ignores_its_input_depends_on_nothing():
    subject = subject_of(layers.Dense(2))
    subject.model.get_layer("out").kernel.assign(np.zeros((2, 6)))

    facts = behaviour_of(subject)

    assert facts.dependence == pytest.approx(0, abs=1e-6)
    assert facts.dead_outputs == 6


def test_dropout_is_a_gap_between_training_and_inference():
    facts = behaviour_of(subject_of(layers.Dense(4), layers.Dropout(0.9, seed=1)))

    assert facts.mse_training > 1.1 * facts.mse


def test_dead_and_saturated_units_are_counted():
    subject = subject_of(
        layers.Dense(3, activation="relu", name="dead"),
        layers.Dense(5, activation="tanh", name="full"),
    )
    for name in ("dead", "full"):
        layer = subject.model.get_layer(name)
        layer.bias.assign(np.full(layer.units, -1e4 if name == "dead" else 1e4))
    seen, facts = structure_of(subject)

    layers_seen = {e.name: e for e in measure_units(facts.layers, seen, subject)}

    assert (layers_seen["dead"].dead, layers_seen["dead"].share_zero) == (3, 1.0)
    assert layers_seen["full"].saturated == 5
    assert layers_seen["out"].units is None


@pytest.mark.parametrize(("drawn", "share"), [(50.0, 0.9), (0.01, 0.0)])
def test_units_that_began_at_a_bound_are_told_from_those_that_went_there(drawn, share):
    start = keras.initializers.RandomNormal(stddev=drawn, seed=1)
    subject = subject_of(layers.Dense(40, activation="tanh", name="full", kernel_initializer=start))
    subject = replace(subject, initial_weights=subject.model.get_weights())
    subject.model.get_layer("full").bias.assign(np.full(40, 1e4))
    seen, facts = structure_of(subject)
    measured = measure_units(facts.layers, seen, subject)

    now = subject.model.get_weights()
    begun = {e.name: e.at_bound_fresh for e in measure_start(measured, subject, X)}

    assert begun["full"] == pytest.approx(share, abs=0.1)
    assert begun["out"] is None
    assert all(map(np.array_equal, subject.model.get_weights(), now))


def test_a_frozen_layer_neither_moves_nor_has_a_gradient():
    frozen = layers.Dense(3, name="frozen")
    subject = subject_of(frozen)
    seen, facts = structure_of(subject)
    frozen.trainable = False
    subject.model.compile(keras.optimizers.Adam(0.01), "mse")
    before = subject.model.get_weights()

    moved, behaviour = train_briefly(subject, facts.layers, BehaviourFacts(trained=False), seen)

    by_name = {e.name: e for e in moved}
    assert by_name["frozen"].update is None
    assert by_name["out"].update > 0
    assert by_name["out"].gradient > 0
    assert behaviour.one_batch[1] < behaviour.one_batch[0]
    assert all((a == b).all() for a, b in zip(before, subject.model.get_weights(), strict=True))


def test_the_loss_is_split_into_what_layers_add_and_the_rest():
    subject = subject_of(layers.Dense(3, activity_regularizer=keras.regularizers.L1(0.5), name="z"))
    subject.model.predict(X, verbose=0)
    codes = record(subject.model, X[:32])
    z = next(c for c in codes.leaves() if c.layer.name == "z").output()
    copied = subject.model.predict(X[:32], verbose=0)

    facts = measure_terms(subject, BehaviourFacts(trained=False))

    # Keras divides an activity penalty by the batch's rows.
    assert facts.penalty == pytest.approx(0.5 * np.abs(z).sum() / 32, rel=1e-5)
    assert facts.reconstruction == pytest.approx(np.square(copied - X[:32]).mean(), rel=1e-4)


class Unpacking(keras.Sequential):
    """A step that was written for what `fit` gives it."""

    def train_step(self, *args):
        *state, data = args
        x, y = data
        return super().train_step(*state, (x, y))


def test_a_step_of_the_users_is_given_what_fit_gives_it():
    model = Unpacking([keras.Input((6,)), layers.Dense(6)])
    model.compile("adam", "mse")
    with pytest.raises(ValueError, match="unpack"):  # what Keras 3.15 does
        model.train_on_batch(X, X)
    compiled = model.train_function

    with handed_as_by_fit(Subject(model=model, target="m", inputs=X, targets=X)):
        assert np.isfinite(model.train_on_batch(X, X))

    assert "train_step" not in vars(model)
    assert model.train_function is compiled


def test_the_errors_of_logits_are_those_of_the_probabilities_they_stand_for():
    shares = np.random.default_rng(0).uniform(0.02, 0.98, (64, 6)).astype("float32")
    model = keras.Sequential([keras.Input((6,)), layers.Lambda(lambda x: ops.log(x / (1 - x)))])
    model.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True))

    seen = truecopy.audit(model, shares).facts.behaviour

    assert seen.mse == pytest.approx(0, abs=1e-9)
    assert seen.output[0] < 0  # what it gives is told as it is


def test_a_layer_that_keeps_its_largest_values_is_sparse_and_a_relu_is_not():
    rows = np.random.default_rng(0).normal(size=(64, 12)).astype("float32")

    def keep_three(x):
        return ops.where(x >= ops.top_k(x, 3)[0][:, -1:], x, 0.0)

    inputs = keras.Input((12,))
    h = layers.Lambda(keep_three, name="top")(layers.Dense(24)(inputs))
    h = layers.Dense(24, activation="relu", name="cut")(h)
    model = keras.Model(inputs, layers.Dense(12)(h))
    model.compile(loss="mse")

    found = {layer.name: layer for layer in truecopy.audit(model, rows).facts.model.layers}

    assert (found["top"].sparse, found["cut"].sparse) == (True, False)
