import math

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import truecopy
from truecopy.data.noise import corrupt, parse_noise
from truecopy.data.scaling import Scaling
from truecopy.data.sources import open_source
from truecopy.data.split import split_rows
from truecopy.models.dense import build_dense
from truecopy.reports.wording import describe_run
from truecopy.training.batches import TrainingBatches, ValidationBatches
from truecopy.training.corruption import Corruption, build_trainer
from truecopy.training.losses import (
    choose_loss,
    grouped_crossentropy,
    perfect_loss,
    take_flat,
    unchecked_crossentropy,
)

KINDS = ["gaussian:0.5,0.5", "salt-pepper:0.4", "masking:0.3"]


def plan_of(rows):
    return truecopy.plan(truecopy.profile(rows))


@given(count=st.integers(1, 50), batch_size=st.integers(1, 60))
@settings(deadline=None)
def test_an_epoch_has_full_batches_and_every_row(count, batch_size):
    rows = np.arange(count, dtype=np.float32)[:, None]
    batches = TrainingBatches(rows, np.arange(count), Scaling.none(), batch_size=batch_size, seed=0)

    drawn = [batches[i][0] for i in range(len(batches))]

    assert all(len(batch) == batch_size for batch in drawn)
    assert set(np.concatenate(drawn).ravel()) == set(range(count))
    assert sum(map(len, drawn)) < count + batch_size


def test_every_epoch_has_an_order_of_its_own():
    rows = np.arange(100, dtype=np.float32)[:, None]
    batches = TrainingBatches(rows, np.arange(100), Scaling.none(), batch_size=100, seed=0)
    first = batches[0][0].copy()

    batches.on_epoch_end()

    assert not np.array_equal(first, batches[0][0])


def test_validation_noise_is_the_same_every_time_and_its_target_is_clean():
    rows = np.random.default_rng(0).integers(0, 256, (50, 4)).astype(np.uint8)
    noise = parse_noise("gaussian:0.3", bounds=(0, 1))
    batches = ValidationBatches(
        rows, np.arange(10, 40), Scaling.divide(255), batch_size=10, noise=noise, seed=3
    )
    clean = rows[10:40].astype(np.float32) / 255

    noisy, target = (np.concatenate([batches[i][k] for i in range(3)]) for k in (0, 1))

    np.testing.assert_array_equal(target, clean)
    np.testing.assert_array_equal(noisy, corrupt(clean, noise, seed=3))


@pytest.mark.parametrize("text", KINDS)
def test_training_noise_is_drawn_like_test_noise(text):
    rows = np.full((4000, 10), 0.5, np.float32)
    noise = parse_noise(text, bounds=(0, 1))

    layer = Corruption(noise, seed=0)
    drawn = keras.ops.convert_to_numpy(layer(rows, training=True)).ravel()
    again = keras.ops.convert_to_numpy(layer(rows, training=True)).ravel()
    expected = corrupt(rows, noise, seed=0).ravel()

    assert not np.array_equal(drawn, again)
    assert drawn.mean() == pytest.approx(expected.mean(), abs=0.01)
    np.testing.assert_allclose(
        np.quantile(drawn, [0.1, 0.25, 0.5, 0.75, 0.9]),
        np.quantile(expected, [0.1, 0.25, 0.5, 0.75, 0.9]),
        atol=0.02,
    )


def test_noise_is_off_outside_training():
    rows = np.full((4, 3), 0.5, np.float32)

    layer = Corruption(parse_noise("masking:1", bounds=None), seed=0)

    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(rows, training=False)), rows)


def test_noise_is_fresh_in_every_compiled_step_and_the_target_stays_clean():
    rows = np.ones((32, 8), np.float32)
    seen = []
    inputs = keras.Input((8,))
    identity = keras.Model(inputs, keras.layers.Dense(8, kernel_initializer="identity")(inputs))
    trainer = build_trainer(identity, parse_noise("masking:0.5", bounds=None), seed=0)
    # With a learning rate of 0 the loss is the share of masked values: it varies with the noise.
    trainer.compile(keras.optimizers.SGD(0.0), "mse")
    record = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda _, logs: seen.append(float(logs["loss"]))
    )

    trainer.fit(rows, rows, batch_size=8, epochs=3, verbose=0, callbacks=[record])

    assert len(set(seen)) > 6
    assert trainer.evaluate(rows, rows, verbose=0) == 0


def test_the_model_never_learns_of_noise_or_compile():
    model = truecopy.Autoencoder(model="dense", noise="masking:0.5", epochs=1, quiet=True)

    model.fit(np.random.default_rng(0).uniform(size=(64, 6)))

    names = [layer.name for layer in model.model_.layers]
    assert names == ["rows", "encoder", "decoder"]
    assert not model.model_.compiled


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="the others trace otherwise")
def test_one_run_compiles_one_training_step_also_with_a_short_last_batch():
    traced = []

    @keras.saving.register_keras_serializable("truecopy-tests")
    class Counting(keras.layers.Layer):
        def call(self, inputs):
            traced.append(inputs.shape)
            return inputs

    rows = np.random.default_rng(0).uniform(size=(230, 6)).astype(np.float32)
    encoder = keras.Sequential(
        [keras.Input((6,)), Counting(), keras.layers.Dense(2)], name="encoder"
    )
    decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(6)], name="decoder")
    inputs = keras.Input((6,))
    whole = keras.Model(inputs, decoder(encoder(inputs)))
    model = truecopy.Autoencoder(model=whole, epochs=3, batch_size=50, quiet=True)

    traced.clear()
    model.fit(rows)

    # Keras and the speed-up also look at the model with an unknown number of rows.
    shapes = {shape for shape in traced if isinstance(shape[0], int)}
    # 207 rows train in batches of 50, the last one filled up; 23 rows validate in one batch.
    assert shapes == {(50, 6), (23, 6)}


def test_the_best_epochs_weights_are_kept():
    rows = np.random.default_rng(0).normal(size=(60, 8))
    # Random rows can only be learned by heart, so the validation loss soon rises.
    model = truecopy.Autoencoder(
        latent=4, model="dense", epochs=400, learning_rate=0.01, patience=8, quiet=True
    ).fit(rows)
    run = model.run_
    validation = split_rows(open_source(rows), 0.1, seed=0).held_out

    error = -model.score_samples(rows[validation]).mean()

    assert run.best_epoch == np.argmin(run.history["val_loss"]) + 1
    assert run.epochs == run.best_epoch + 8
    assert run.stopped == "no better epoch in 8 epochs"
    assert error == pytest.approx(min(run.history["val_loss"]), rel=1e-4)


@pytest.mark.parametrize(
    "rows",
    [
        np.random.default_rng(0).integers(0, 256, (50, 6)).astype(np.uint8),
        np.random.default_rng(0).integers(0, 2, (50, 6)),
        np.random.default_rng(0).normal(size=(50, 6)),
        np.random.default_rng(0).poisson(3, (500, 6)),
        np.eye(4)[np.random.default_rng(0).integers(0, 4, 50)],
    ],
)
def test_the_loss_of_a_perfect_copy_is_kerass(rows):
    plan = plan_of(rows)
    target = plan.scaling.apply(rows)
    # Keras takes logarithms of predictions, which a perfect copy of a 0 does not have.
    prediction = target if plan.facts.target_range is None else np.clip(target, 1e-7, 1)
    if plan.facts.kind == "counts":
        prediction = np.maximum(target, 1e-7)
    loss = keras.losses.get(choose_loss(plan.facts))

    reported = float(np.mean(keras.ops.convert_to_numpy(loss(target, prediction))))

    assert perfect_loss(target, plan.facts) == pytest.approx(reported, abs=2e-5)


def test_raw_pixels_have_no_perfect_cross_entropy():
    plan = plan_of(np.arange(256, dtype=np.uint8).reshape(2, 128))

    assert perfect_loss(np.array([[0.0, 255.0]], np.float32), plan.facts) is None


def test_unchecked_crossentropy_is_keras_own_where_that_is_defined():
    generator = np.random.default_rng(0)
    target, prediction = (
        keras.ops.convert_to_tensor(generator.uniform(size=(9, 5)), "float32") for _ in range(2)
    )

    ours = keras.ops.convert_to_numpy(unchecked_crossentropy(target, prediction))

    own = keras.ops.convert_to_numpy(keras.losses.binary_crossentropy(target, prediction))
    np.testing.assert_allclose(ours, own, rtol=1e-5)


def test_grouped_crossentropy_is_the_sum_of_keras_own_per_group():
    generator = np.random.default_rng(0)
    target = np.concatenate(
        [np.eye(3)[generator.integers(0, 3, 9)], np.eye(4)[generator.integers(0, 4, 9)]], axis=1
    )
    prediction = np.concatenate(
        [generator.dirichlet(np.ones(3), 9), generator.dirichlet(np.ones(4), 9)], axis=1
    )

    tensors = [keras.ops.convert_to_tensor(a, "float32") for a in (target, prediction)]

    ours = keras.ops.convert_to_numpy(grouped_crossentropy(*tensors))

    own = keras.losses.categorical_crossentropy
    parts = [
        keras.ops.convert_to_numpy(own(target[:, k], prediction[:, k]))
        for k in (slice(0, 3), slice(3, 7))
    ]
    np.testing.assert_allclose(ours, sum(parts), rtol=1e-5)


def test_callbacks_of_the_user_are_called():
    seen = []
    record = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, _: seen.append(epoch))

    truecopy.Autoencoder(model="dense", epochs=3, quiet=True).fit(
        np.random.default_rng(0).uniform(size=(64, 6)), callbacks=[record]
    )

    assert seen == [0, 1, 2]


def test_the_trained_networks_share_the_wholes_weights():
    plan = plan_of(np.arange(256, dtype=np.uint8).reshape(32, 8)).facts
    networks = build_dense((8,), latent=2, plan=plan)

    networks.encoder.set_weights([w + 1 for w in networks.encoder.get_weights()])

    np.testing.assert_array_equal(
        networks.model.get_weights()[0], networks.encoder.get_weights()[0]
    )


@pytest.mark.parametrize("name", ["mse", "binary_crossentropy", "huber", "poisson"])
def test_a_loss_of_images_is_keras_own_with_each_row_taken_as_a_vector(name):
    generator = np.random.default_rng(0)
    target, copy = generator.uniform(0.1, 0.9, (2, 5, 4, 3, 1)).astype(np.float32)

    flat = take_flat(name, rank=4)

    own = keras.ops.convert_to_numpy(keras.losses.get(name)(target, copy))
    seen = keras.ops.convert_to_numpy(flat(target, copy))
    np.testing.assert_allclose(seen, own.reshape(5, -1).mean(axis=1), rtol=1e-6)
    assert flat.__name__ == name


@pytest.mark.parametrize(
    ("loss", "rank"), [("mse", 2), ("categorical_crossentropy", 3), (grouped_crossentropy, 3)]
)
def test_vectors_and_losses_that_are_no_means_are_left_as_they_are(loss, rank):
    assert take_flat(loss, rank=rank) is loss


def test_the_rate_of_normalised_networks_falls_along_a_cosine_to_nearly_0():
    pictures = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1), np.uint8)

    run = truecopy.Autoencoder(2, model="dense", epochs=4, quiet=True).fit(pictures).run_

    wanted = [0.004 * (1 + math.cos(math.pi * epoch / 4)) / 2 for epoch in range(4)]
    np.testing.assert_allclose(run.history["learning_rate"], wanted, rtol=1e-5)
    assert (run.learning_rate, run.schedule) == (0.004, "cosine")
    assert "learning rate 0.004 falling to 0" in str(dict(describe_run(run)))


@pytest.mark.slow
def test_the_rate_of_a_table_stays_as_it_is():
    rows = np.random.default_rng(0).normal(size=(64, 8))

    run = truecopy.Autoencoder(2, epochs=2, quiet=True).fit(rows).run_

    assert (run.learning_rate, run.schedule) == (0.001, "constant")
    assert "learning_rate" not in run.history


def test_only_held_out_rows_are_measured_beside_the_loss():
    rows = np.random.default_rng(0).normal(size=(64, 8))

    history = truecopy.Autoencoder(2, epochs=2, quiet=True).fit(rows).run_.history

    assert set(history) == {"loss", "val_loss", "val_mse"}


@given(together=st.integers(1, 9), count=st.integers(1, 60))
@settings(deadline=None, max_examples=40)
def test_batches_drawn_together_are_those_drawn_one_by_one(together, count):
    rows = np.arange(count, dtype=np.float32)[:, None]
    one, many = (
        TrainingBatches(rows, np.arange(count), Scaling.none(), batch_size=4, seed=0)
        for _ in range(2)
    )
    many.together = together

    for _ in range(2):
        for index in np.random.default_rng(count).permutation(len(one)):
            np.testing.assert_array_equal(many[int(index)][0], one[int(index)][0])
        one.on_epoch_end()
        many.on_epoch_end()
