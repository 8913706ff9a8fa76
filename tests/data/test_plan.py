import json

import numpy as np
import pytest

import truecopy
from truecopy.data.plan import Plan

GENERATOR = np.random.default_rng(2)
UNIFORM = GENERATOR.uniform(size=(500, 6))
HEAVY = GENERATOR.standard_t(2, size=(5000, 4))

# data -> kind, scaling, output, loss: the table of the design, both sides of its edges.
CASES = {
    "bytes": (
        GENERATOR.integers(0, 256, (500, 6)).astype(np.uint8),
        ("bytes", "divide by 255", "sigmoid", "binary_crossentropy"),
    ),
    "bytes as floats": (
        GENERATOR.integers(0, 256, (5000, 6)).astype(float),
        ("bytes", "divide by 255", "sigmoid", "binary_crossentropy"),
    ),
    "a dark image": (
        GENERATOR.poisson(5, (50, 8, 8)).astype(np.uint8),
        ("bytes", "divide by 255", "sigmoid", "binary_crossentropy"),
    ),
    "an image in whole numbers of another dtype": (
        np.minimum(GENERATOR.gamma(1, 40, (50, 12, 12)).astype(np.int64), 251),
        ("bytes", "divide by 255", "sigmoid", "binary_crossentropy"),
    ),
    "image of 17 levels": (
        GENERATOR.integers(0, 17, (50, 8, 8)).astype(np.uint8),
        ("levels", "divide by 16", "sigmoid", "binary_crossentropy"),
    ),
    "binary": (
        GENERATOR.integers(0, 2, (500, 6)),
        ("binary", "none", "sigmoid", "binary_crossentropy"),
    ),
    "binary bytes": (
        GENERATOR.integers(0, 2, (500, 6)).astype(np.uint8),
        ("binary", "none", "sigmoid", "binary_crossentropy"),
    ),
    "booleans": (
        GENERATOR.integers(0, 2, (500, 6)).astype(bool),
        ("binary", "none", "sigmoid", "binary_crossentropy"),
    ),
    "grey in [0, 1]": (UNIFORM, ("unit", "none", "sigmoid", "binary_crossentropy")),
    "[-1, 1]": (2 * UNIFORM - 1, ("signed-unit", "none", "tanh", "mse")),
    "a little beyond [-1, 1]": (2.2 * UNIFORM - 1.1, ("real", "standardise", "linear", "mse")),
    "a sliver of [-1, 1]": (0.1 * UNIFORM - 0.05, ("real", "standardise", "linear", "mse")),
    "real": (GENERATOR.normal(5, 3, (500, 6)), ("real", "standardise", "linear", "mse")),
    "heavy tails": (HEAVY, ("real", "standardise", "linear", "huber")),
    "small counts": (GENERATOR.poisson(3, (500, 6)), ("counts", "none", "softplus", "poisson")),
    "small counts in bytes": (
        GENERATOR.poisson(3, (2000, 6)).astype(np.uint8),
        ("counts", "none", "softplus", "poisson"),
    ),
    "large counts": (GENERATOR.poisson(300, (500, 6)), ("counts", "log1p", "softplus", "poisson")),
    "levels 0..16": (
        GENERATOR.integers(0, 17, (500, 6)).astype(float),
        ("levels", "divide by 16", "sigmoid", "binary_crossentropy"),
    ),
    "one-hot": (
        np.eye(5)[GENERATOR.integers(0, 5, 500)],
        ("one-hot", "none", "softmax", "categorical_crossentropy"),
    ),
    "negative integers": (
        GENERATOR.integers(-9, 9, (500, 6)),
        ("real", "standardise", "linear", "mse"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_plan_fits_the_data(name):
    rows, expected = CASES[name]

    facts = truecopy.plan(truecopy.profile(rows)).facts

    assert (facts.kind, facts.scaling.value, facts.output.value, facts.loss.value) == expected
    assert facts.because
    assert all((facts.scaling.reason, facts.output.reason, facts.loss.reason))


@pytest.mark.parametrize("name", CASES)
def test_scaled_data_lie_where_the_output_can_reach(name):
    plan = truecopy.plan(truecopy.profile(CASES[name][0]))
    reach = {
        "sigmoid": (0, 1),
        "tanh": (-1, 1),
        "linear": (-np.inf, np.inf),
        "softplus": (0, np.inf),
        "softmax": (0, 1),
    }[plan.facts.output.value]

    scaled = plan.scaling.apply(CASES[name][0])

    assert reach[0] <= scaled.min()
    assert scaled.max() <= reach[1]
    assert plan.facts.target_range is None or plan.facts.target_range == reach


def test_mnist_arrives_at_bytes_sigmoid_and_cross_entropy_by_itself():
    facts = truecopy.plan(truecopy.profile("mnist:test")).facts

    assert facts.kind == "bytes"
    assert facts.scaling.value == "divide by 255"
    assert facts.output.value == "sigmoid"
    assert facts.loss.value == "binary_crossentropy"
    assert facts.loss.alternatives == ("mse",)


def test_constant_features_stay_finite():
    rows = GENERATOR.normal(size=(100, 3))
    rows[:, 1] = 0.1

    scaled = truecopy.plan(truecopy.profile(rows)).scaling.apply(rows)

    # 0.1 has no exact mean in binary; a tiny spread must not blow that rounding up.
    np.testing.assert_allclose(scaled[:, 1], 0, atol=1e-12)


@pytest.mark.parametrize("name", ["bytes", "real", "one-hot"])
def test_a_plan_survives_json(name):
    plan = truecopy.plan(truecopy.profile(CASES[name][0]))

    read = Plan.from_dict(json.loads(json.dumps(plan.to_dict())))

    assert read.facts == plan.facts
    rows = CASES[name][0]
    np.testing.assert_array_equal(read.scaling.apply(rows), plan.scaling.apply(rows))


def test_a_plan_prints_its_reasons():
    plan = truecopy.plan(truecopy.profile(CASES["bytes"][0]))

    assert "sigmoid" in str(plan)
    assert max(map(len, str(plan).splitlines())) <= 80
