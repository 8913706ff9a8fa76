"""Accelerated training gives the same numbers, leaves no trace, and reaches what it should."""

import contextlib
import functools
import warnings
import zipfile

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from truecopy.training import acceleration
from truecopy.training.acceleration import COMPILED, STEPS, accelerate, speed_up
from truecopy.training.traced_program import replace_convolutions

IMAGES = np.random.default_rng(0).random((40, 8, 8, 1), dtype=np.float32)


@keras.saving.register_keras_serializable("truecopy_tests")
class Penalty(keras.layers.Layer):
    def call(self, x):
        self.add_loss(0.01 * keras.ops.mean(keras.ops.square(x)))
        return x


class Subclassed(keras.Model):
    """Layers are made in the constructor and used in `call`; traces are counted."""

    def __init__(self):
        super().__init__()
        self.encode = keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")
        self.decode = keras.layers.Conv2DTranspose(1, 3, strides=2, padding="same")
        self.traces = []

    def call(self, x, *, training=False):
        self.traces.append(training)
        return self.decode(self.encode(x))


def build_layers():
    layers = keras.layers
    return [
        keras.Input((8, 8, 1)),
        layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
        layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, activation="gelu"),
        layers.BatchNormalization(),
        layers.Dropout(0.2, seed=1),
        Penalty(),
        layers.Conv2DTranspose(9, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(1, 3, padding="same", activation="sigmoid"),
    ]


def build_model(kind="subclassed"):
    keras.utils.clear_session()  # equal names, too
    keras.utils.set_random_seed(0)
    if kind == "subclassed":
        model = Subclassed()
    elif kind == "sequential":
        model = keras.Sequential(build_layers())
    else:
        first = keras.Input((8, 8, 1))
        coded = keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(first)
        model = keras.Model(
            first, keras.layers.Conv2DTranspose(1, 4, strides=2, padding="same")(coded)
        )
    # SGD: a sign flip of a tiny gradient moves it as little as it should; Adam would move as far
    # as for a large one.
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "mse", metrics=["mae"])
    return model


class Losses(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, _, logs=None):
        self.seen.append(float(logs["loss"]))


def fit(model, epochs=4):
    losses = Losses()
    model.fit(
        IMAGES, IMAGES, batch_size=8, epochs=epochs, verbose=0, callbacks=[losses], shuffle=False
    )
    return np.array(losses.seen)


_SLOW = [pytest.param(kind, marks=pytest.mark.slow) for kind in ("sequential", "subclassed")]


@pytest.mark.parametrize("kind", ["functional", *_SLOW])
def test_every_step_of_fit_gives_the_loss_and_weights_of_plain_fit(kind):
    plain, fast = build_model(kind), build_model(kind)
    accelerate(fast)

    expected, got = fit(plain), fit(fast)

    assert len(got) == 20
    assert expected[-1] < expected[0]
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    for value, reference in zip(fast.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(value, reference, rtol=1e-4, atol=1e-5 * np.abs(reference).max())


def test_evaluate_and_predict_give_what_they_gave():
    model = build_model()
    losses, copies = model.evaluate(IMAGES, IMAGES, verbose=0), model.predict(IMAGES, verbose=0)
    with accelerate(model):
        np.testing.assert_allclose(model.evaluate(IMAGES, IMAGES, verbose=0), losses, rtol=1e-5)
        np.testing.assert_allclose(model.predict(IMAGES, verbose=0), copies, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains_as_before(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        plain, fast = build_model("functional"), build_model("functional")
    finally:
        keras.config.set_dtype_policy(before)
    with accelerate(fast):
        expected, got = fit(plain, 2), fit(fast, 2)

    np.testing.assert_allclose(got, expected, rtol=2e-2)


def test_fit_evaluate_and_predict_compile_the_replaced_step(monkeypatch):
    seen = []

    def watch(program):
        replaced = replace_convolutions(program)
        seen.append(replaced is not program)
        return replaced

    monkeypatch.setattr(acceleration, "replace_convolutions", watch)
    model = build_model()
    fit(model, 1)  # what was compiled before must not be used any longer
    accelerate(model)

    fit(model, 1)
    assert seen == [True]
    model.evaluate(IMAGES, IMAGES, batch_size=8, verbose=0)
    model.predict(IMAGES, batch_size=8, verbose=0)
    assert len(seen) == 3  # the two others have no gradient


@pytest.mark.slow
def test_a_run_is_traced_as_often_as_without():
    counts = []
    for prepare in (contextlib.nullcontext, accelerate):
        model = build_model("subclassed")
        prepare(model)
        # 40 images in batches of 16: two full ones and a short one.
        model.fit(IMAGES, IMAGES, batch_size=16, epochs=3, verbose=0)
        counts.append(model.traces.count(True))

    assert counts[1] == counts[0]
    assert counts[1] <= 3  # one for a full batch, one for the short one, one to build the model


def test_leaving_the_context_leaves_the_model_as_it_was():
    model = build_model()
    attributes = set(vars(model))
    with accelerate(model) as handle:
        assert set(STEPS) <= set(vars(model))
        fit(model, 1)
        assert model.train_function is not None
    handle.undo()

    assert set(vars(model)) == attributes | (set(vars(model)) - set(STEPS))
    assert not set(STEPS) & set(vars(model))
    assert all(getattr(model, name) is None for name in COMPILED)
    assert model.train_step.__func__ is keras.Model.train_step
    fit(model, 1)


def test_an_error_inside_the_context_still_undoes_it():
    model = build_model()
    with pytest.raises(ZeroDivisionError), accelerate(model):
        raise ZeroDivisionError
    assert not set(STEPS) & set(vars(model))


def test_a_second_call_changes_nothing_and_undoes_nothing():
    model = build_model()
    first = accelerate(model)
    step = vars(model)["train_step"]

    with accelerate(model) as second:
        assert not second.active
        assert vars(model)["train_step"] is step

    assert first.active
    assert vars(model)["train_step"] is step
    first.undo()
    assert not set(STEPS) & set(vars(model))


@pytest.mark.slow
def test_the_saved_file_knows_nothing_of_it(tmp_path):
    model = build_model("sequential")
    model.save(tmp_path / "before.keras")
    with accelerate(model):
        model.save(tmp_path / "during.keras")
    model.save(tmp_path / "after.keras")

    configs, weights = [], []
    for path in sorted(tmp_path.iterdir()):
        with zipfile.ZipFile(path) as archive:
            configs.append((archive.namelist(), archive.read("config.json")))
        # The arrays, not the bytes: HDF5 notes when it was written.
        loaded = keras.saving.load_model(path)
        assert not set(STEPS) & set(vars(loaded))
        weights.append(loaded.get_weights())
    assert len(configs) == 3
    assert configs[0] == configs[1] == configs[2]
    assert b"truecopy.training" not in configs[0][1]
    for values in zip(*weights, model.get_weights(), strict=True):
        for value in values:
            np.testing.assert_array_equal(value, values[-1])


def test_what_cannot_be_replaced_trains_plainly_and_warns_once(monkeypatch):
    def fail(program):
        raise NotImplementedError("a new JAX")

    monkeypatch.setattr(acceleration, "replace_convolutions", fail)
    plain, fast = build_model(), build_model()
    accelerate(fast)

    with pytest.warns(UserWarning, match="trains at its usual speed") as caught:
        # 40 images in batches of 16: two traces.
        fast.fit(IMAGES, IMAGES, batch_size=16, verbose=0, shuffle=False)
    plain.fit(IMAGES, IMAGES, batch_size=16, verbose=0, shuffle=False)

    assert len(caught) == 1
    assert str(caught[0].message) == (
        "This model is not accelerated and trains at its usual speed: "
        "NotImplementedError('a new JAX')"
    )
    for value, reference in zip(fast.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(value, reference)


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        (jax, "default_backend", "gpu"),
        (keras.backend, "backend", "torch"),
    ],
)
def test_elsewhere_than_on_jax_and_a_cpu_nothing_is_done(owner, name, value, monkeypatch):
    monkeypatch.setattr(owner, name, lambda: value)
    model = build_model()

    with accelerate(model) as handle:
        assert not handle.active
        assert not set(STEPS) & set(vars(model))


def test_outside_of_a_trace_nothing_is_traced():
    def step(x):
        y = jnp.sin(x)
        return y, isinstance(y, jax.core.Tracer)

    assert speed_up(step)(jnp.ones(3))[1] is False


@pytest.mark.slow
def test_an_eager_run_stays_eager():
    model = build_model("subclassed")
    model.compile("sgd", "mse", run_eagerly=True)
    with accelerate(model), warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert np.isfinite(model.fit(IMAGES[:8], IMAGES[:8], verbose=0).history["loss"][0])


@pytest.mark.slow
def test_stateless_calls_take_dicts_masks_and_flags_under_jit_and_grad():
    keras.utils.set_random_seed(0)
    inputs = {
        "picture": keras.Input((8, 8, 1), name="picture"),
        "steps": keras.Input((5, 2), name="steps"),
    }
    picture = keras.layers.Conv2DTranspose(4, 3, strides=2)(inputs["picture"])
    steps = keras.layers.SimpleRNN(4)(inputs["steps"])
    dropped = keras.layers.Dropout(0.5, seed=1)(picture)
    out = [keras.layers.GlobalAveragePooling2D()(dropped), steps]
    model = keras.Model(inputs, out)
    data = {"picture": IMAGES[:4], "steps": np.ones((4, 5, 2), np.float32)}
    mask = {"picture": None, "steps": np.arange(5)[None] < np.array([[1], [2], [3], [5]])}
    state = (
        [v.value for v in model.trainable_variables],
        [v.value for v in model.non_trainable_variables],
    )

    def loss(call, trainable, data, mask):
        outs, _, losses = call(
            trainable, state[1], data, training=True, mask=mask, return_losses=True
        )
        return sum(jnp.sum(jnp.square(out)) for out in outs) + sum(losses)

    plain = jax.jit(jax.grad(functools.partial(loss, model.stateless_call)))(state[0], data, mask)
    fast = jax.jit(speed_up(jax.grad(functools.partial(loss, speed_up(model.stateless_call)))))(
        state[0], data, mask
    )

    for got, expected in zip(fast, plain, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)
