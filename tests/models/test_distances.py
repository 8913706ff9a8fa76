import numpy as np
import pytest

from truecopy.models.distances import Distances

GENERATOR = np.random.default_rng(0)
ERRORS = np.square(GENERATOR.normal(size=(2000, 3))) * [1.0, 4.0, 0.0]
LATENTS = GENERATOR.normal(size=(2000, 2)) @ np.array([[2.0, 1.0], [0.0, 1.0]])


def test_a_typical_row_is_at_distance_one_off_and_along_the_model():
    found = Distances.fit(ERRORS, LATENTS, seed=0)

    assert np.median(found.measure_off(ERRORS)) == pytest.approx(1)
    assert np.median(found.measure_along(LATENTS)) == pytest.approx(1)


def test_scales_are_those_of_normal_errors_and_a_feature_without_errors_has_a_tenth():
    found = Distances.fit(ERRORS, LATENTS, seed=0)

    # Variances 1 and 4; the floor is a tenth of their median.
    np.testing.assert_allclose(found.scales, [1, 4, 0.25], rtol=0.1)


def test_a_tenth_of_outliers_hardly_moves_the_scatter_of_the_latents():
    odd = LATENTS.copy()
    odd[:200] = 50

    found = Distances.fit(ERRORS, odd, seed=0)

    np.testing.assert_allclose(found.centre, 0, atol=0.15)
    assert found.measure_along(odd)[:200].min() > 20 * found.measure_along(odd)[200:].mean()


def test_shares_add_up_also_where_the_copy_is_the_mean_row():
    found = Distances.fit(ERRORS, LATENTS, seed=0)
    copied = np.concatenate([np.zeros((1, 3)), ERRORS[1:]])

    shares = found.share(ERRORS, LATENTS, copied)

    total = found.measure_off(ERRORS) + found.measure_along(LATENTS)
    np.testing.assert_allclose(shares.sum(axis=1), total, rtol=1e-12)


@pytest.mark.filterwarnings("error")
def test_perfect_copies_with_latents_that_do_not_vary_are_at_no_distance():
    found = Distances.fit(np.zeros((4, 2)), np.zeros((4, 3)), seed=0)

    assert found.measure_off(np.zeros((4, 2))).tolist() == [0] * 4
    assert np.isfinite(found.measure_along(np.ones((4, 3)))).all()
