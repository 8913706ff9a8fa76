"""The faster forms of convolutions equal JAX's own, and are used where they pay, not elsewhere."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jax import lax
from jax.extend.core import jaxpr_as_fun
from jax.extend.core.primitives import conv_general_dilated_p

from truecopy.training.acceleration import speed_up
from truecopy.training.convolution import Convolution
from truecopy.training.convolution_forms import choose_form
from truecopy.training.traced_program import replace_convolutions

LETTERS = "DHW"


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
    sizes = tuple(
        draw(st.integers((k - 1) * d + 1, (k - 1) * d + 3))
        for k, d in zip(kernel, dilation, strict=True)
    )
    # Padding beyond the kernel's reach is left out: no layer of Keras asks for it, and XLA's own
    # gradient by the input then reads outside of its memory (jaxlib 0.10.2, float32, strided).
    reaches = [(k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
    padding = draw(
        st.one_of(
            st.just([(0, 0)] * dimensions),
            st.just([(reach // 2, reach - reach // 2) for reach in reaches]),
            st.tuples(*(st.tuples(*[st.integers(0, reach)] * 2) for reach in reaches)),
        )
    )
    channels_last = draw(st.booleans())
    images = (draw(st.integers(1, 5)), *sizes, inside)
    if not channels_last:
        images = (images[0], inside, *sizes)
    convolve = functools.partial(
        lax.conv_general_dilated,
        window_strides=strides,
        padding=padding,
        lhs_dilation=stretch,
        rhs_dilation=dilation,
        feature_group_count=groups,
        dimension_numbers=numbers_of(dimensions, channels_last=channels_last),
    )
    return convolve, images, (*kernel, inside // groups, outside)


@pytest.mark.slow
@settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
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
    "depthwise, two outputs each": ((4, 8, 8, 4), (3, 3, 1, 8), {"feature_group_count": 4}, 2),
    "depthwise, strided": (
        (4, 8, 8, 4),
        (3, 3, 1, 4),
        {"feature_group_count": 4, "window_strides": (2, 2)},
        3,
    ),
    "grouped": ((4, 8, 8, 4), (3, 3, 2, 4), {"feature_group_count": 2}, 1),
    "volume": ((2, 6, 6, 6, 2), (3, 3, 3, 2, 4), {}, 1),
    "volume, strided": ((2, 6, 6, 6, 2), (3, 3, 3, 2, 4), {"window_strides": (2, 2, 2)}, 2),
    "volume, transposed": ((2, 3, 3, 3, 2), (3, 3, 3, 2, 4), {"lhs_dilation": (2, 2, 2)}, 2),
    "line, transposed": ((4, 9, 4), (5, 4, 4), {"lhs_dilation": (3,)}, 1),
    "stride wider than the kernel": (
        (2, 3, 3, 3, 2),
        (2, 2, 2, 2, 2),
        {"lhs_dilation": (3, 3, 3)},
        2,
    ),
}


def one_case(name, dtype=np.float32):
    images, kernel, options, replaced = CASES[name]
    dimensions = len(images) - 2
    convolve = functools.partial(
        lax.conv_general_dilated,
        **{
            "window_strides": (1,) * dimensions,
            "padding": [(1, 2)] * dimensions,
            "dimension_numbers": numbers_of(dimensions),
            **options,
        },
    )
    generator = np.random.default_rng(0)
    return (
        convolve,
        jnp.asarray(generator.normal(size=images), dtype),
        jnp.asarray(generator.normal(size=kernel), dtype),
        replaced,
    )


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


@pytest.mark.parametrize("rows", [1, 8, 10, 13])
def test_a_batch_of_any_size_is_cut_into_parts_that_make_the_whole(rows, monkeypatch):
    from truecopy.training import convolution_gradient

    convolve, _, kernel, _ = one_case("transposed")
    images = np.random.default_rng(0).normal(size=(rows, 4, 4, 4)).astype(np.float32)
    # Patches of 4 * 4 places, 9 taps, 4 channels and 4 bytes: four rows fit. So 8 are two parts,
    # 10 are five of two rows each, and 13, which nothing divides, are three and one row over.
    monkeypatch.setattr(convolution_gradient, "PATCH_BYTES", 4 * 4 * 4 * 9 * 4 * 4)

    assert_equal_to_oracle(convolve, images, kernel, replaced=1)


def decode(images, kernel):
    out = lax.conv_general_dilated(
        images,
        kernel,
        (1, 1),
        [(1, 2), (1, 2)],
        lhs_dilation=(2, 2),
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
    "jit": jax.jit(decode),
    "scan": lambda x, w: lax.scan(lambda sum_, row: (sum_ + decode(row[None], w), None), 0.0, x)[0],
    "remat": jax.checkpoint(decode),
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
    for got, expected in zip(
        jaxpr_as_fun(replaced)(images, kernel), gradient(images, kernel), strict=True
    ):
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


def test_a_model_without_slow_convolutions_keeps_its_program():
    weights = jnp.ones((8, 8))
    kernel = jnp.ones((3, 3, 1, 4))

    def dense(x):
        return jax.grad(lambda w: jnp.sum(jnp.tanh(x @ w)))(weights)

    def ordinary(x):
        return lax.conv_general_dilated(x, kernel, (2, 2), "SAME", dimension_numbers=numbers_of(2))

    for function, argument in ((dense, jnp.ones((2, 8))), (ordinary, jnp.ones((2, 8, 8, 1)))):
        program = jax.make_jaxpr(function)(argument)
        assert replace_convolutions(program) is program
