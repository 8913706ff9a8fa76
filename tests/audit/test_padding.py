"""Steps that only fill rows up, and what weights and masks say of each value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truecopy.audit.padding import find_padding, weigh_values


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=20),
    st.integers(1, 3),
    st.sampled_from([0.0, -1.0]),
)
def test_padding_is_what_was_added_at_both_ends(ends, features, filler):
    rows = np.random.default_rng(0).uniform(1, 2, (len(ends), 10, features))
    added = np.zeros((len(ends), 10), bool)
    for row, (before, after) in enumerate(ends):
        added[row, :before] = added[row, 10 - after :] = True
    rows[added] = filler

    found = find_padding(rows)

    if sum(map(sum, ends)) < 2:  # one step alone may be a value like others
        return
    np.testing.assert_array_equal(np.zeros_like(added) if found is None else found, added)


@pytest.mark.parametrize("shape", [(20, 6), (20, 3, 2), (20, 6, 6, 1), (0, 6, 2)])
def test_tables_pictures_and_short_rows_have_no_padding(shape):
    assert find_padding(np.zeros(shape)) is None


@pytest.mark.parametrize("shape", [(5,), (5, 4), (5, 4, 1), (5, 4, 2)])
def test_weights_of_rows_steps_and_values_are_spread_over_the_values(shape):
    weights = np.random.default_rng(0).uniform(1, 2, shape)
    expected = np.zeros((5, 4, 2)) + weights.reshape(shape + (1,) * (3 - len(shape)))
    mask = np.arange(20).reshape(5, 4) % 2 == 0

    np.testing.assert_allclose(weigh_values((5, 4, 2), weights), expected.reshape(5, -1))
    np.testing.assert_allclose(
        weigh_values((5, 4, 2), weights, mask), (expected * mask[..., None]).reshape(5, -1)
    )


def test_weights_that_fit_nothing_or_leave_nothing_are_not_used():
    assert weigh_values((5, 4, 2), None, np.ones(6), np.ones((5, 3))) is None
    assert weigh_values((5, 4, 2), np.zeros(5)) is None
    assert weigh_values((5, 4, 2), np.full(5, np.nan)) is None
