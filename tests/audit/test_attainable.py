"""The nearest point that an output can give is the one that an optimiser would find."""

import numpy as np
import pytest
from scipy.optimize import minimize

from truecopy.audit.attainable import Attainable, project_on_simplex

RNG = np.random.default_rng(2)


def test_the_projection_on_the_simplex_is_what_a_solver_finds():
    for point in RNG.normal(size=(5, 4)):
        solved = minimize(
            lambda q, p=point: np.square(q - p).sum(),
            np.full(4, 0.25),
            bounds=[(0, 1)] * 4,
            constraints={"type": "eq", "fun": lambda q: q.sum() - 1},
        )

        np.testing.assert_allclose(project_on_simplex(point), solved.x, atol=1e-3)


def test_a_softmax_along_another_axis_sums_along_it():
    rows = RNG.random((2, 3, 5))

    nearest = Attainable(bounds=(0, 1), softmax_axis=-2).project(rows)

    np.testing.assert_allclose(nearest.sum(axis=-2), 1)


def test_values_inside_their_bounds_can_be_given_and_others_cannot():
    unit = Attainable(bounds=(0.0, 1.0))

    assert unit.allows(np.array([[0.0, 0.5, 1.0]]))
    assert not unit.allows(np.array([[0.0, 0.5, 1.1]]))
    assert not unit.allows(np.array([[0.0, np.nan]]))
    assert Attainable(bounds=(0.0, None)).allows(np.array([[0.0, 1e9]]))


def test_the_share_outside_counts_values_and_forgives_rounding():
    unit = Attainable(bounds=(0.0, 1.0))

    assert unit.share_outside(np.array([[-1.0, 0.0, 1.0, 2.0]])) == pytest.approx(0.5)
    assert unit.share_outside(np.array([[0.0, 1.0 + 1e-7]])) == 0
