"""Where one training step of Keras' denoising sample goes: each convolution, before and after.

    python -m benchmarks.step [--repeats 30]

The step that Keras compiles is traced; each of its convolutions is run alone, as XLA has it and
in the form that `truecopy.accelerate` puts in its place, on random numbers of the same shapes. It
prints a Markdown table: the arithmetic, milliseconds (medians), GFLOP/s, and the whole step.
"""

import argparse
import math
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr
from jax.extend.core.primitives import conv_general_dilated_p

from benchmarks.programs.keras_models import build_conv
from truecopy.training.acceleration import accelerate
from truecopy.training.convolution import Convolution
from truecopy.training.convolution_forms import choose_form

BATCH = 128


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=30)
    repeats = parser.parse_args().repeats
    model, state, data = prepare()
    program = jax.make_jaxpr(model.train_step)(state, data)
    print("| convolution | GFLOP | XLA, ms | GFLOP/s | truecopy, ms | GFLOP/s |")
    print("|---|---:|---:|---:|---:|---:|")
    for equation in find_convolutions(program.jaxpr):
        print(measure(equation, repeats))
    plain = jax.jit(model.train_step)
    before = time_call(plain, (state, data), repeats)
    with accelerate(model):
        after = time_call(jax.jit(model.train_step), (state, data), repeats)
    print(f"| the whole step | | {before:.1f} | | {after:.1f} | |")


def prepare() -> tuple[Any, Any, Any]:
    """Return the compiled sample, its state as Keras' JAX trainer has it, and a batch."""
    model = build_conv()
    images = np.random.default_rng(0).uniform(size=(BATCH, 28, 28, 1)).astype(np.float32)
    model.fit(images, images, batch_size=BATCH, epochs=1, verbose=0)
    # Keras 3.15's own names for the parts of the state.
    parts = ("trainable", "non_trainable", "optimizer", "metrics")
    told = {f"{part}_variables": True for part in parts}
    return model, model._get_jax_state(**told), (images, images)  # noqa: SLF001 (no public one)


def find_convolutions(jaxpr: Jaxpr) -> Iterator[Any]:
    """Give the convolutions of a program, those of programs inside it too, in their order."""
    for equation in jaxpr.eqns:
        if equation.primitive is conv_general_dilated_p:
            yield equation
        for value in equation.params.values():
            for inner in value if isinstance(value, tuple) else (value,):
                if isinstance(inner, ClosedJaxpr):
                    yield from find_convolutions(inner.jaxpr)
                elif isinstance(inner, Jaxpr):
                    yield from find_convolutions(inner)


def measure(equation: Any, repeats: int) -> str:
    """Return the table's row of one convolution."""
    shapes = [atom.aval for atom in equation.invars]
    draw = np.random.default_rng(0).normal
    given = tuple(jax.device_put(draw(size=s.shape).astype(s.dtype)) for s in shapes)
    convolution = Convolution(**equation.params)
    work = count(equation) / 1e9
    plain = time_call(jax.jit(convolution), given, repeats)
    form = choose_form(*(jax.ShapeDtypeStruct(s.shape, s.dtype) for s in shapes), convolution)
    cells = ["as it is", ""]
    if form is not None:
        ours = time_call(jax.jit(form), given, repeats)
        cells = [f"{ours:.2f}", f"{work / ours * 1e3:.0f}"]
    sizes = " * ".join("x".join(map(str, s.shape)) for s in shapes)
    told = f"{sizes}, strides {convolution.window_strides}, dilated {convolution.lhs_dilation}"
    return f"| {told} | {work:.3f} | {plain:.2f} | {work / plain * 1e3:.0f} | {' | '.join(cells)} |"


def count(equation: Any) -> float:
    """Return multiplications and additions that can't be left out: zeros of dilation aren't."""
    numbers = equation.params["dimension_numbers"]
    rhs = equation.invars[1].aval.shape
    out = equation.outvars[0].aval.shape
    kernel = math.prod(rhs[axis] for axis in numbers.rhs_spec[2:]) * rhs[numbers.rhs_spec[1]]
    dilated = math.prod(equation.params["lhs_dilation"])
    return 2 * math.prod(out) * kernel / dilated


def time_call(function: Callable[..., Any], given: tuple[Any, ...], repeats: int) -> float:
    """Return the median of the milliseconds of a call, after one that compiles."""
    jax.block_until_ready(function(*given))
    taken = []
    for _ in range(repeats):
        begun = time.perf_counter()
        jax.block_until_ready(function(*given))
        taken.append(time.perf_counter() - begun)
    return 1e3 * float(np.median(taken))


if __name__ == "__main__":
    main()
