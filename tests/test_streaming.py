from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from truecopy.streaming import (
    Extremes,
    comoments_of,
    empty_comoments,
    empty_moments,
    extremes_of,
    kurtosis,
    merge_comoments,
    merge_extremes,
    merge_moments,
    moments_of,
    variance,
)

GENERATOR = np.random.default_rng(3)
# Mean 1000, spread 2, in float32: a sum of squares minus the squared mean would be off by much.
ROWS = GENERATOR.normal(1000, 2, (1000, 3)).astype(np.float32)
EXACT = ROWS.astype(np.float64)
CUTS = [[], [1], [500], [1, 2, 999], list(range(50, 1000, 50)), [0, 0, 1000]]


@pytest.mark.parametrize("cuts", CUTS)
def test_any_split_gives_the_whole_in_moments(cuts):
    parts = map(moments_of, np.split(ROWS, cuts))

    streamed = reduce(merge_moments, parts, empty_moments(3))

    assert streamed.count == 1000
    np.testing.assert_allclose(streamed.mean, EXACT.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(variance(streamed), EXACT.var(axis=0), rtol=1e-9)
    np.testing.assert_allclose(kurtosis(streamed), stats.kurtosis(EXACT, fisher=False), rtol=1e-9)


@given(st.lists(st.integers(0, 1000), max_size=6), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=30)
def test_any_order_and_merge_tree_gives_the_whole(cuts, random):
    parts = [moments_of(part) for part in np.split(ROWS, sorted(cuts))]
    random.shuffle(parts)
    while len(parts) > 1:
        a, b = parts.pop(random.randrange(len(parts))), parts.pop(random.randrange(len(parts)))
        parts.append(merge_moments(a, b))

    np.testing.assert_allclose(variance(parts[0]), EXACT.var(axis=0), rtol=1e-9)
    np.testing.assert_allclose(kurtosis(parts[0]), stats.kurtosis(EXACT, fisher=False), rtol=1e-8)


@pytest.mark.parametrize("cuts", CUTS)
def test_any_split_gives_the_whole_in_comoments(cuts):
    parts = map(comoments_of, np.split(ROWS, cuts))

    streamed = reduce(merge_comoments, parts, empty_comoments(3))

    np.testing.assert_allclose(
        streamed.products / 1000, np.cov(EXACT.T, bias=True), rtol=1e-8, atol=1e-9
    )


def test_a_constant_that_binary_cannot_hold_has_no_variance():
    rows = np.full((1001, 1), 0.1)

    assert variance(moments_of(rows))[0] == 0


@given(st.lists(st.lists(st.integers(-3, 3)), min_size=1))
def test_extremes_count_the_largest_value_over_all_batches(batches):
    everything = [value for batch in batches for value in batch]

    found = reduce(merge_extremes, (extremes_of(np.array(b)) for b in batches), Extremes())

    if everything:
        assert found.minimum == min(everything)
        assert found.maximum == max(everything)
        assert found.at_maximum == everything.count(max(everything))
