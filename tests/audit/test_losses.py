"""How a model was compiled is told in Keras' words, and metrics by what they do."""

import functools

import keras
import numpy as np
import pytest
from keras import layers, ops

from truecopy.audit.losses import as_function, describe_compile
from truecopy.audit.subject import Subject

RNG = np.random.default_rng(0)
GREY = np.where(RNG.random((40, 4, 4, 1)) < 0.6, 0.0, RNG.random((40, 4, 4, 1))).astype("float32")


def scaled(y, p):
    return 784 * keras.losses.binary_crossentropy(y, p)


def subject_of(loss="mse", *, optimizer="adam", metrics=None, targets=GREY):
    flat = int(np.prod(targets.shape[1:]))
    model = keras.Sequential(
        [
            keras.Input(targets.shape[1:]),
            layers.Flatten(),
            layers.Dense(flat, activation="sigmoid"),
            layers.Reshape(targets.shape[1:]),
        ]
    )
    model.compile(optimizer, loss, metrics=metrics)
    return Subject(model=model, target="m", inputs=targets, targets=targets)


@pytest.mark.parametrize(
    ("loss", "name", "own", "logits"),
    [
        ("mse", "mean_squared_error", False, False),
        ("BinaryCrossentropy", "binary_crossentropy", False, False),
        ("crossentropy", "binary_crossentropy", False, False),
        (
            functools.partial(keras.losses.binary_crossentropy, from_logits=True),
            "binary_crossentropy",
            False,
            True,
        ),
        (scaled, "scaled", True, False),
        (
            lambda y, p: keras.losses.binary_crossentropy(y, p, from_logits=True),
            "lambda",
            True,
            True,
        ),
    ],
)
def test_the_loss_has_its_long_name_however_it_was_given(loss, name, own, logits):
    facts = describe_compile(subject_of(loss))

    assert (facts.loss, facts.own, facts.from_logits) == (name, own, logits)


@pytest.mark.parametrize(
    ("loss", "like"),
    [
        (scaled, "binary_crossentropy"),
        (lambda y, p: ops.sum(ops.square(p - y), axis=(1, 2, 3)), "mean_squared_error"),
        (lambda y, p: ops.mean(ops.power(ops.abs(p - y), 1.5)), ""),
    ],
)
def test_a_function_is_known_by_the_numbers_it_gives(loss, like):
    assert describe_compile(subject_of(loss)).like == like


def test_accuracy_is_resolved_by_the_last_axis_and_has_kerass_own_values():
    facts = describe_compile(subject_of(metrics=["accuracy"]))
    own = keras.metrics.BinaryAccuracy()

    (metric,) = facts.metrics
    assert (metric.asked, metric.resolves_to, metric.counts) == ("accuracy", "BinaryAccuracy", True)
    for value, copy in ((metric.blank, 0 * GREY), (metric.perfect, GREY)):
        own.reset_state()
        for start in (0, 32):
            own.update_state(GREY[start : start + 32], copy[start : start + 32])
        assert value == float(own.result())  # bit for bit


def test_an_accuracy_that_even_a_perfect_copy_does_not_move_counts_all_the_same():
    series = np.random.default_rng(0).normal(size=GREY.shape).astype("float32")

    (metric,) = describe_compile(subject_of(metrics=["accuracy"], targets=series)).metrics

    assert (metric.counts, metric.perfect, metric.blank) == (True, 0, 0)


def test_flat_rows_are_compared_by_their_brightest_place():
    flat = GREY.reshape(40, 16)

    (metric,) = describe_compile(subject_of(metrics=["acc"], targets=flat)).metrics

    assert (metric.resolves_to, metric.counts, metric.perfect) == ("CategoricalAccuracy", True, 1)
    blank = (flat.argmax(axis=1) == 0).mean()
    assert metric.blank == pytest.approx(blank)


def test_a_metric_counts_when_a_nudge_does_not_change_it():
    def rounded(y, p):
        return ops.mean(ops.cast(ops.equal(ops.round(y), ops.round(p)), "float32"))

    facts = describe_compile(
        subject_of(metrics=[rounded, "mae", keras.metrics.RootMeanSquaredError()])
    )

    assert [m.counts for m in facts.metrics] == [True, False, False]
    assert [m.resolves_to for m in facts.metrics] == [
        "rounded",
        "MeanAbsoluteError",
        "RootMeanSquaredError",
    ]


def test_the_users_metrics_keep_their_state():
    metric = keras.metrics.MeanSquaredError()
    metric.update_state(np.ones((2, 2)), np.zeros((2, 2)))

    describe_compile(subject_of(metrics=[metric]))

    assert float(metric.result()) == 1


def test_the_learning_rate_in_force_is_that_of_the_schedule_now():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    subject = subject_of(optimizer=keras.optimizers.SGD(schedule))
    subject.model.optimizer.iterations.assign(20)

    facts = describe_compile(subject)

    assert (facts.optimizer, facts.scheduled, facts.steps) == ("sgd", True, 20)
    assert facts.learning_rate == pytest.approx(0.025)
    plain = describe_compile(subject_of(optimizer=keras.optimizers.Adam(0.003)))
    assert (plain.optimizer, plain.scheduled, plain.steps) == ("adam", False, 0)
    assert plain.learning_rate == pytest.approx(0.003)


def test_an_uncompiled_model_has_no_compile_facts():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2)])

    assert describe_compile(Subject(model=model, target="m")) is None


def test_without_rows_names_are_still_told():
    subject = subject_of("mae", metrics=["accuracy"])

    facts = describe_compile(Subject(model=subject.model, target="m"))

    assert facts.loss == "mean_absolute_error"
    assert [m.asked for m in facts.metrics] == ["accuracy"]


def test_the_loss_as_a_function_is_what_evaluate_gives_with_its_weights():
    subject = subject_of("mse")
    subject.model.compile("adam", ["mse"], loss_weights=[3.0])
    seen = subject.model.predict(GREY, verbose=0)

    loss = as_function(subject.model, subject)

    assert loss(GREY, seen) == pytest.approx(3 * np.square(GREY - seen).mean(), rel=1e-5)
    np.testing.assert_allclose(
        loss.per_row(GREY[:3], seen[:3]),
        3 * np.square(GREY[:3] - seen[:3]).mean(axis=(1, 2, 3)),
        rtol=1e-5,
    )


def test_the_floor_and_ceiling_of_a_metric_are_those_of_all_rows():
    rows = np.random.default_rng(0).choice([0.0, 0.5, 1.0], (96, 2, 2, 1)).astype("float32")
    model = keras.Sequential([keras.Input((2, 2, 1)), layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "mse", metrics=["accuracy"])
    known = Subject(model=model, target="m", inputs=rows[:8], targets=rows[:8], whole=rows)

    (accuracy,) = describe_compile(known).metrics

    assert accuracy.blank == pytest.approx((rows == 0).mean(), rel=1e-6)
    assert accuracy.perfect == pytest.approx((rows == (rows > 0.5)).mean(), rel=1e-6)
