"""Whether a loss asks for a copy is found on numbers, whatever its name."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from truecopy.audit.contract import measure_contract, why_no_contract
from truecopy.audit.subject import Subject

RNG = np.random.default_rng(0)
UNIT = RNG.beta(0.3, 0.6, (64, 6)).astype("float32")
NORMAL = RNG.normal(size=(64, 6)).astype("float32")
ONE_HOT = np.eye(6, dtype="float32")[RNG.integers(0, 6, 64)]
COUNTS = RNG.poisson(2.0, (64, 6)).astype("float32")
BOUNDS = {"linear": (None, None), "sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "relu": (0.0, None)}


def subject_of(loss, targets, activation="linear", **known):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(6, activation=activation)])
    model.compile("adam", loss)
    return Subject(model=model, target="m", inputs=targets, targets=targets, **known)


def contract_of(loss, targets, activation="linear"):
    axis = -1 if activation == "softmax" else None
    subject = subject_of(loss, targets, activation)
    return measure_contract(subject, bounds=BOUNDS[activation], softmax_axis=axis)


def entropy(y):
    y = np.clip(y.astype(float), 1e-7, 1 - 1e-7)
    return -(y * np.log(y) + (1 - y) * np.log1p(-y)).mean()


@pytest.mark.parametrize(
    ("loss", "targets", "activation"),
    [
        ("mse", NORMAL, "linear"),
        (keras.losses.Huber(), NORMAL, "linear"),
        ("cosine_similarity", NORMAL, "linear"),
        ("poisson", COUNTS + 1, "relu"),
        ("binary_crossentropy", UNIT, "sigmoid"),
        (keras.losses.BinaryCrossentropy(from_logits=True), UNIT, "linear"),
        ("categorical_crossentropy", ONE_HOT, "softmax"),
        ("kl_divergence", ONE_HOT, "softmax"),
        (lambda y, p: ops.sum(ops.abs(y - p)), NORMAL, "linear"),
    ],
)
def test_losses_that_ask_for_a_copy_have_no_better_prediction(loss, targets, activation):
    facts = contract_of(loss, targets, activation)

    assert facts.better is None
    assert not facts.unbounded
    assert not facts.ignores
    assert facts.perfect < facts.mean
    assert facts.unavoidable_share == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("loss", "targets", "activation"),
    [
        (lambda y, p: -ops.mean(ops.square(y - p)), NORMAL, "linear"),
        (lambda y, p: ops.square(ops.mean(y - p)), NORMAL, "linear"),
        (lambda y, p: -ops.mean(y * ops.log(p + 1e-7)), UNIT, "sigmoid"),
        ("kl_divergence", UNIT, "sigmoid"),
        ("hinge", UNIT, "sigmoid"),
    ],
)
def test_losses_that_ask_for_something_else_have_a_better_prediction(loss, targets, activation):
    facts = contract_of(loss, targets, activation)

    assert facts.better <= facts.perfect + 1e-6
    assert facts.better_at


def test_only_what_the_output_can_give_counts_as_better():
    facts = contract_of("kl_divergence", UNIT / UNIT.sum(axis=1, keepdims=True), "softmax")

    assert facts.better is None


def test_swapped_arguments_are_told_from_other_faults():
    bce = keras.losses.binary_crossentropy

    assert contract_of(lambda y, p: bce(p, y), UNIT, "sigmoid").swapped
    assert not contract_of(lambda y, p: -bce(y, p), UNIT, "sigmoid").swapped


def test_a_perfect_copy_costs_the_entropy_whether_probabilities_or_logits_are_asked_for():
    plain = contract_of("binary_crossentropy", UNIT, "sigmoid")
    logits = contract_of(keras.losses.BinaryCrossentropy(from_logits=True), UNIT)

    assert plain.perfect == pytest.approx(entropy(UNIT), rel=1e-4)
    assert logits.perfect == pytest.approx(entropy(UNIT), rel=1e-4)


def test_cross_entropy_has_no_floor_for_targets_outside_the_unit_interval():
    if keras.backend.backend() != "torch":  # which takes no such targets
        assert contract_of("binary_crossentropy", NORMAL, "sigmoid").unbounded
    assert contract_of(keras.losses.BinaryCrossentropy(from_logits=True), NORMAL).unbounded
    assert not contract_of("mse", NORMAL, "sigmoid").unbounded


def test_what_is_out_of_reach_is_the_error_of_the_nearest_point_within():
    facts = contract_of("mse", NORMAL, "sigmoid")
    missed = np.square(NORMAL - np.clip(NORMAL, 0, 1), dtype=float).mean()

    assert facts.unavoidable == pytest.approx(missed, rel=1e-5)
    assert facts.unavoidable_share == pytest.approx(missed / NORMAL.var(axis=0).mean(), rel=1e-4)
    assert facts.outside == pytest.approx(((NORMAL < 0) | (NORMAL > 1)).mean())
    assert facts.projected == pytest.approx(missed, rel=1e-4)


def test_values_that_a_mask_hides_are_told():
    seen = np.array([1, 1, 1, 0, 0, 0], "float32")

    facts = contract_of(lambda y, p: ops.mean(ops.square(y - p) * seen), NORMAL)

    assert facts.ignores == pytest.approx(0.5, abs=0.2)  # 24 places were tried


@pytest.mark.parametrize("value", [-1.0, 0.0])
@pytest.mark.parametrize("steps", [False, True])
def test_a_value_that_the_loss_masks_is_no_place_that_it_ignores(value, steps):
    rows = np.random.default_rng(0).uniform(size=(40, 5, 2)).astype("float32")
    rows[:, 3:] = value
    rows[:9, 0, 0] = value  # alone in a step, it counts where whole steps are masked

    def masked(y, p):
        real = ops.not_equal(y, value)
        real = ops.any(real, axis=-1, keepdims=True) if steps else real
        return ops.mean(ops.square(y - p) * ops.cast(real, "float32"))

    facts = contract_of(masked, rows)

    assert (facts.masked, facts.masks_steps) == (value, steps)
    assert facts.ignores == 0


def test_a_value_that_counts_is_not_masked():
    rows = np.random.default_rng(0).uniform(size=(40, 5, 2)).astype("float32")
    rows[:, 3:] = 0

    assert contract_of("mse", rows).masked is None


def test_a_sum_over_the_batch_doubles_with_it():
    assert contract_of("mse", NORMAL).batch_scaling == pytest.approx(1, rel=1e-5)
    summed = keras.losses.MeanSquaredError(reduction="sum")
    assert contract_of(summed, NORMAL).batch_scaling == pytest.approx(2, rel=1e-5)


@pytest.mark.parametrize("reduce", [ops.mean, ops.sum])
def test_a_penalty_on_codes_is_measured_beside_the_loss(reduce):
    class Sparse(layers.Layer):
        def call(self, codes):
            self.add_loss(reduce(ops.sum(ops.abs(codes), axis=-1)))
            return codes

    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(4, kernel_regularizer="l2"), Sparse(), layers.Dense(6)]
    )
    model.compile("adam", "mse")

    facts = measure_contract(Subject(model=model, target="m", inputs=NORMAL, targets=NORMAL))

    expected = 2 if reduce is ops.sum else 1
    assert facts.penalty_scaling == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("loss", "scale"),
    [
        (lambda y, p: ops.sum(ops.square(y - p), axis=-1), 1.0),
        ("mae", None),
    ],
)
def test_the_row_scale_is_the_weight_of_one_squared_error(loss, scale):
    assert contract_of(loss, NORMAL).row_scale == (scale and pytest.approx(scale, rel=1e-4))


def test_outputs_that_cross_entropy_clips_get_no_gradient():
    subject = subject_of("binary_crossentropy", UNIT)
    seen = subject.model.predict(UNIT, verbose=0)

    facts = measure_contract(subject)

    assert facts.clipped_gradient == pytest.approx(((seen < 0) | (seen > 1)).mean())
    assert contract_of("mse", UNIT).clipped_gradient == 0


def test_an_output_of_one_channel_for_three_is_repeated_silently():
    photos = RNG.random((16, 4, 4, 3)).astype("float32")
    model = keras.Sequential([keras.Input((4, 4, 3)), layers.Conv2D(1, 1)])
    model.compile("adam", "mse")

    facts = measure_contract(Subject(model=model, target="m", inputs=photos, targets=photos))

    grey = photos.mean(axis=-1, keepdims=True)
    assert facts.broadcast
    assert facts.unavoidable == pytest.approx(np.square(photos - grey).mean(), rel=1e-4)


def test_one_value_for_all_steps_is_repeated_where_keras_drops_the_last_axis():
    series = RNG.normal(size=(32, 12, 1)).astype("float32")
    model = keras.Sequential([keras.Input((12, 1)), layers.Flatten(), layers.Dense(1)])
    model.compile("adam", "mse")

    facts = measure_contract(Subject(model=model, target="m", inputs=series, targets=series))

    assert facts.broadcast
    within = series.var(axis=1).mean() / series.var(axis=0).mean()
    assert facts.unavoidable_share == pytest.approx(within, rel=1e-4)


def test_an_axis_of_one_that_keras_squeezes_is_no_broadcast():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(6), layers.Reshape((6, 1))])
    model.compile("adam", "mse")

    facts = measure_contract(Subject(model=model, target="m", inputs=NORMAL, targets=NORMAL))

    assert not facts.broadcast


def test_class_numbers_are_copied_by_their_one_hot_code():
    words = RNG.integers(0, 5, (64, 3))
    model = keras.Sequential([keras.Input((3,)), layers.Dense(15), layers.Reshape((3, 5))])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=False))

    facts = measure_contract(Subject(model=model, target="m", inputs=words, targets=words))

    assert facts.perfect == pytest.approx(0, abs=1e-5)
    assert not facts.broadcast


def test_rows_that_are_not_finite_are_left_out():
    rows = NORMAL.copy()
    rows[3, 2] = np.nan

    assert np.isfinite(contract_of("mse", rows).mean)
    assert contract_of("mse", np.full_like(NORMAL, np.nan)) is None


def test_without_a_loss_there_is_nothing_to_measure_and_the_reason_is_told():
    subject = subject_of(None, NORMAL)

    assert measure_contract(subject) is None
    assert why_no_contract(subject) == "The model was compiled without a loss or not at all."


def test_an_own_compute_loss_is_asked_for_predictions():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.copy = layers.Dense(6)

        def call(self, x):
            return self.copy(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):  # noqa: ARG002
            return ops.mean(ops.square(x - self.copy(x)))

    model = Own()
    model.compile("adam")
    model(NORMAL[:1])

    facts = measure_contract(Subject(model=model, target="m", inputs=NORMAL, targets=NORMAL))

    assert facts.perfect == pytest.approx(0, abs=1e-6)
    assert facts.better is None
    assert facts.row_scale == pytest.approx(1 / 6, rel=1e-4)


def test_measuring_leaves_weights_and_seeds_as_they_were():
    subject = subject_of("mse", NORMAL)
    before = subject.model.get_weights()
    keras.utils.set_random_seed(3)
    expected = keras.random.normal((2,))
    keras.utils.set_random_seed(3)

    measure_contract(subject)

    np.testing.assert_array_equal(keras.random.normal((2,)), expected)
    for weight, old in zip(subject.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
