"""Accelerated training gives the same numbers, leaves no trace, and reaches what it should."""

import dataclasses
import functools
import json
import warnings
import zipfile

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax
from jax.extend.core import jaxpr_as_fun
from jax.extend.core.primitives import conv_general_dilated_p

from truecopy.training import acceleration
from truecopy.training.acceleration import COMPILED, STEPS, accelerate, speed_up
from truecopy.training.convolution import Convolution
from truecopy.training.convolution_forms import choose_form
from truecopy.training.traced_program import replace_convolutions

LETTERS = "DHW"
IMAGES = np.random.default_rng(0).random((40, 8, 8, 1), dtype=np.float32)


def numbers_of(dimensions, *, channels_last=True):
    spatial = LETTERS[-dimensions:]
    images = f"N{spatial}C" if channels_last else f"NC{spatial}"
    return images, f"{spatial}IO", images


def sums_of_gradients(convolve):
    """A function of images, kernel and output gradient: the output and both gradients."""

    def run(images, kernel, gradient):
        out, pull = jax.vjp(convolve, images, kernel)
        return out, *pull(gradient)

    return run


def convolutions_in(jaxpr):
    for equation in jaxpr.eqns:
        if equation.primitive is conv_general_dilated_p:
            yield equation
        for value in equation.params.values():
            for item in value if isinstance(value, tuple) else (value,):
                inner = getattr(item, "jaxpr", item)
                if hasattr(inner, "eqns"):
                    yield from convolutions_in(inner)


def slow_convolutions(program):
    return sum(
        choose_form(*(atom.aval for atom in equation.invars), Convolution(**equation.params))
        is not None
        for equation in convolutions_in(program.jaxpr)
    )


def assert_equal_to_oracle(convolve, images, kernel, *, tolerance=2e-6, replaced=None):
    """Compare with JAX's own convolution in float64, relative to the largest value."""
    shape = jax.eval_shape(convolve, images, kernel)
    gradient = np.random.default_rng(1).normal(size=shape.shape).astype(images.dtype)
    run = sums_of_gradients(convolve)
    if replaced is not None:
        assert slow_convolutions(jax.make_jaxpr(run)(images, kernel, gradient)) == replaced
    fast = jax.jit(speed_up(run))(images, kernel, gradient)
    with jax.enable_x64(True):  # noqa: FBT003
        exact = run(*(jnp.asarray(value, np.float64) for value in (images, kernel, gradient)))
    for got, expected in zip(fast, exact, strict=True):
        assert got.dtype == images.dtype
        scale = np.abs(expected).max() if expected.size else 1
        np.testing.assert_allclose(
            np.asarray(got, np.float64), expected, rtol=0, atol=tolerance * max(scale, 1)
        )


@st.composite
def drawn_convolutions(draw):
    dimensions = draw(st.integers(1, 3))

    def tuples(low, high):
        return draw(st.tuples(*[st.integers(low, high)] * dimensions))

    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    inside, outside = groups * draw(st.sampled_from([1, 2])), groups * draw(st.sampled_from([1, 9]))
    kernel, dilation = tuples(1, 3), tuples(1, 2)
    stretch, strides = tuples(1, 3), tuples(1, 2)
    # At least as large as the kernel's reach, so that an output exists; uneven on purpose.
    sizes = tuple(draw(st.integers((k - 1) * d + 1, (k - 1) * d + 3))
                  for k, d in zip(kernel, dilation, strict=True))
    padding = draw(st.one_of(
        st.just([(0, 0)] * dimensions),
        st.just([((k - 1) * d // 2, k * d // 2) for k, d in zip(kernel, dilation, strict=True)]),
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)),
                 min_size=dimensions, max_size=dimensions),
    ))
    channels_last = draw(st.booleans())
    images = (draw(st.integers(1, 5)), *sizes, inside)
    if not channels_last:
        images = (images[0], inside, *sizes)
    convolve = functools.partial(
        lax.conv_general_dilated, window_strides=strides, padding=padding, lhs_dilation=stretch,
        rhs_dilation=dilation, feature_group_count=groups,
        dimension_numbers=numbers_of(dimensions, channels_last=channels_last),
    )
    return convolve, images, (*kernel, inside // groups, outside)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(drawn_convolutions())
def test_any_convolution_and_its_gradients_equal_the_float64_oracle(drawn):
    convolve, images, kernel = drawn
    generator = np.random.default_rng(0)

    assert_equal_to_oracle(
        convolve,
        generator.normal(size=images).astype(np.float32),
        generator.normal(size=kernel).astype(np.float32),
    )


# The input's shape, the kernel's, what JAX is told, and how many of the three (the output, the
# gradients by input and by kernel) XLA would run badly.
CASES = {
    "ordinary": ((4, 8, 8, 4), (3, 3, 4, 4), {"window_strides": (2, 2)}, 0),
    "transposed": ((4, 4, 4, 4), (3, 3, 4, 4), {"lhs_dilation": (2, 2)}, 1),
    "one channel out": ((4, 8, 8, 16), (3, 3, 16, 1), {}, 1),
    "depthwise": ((4, 8, 8, 4), (3, 3, 1, 4), {"feature_group_count": 4}, 3),
    "depthwise, two outputs each": (
        (4, 8, 8, 4), (3, 3, 1, 8), {"feature_group_count": 4}, 2),
    "depthwise, strided": (
        (4, 8, 8, 4), (3, 3, 1, 4), {"feature_group_count": 4, "window_strides": (2, 2)}, 3),
    "grouped": ((4, 8, 8, 4), (3, 3, 2, 4), {"feature_group_count": 2}, 1),
    "volume": ((2, 6, 6, 6, 2), (3, 3, 3, 2, 4), {}, 1),
    "volume, strided": ((2, 6, 6, 6, 2), (3, 3, 3, 2, 4), {"window_strides": (2, 2, 2)}, 2),
    "volume, transposed": ((2, 3, 3, 3, 2), (3, 3, 3, 2, 4), {"lhs_dilation": (2, 2, 2)}, 2),
    "line, transposed": ((4, 9, 4), (5, 4, 4), {"lhs_dilation": (3,)}, 1),
    "stride wider than the kernel": ((2, 3, 3, 3, 2), (2, 2, 2, 2, 2),
                                     {"lhs_dilation": (3, 3, 3)}, 2),
}


def one_case(name, dtype=np.float32):
    images, kernel, options, replaced = CASES[name]
    dimensions = len(images) - 2
    convolve = functools.partial(lax.conv_general_dilated, **{
        "window_strides": (1,) * dimensions, "padding": [(1, 2)] * dimensions,
        "dimension_numbers": numbers_of(dimensions), **options,
    })
    generator = np.random.default_rng(0)
    return (convolve, jnp.asarray(generator.normal(size=images), dtype),
            jnp.asarray(generator.normal(size=kernel), dtype), replaced)


@pytest.mark.parametrize("name", CASES)
def test_what_xla_runs_badly_is_replaced_and_nothing_else(name):
    convolve, images, kernel, replaced = one_case(name)

    assert_equal_to_oracle(convolve, images, kernel, replaced=replaced)


@pytest.mark.parametrize("name", ["transposed", "depthwise", "volume, transposed"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(jnp.bfloat16, 2**-8), (jnp.float16, 2**-11)])
def test_half_precision_is_off_by_no_more_than_its_own_rounding(name, dtype, tolerance):
    convolve, images, kernel, replaced = one_case(name, dtype)

    assert_equal_to_oracle(convolve, images, kernel, tolerance=tolerance, replaced=replaced)


@pytest.mark.parametrize("name", ["transposed", "depthwise", "volume, transposed"])
def test_float64_stays_float64(name):
    with jax.enable_x64(True):  # noqa: FBT003
        convolve, images, kernel, replaced = one_case(name, np.float64)
        assert_equal_to_oracle(convolve, images, kernel, tolerance=1e-14, replaced=replaced)


@pytest.mark.parametrize("rows", [1, 7, 12, 13])
def test_a_batch_of_any_size_is_cut_into_parts_that_make_the_whole(rows, monkeypatch):
    from truecopy.training import convolution_gradient

    convolve, _, kernel, _ = one_case("transposed")
    images = np.random.default_rng(0).normal(size=(rows, 4, 4, 4)).astype(np.float32)
    # Patches of 4 * 4 places, 9 taps, 4 channels and 4 bytes: two rows fit.
    monkeypatch.setattr(convolution_gradient, "PATCH_BYTES", 2 * 4 * 4 * 9 * 4 * 4)

    assert_equal_to_oracle(convolve, images, kernel, replaced=1)


def decode(images, kernel):
    out = lax.conv_general_dilated(
        images, kernel, (1, 1), [(1, 2), (1, 2)], lhs_dilation=(2, 2),
        dimension_numbers=numbers_of(2),
    )
    return jnp.sum(jnp.sin(out))


@jax.custom_vjp
def decode_with_own_rule(images, kernel):
    return decode(images, kernel)


decode_with_own_rule.defvjp(
    lambda images, kernel: (decode(images, kernel), (images, kernel)),
    lambda saved, gradient: tuple(3 * gradient * g for g in jax.grad(decode, (0, 1))(*saved)),
)

NESTED = {
    "jit": lambda x, w: jax.jit(decode)(x, w),
    "scan": lambda x, w: lax.scan(lambda sum_, row: (sum_ + decode(row[None], w), None), 0.0, x)[0],
    "remat": lambda x, w: jax.checkpoint(decode)(x, w),
    "cond": lambda x, w: lax.cond(x[0, 0, 0, 0] > 0, decode, lambda x, w: 2 * decode(x, w), x, w),
    "custom_jvp": lambda x, w: jax.nn.relu(decode(jax.nn.gelu(x), w)),
    "custom_vjp": decode_with_own_rule,
    "vmap": lambda x, w: jnp.sum(jax.vmap(lambda row: decode(row[None], w))(x)),
}


@pytest.mark.parametrize("name", NESTED)
def test_convolutions_inside_other_constructs_are_reached(name):
    generator = np.random.default_rng(0)
    images = generator.normal(size=(3, 4, 4, 2)).astype(np.float32)
    kernel = generator.normal(size=(3, 3, 2, 2)).astype(np.float32)
    gradient = jax.grad(NESTED[name], argnums=(0, 1))
    program = jax.make_jaxpr(gradient)(images, kernel)

    replaced = replace_convolutions(program)

    assert slow_convolutions(program) > 0
    assert slow_convolutions(replaced) == 0
    for got, expected in zip(jaxpr_as_fun(replaced)(images, kernel), gradient(images, kernel),
                             strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_a_gradient_taken_inside_a_while_loop_is_reached():
    images = np.random.default_rng(0).normal(size=(3, 4, 4, 2)).astype(np.float32)

    def descend(images, kernel):
        return lax.while_loop(
            lambda state: state[0] < 3,
            lambda state: (state[0] + 1, state[1] - 0.1 * jax.grad(decode, 1)(images, state[1])),
            (0, kernel),
        )[1]

    kernel = np.ones((3, 3, 2, 2), np.float32)
    replaced = replace_convolutions(jax.make_jaxpr(descend)(images, kernel))

    assert slow_convolutions(replaced) == 0
    np.testing.assert_allclose(
        jaxpr_as_fun(replaced)(images, kernel)[0], descend(images, kernel), rtol=1e-4
    )


def test_custom_derivatives_survive_the_replacement():
    images, kernel = jnp.ones((3, 4, 4, 2)), jnp.ones((3, 3, 2, 2))

    got = jax.jit(jax.grad(speed_up(decode_with_own_rule), argnums=1))(images, kernel)

    np.testing.assert_allclose(got, 3 * jax.grad(decode, 1)(images, kernel), rtol=1e-4, atol=1e-5)


def test_the_record_has_the_parameters_this_version_of_jax_uses():
    program = jax.make_jaxpr(decode)(jnp.ones((1, 4, 4, 2)), jnp.ones((3, 3, 2, 2)))
    (equation,) = convolutions_in(program.jaxpr)

    assert set(equation.params) == {field.name for field in dataclasses.fields(Convolution)}


# ---------------------------------------------------------------------------------------------
# Keras models


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

    def call(self, x, training=False):
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
        first, *rest = build_layers()
        out = first
        for layer in rest:
            out = layer(out)
        model = keras.Model(first, out)
    # SGD: a sign flip of a tiny gradient moves it as little as it should; Adam would move as far
    # as for a large one.
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "mse", metrics=["mae"])
    return model


class Losses(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(float(logs["loss"]))


def fit(model, epochs=6):
    losses = Losses()
    model.fit(IMAGES, IMAGES, batch_size=8, epochs=epochs, verbose=0, callbacks=[losses],
              shuffle=False)
    return np.array(losses.seen)


@pytest.mark.parametrize("kind", ["sequential", "functional", "subclassed"])
def test_every_step_of_fit_gives_the_loss_and_weights_of_plain_fit(kind):
    plain, fast = build_model(kind), build_model(kind)
    accelerate(fast)

    expected, got = fit(plain), fit(fast)

    assert len(got) == 30
    assert expected[-1] < expected[0]
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    for value, reference in zip(fast.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(value, reference, rtol=1e-4, atol=1e-5 * np.abs(reference).max())
    np.testing.assert_allclose(
        fast.evaluate(IMAGES, IMAGES, verbose=0), plain.evaluate(IMAGES, IMAGES, verbose=0),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        fast.predict(IMAGES, verbose=0), plain.predict(IMAGES, verbose=0), atol=1e-5
    )


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
        seen.append(slow_convolutions(program))
        return replace_convolutions(program)

    monkeypatch.setattr(acceleration, "replace_convolutions", watch)
    model = build_model()
    accelerate(model)

    fit(model, 1)
    assert len(seen) == 1
    assert seen[0] == 1
    model.evaluate(IMAGES, IMAGES, batch_size=8, verbose=0)
    model.predict(IMAGES, batch_size=8, verbose=0)
    assert len(seen) == 3


def test_a_run_is_traced_as_often_as_without():
    counts = []
    for prepare in (lambda model: None, accelerate):
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


def test_the_saved_file_knows_nothing_of_it(tmp_path):
    plain, fast = build_model("sequential"), build_model("sequential")
    accelerate(fast)
    plain.save(tmp_path / "plain.keras")
    fast.save(tmp_path / "fast.keras")

    contents = []
    for name in ("plain", "fast"):
        with zipfile.ZipFile(tmp_path / f"{name}.keras") as archive:
            assert sorted(archive.namelist()) == ["config.json", "metadata.json",
                                                  "model.weights.h5"]
            config = archive.read("config.json")
            # HDF5 notes when it was written; the arrays are compared after loading.
            contents.append(json.loads(config))
            assert b"truecopy." not in config
    assert contents[0] == contents[1]
    loaded = keras.saving.load_model(tmp_path / "fast.keras")
    assert not set(STEPS) & set(vars(loaded))
    for value, reference in zip(loaded.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(value, reference)


def test_a_model_without_slow_convolutions_keeps_its_program():
    weights = jnp.ones((8, 8))
    kernel = jnp.ones((3, 3, 1, 4))

    def dense(x):
        return jax.grad(lambda w: jnp.sum(jnp.tanh(x @ w)))(weights)

    def ordinary(x):
        return lax.conv_general_dilated(x, kernel, (2, 2), "SAME", dimension_numbers=numbers_of(2))

    for function, argument in ((dense, jnp.ones((2, 8))), (ordinary, IMAGES)):
        program = jax.make_jaxpr(function)(argument)
        assert replace_convolutions(program) is program


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


@pytest.mark.parametrize(("owner", "name", "value"), [
    (jax, "default_backend", "gpu"), (keras.backend, "backend", "torch"),
])
def test_elsewhere_than_on_jax_and_a_cpu_nothing_is_done(owner, name, value, monkeypatch):
    monkeypatch.setattr(owner, name, lambda: value)
    model = build_model()

    with accelerate(model) as handle:
        assert not handle.active
        assert not set(STEPS) & set(vars(model))


def test_an_eager_run_stays_eager():
    model = build_model("subclassed")
    model.compile("sgd", "mse", run_eagerly=True)
    with accelerate(model), warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert np.isfinite(model.fit(IMAGES[:8], IMAGES[:8], verbose=0).history["loss"][0])


def test_stateless_calls_take_dicts_masks_and_flags_under_jit_and_grad():
    keras.utils.set_random_seed(0)
    inputs = {"picture": keras.Input((8, 8, 1), name="picture"),
              "steps": keras.Input((5, 2), name="steps")}
    picture = keras.layers.Conv2DTranspose(4, 3, strides=2)(inputs["picture"])
    steps = keras.layers.SimpleRNN(4)(inputs["steps"])
    dropped = keras.layers.Dropout(0.5, seed=1)(picture)
    out = [keras.layers.GlobalAveragePooling2D()(dropped), steps]
    model = keras.Model(inputs, out)
    data = {"picture": IMAGES[:4], "steps": np.ones((4, 5, 2), np.float32)}
    mask = {"picture": None, "steps": np.arange(5)[None] < np.array([[1], [2], [3], [5]])}
    state = [v.value for v in model.trainable_variables], [
        v.value for v in model.non_trainable_variables]

    def loss(call, trainable, data, mask):
        outs, _, losses = call(trainable, state[1], data, training=True, mask=mask,
                               return_losses=True)
        return sum(jnp.sum(jnp.square(out)) for out in outs) + sum(losses)

    plain = jax.jit(jax.grad(functools.partial(loss, model.stateless_call)))(state[0], data, mask)
    fast = jax.jit(speed_up(jax.grad(functools.partial(loss, speed_up(model.stateless_call)))))(
        state[0], data, mask)

    for got, expected in zip(fast, plain, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)
