"""What the Keras metrics are made of keeps its digits in float32, against float64."""

import numpy as np
import pytest
from keras import ops
from scipy.special import kl_div

from truecopy.metrics.single_precision import divergence, window_moments


@pytest.mark.parametrize("ratio", [-0.9, -0.3, -0.04, -1e-3, -1e-4, 1e-4, 1e-3, 0.04, 0.3, 2.0])
def test_a_divergence_keeps_its_digits_near_and_far_from_its_minimum(ratio):
    y = np.array([1e-4, 0.1, 0.3], np.float32)
    p = (y * (1 + ratio)).astype(np.float32)

    value = ops.convert_to_numpy(divergence(*map(ops.convert_to_tensor, (y, p, p - y))))

    np.testing.assert_allclose(value, kl_div(y.astype(float), p.astype(float)), rtol=5e-6)


def test_a_divergence_counts_impossible_predictions_as_keras_epsilon():
    y, p = np.array([0.0, 1e-5, 0.5], np.float32), np.zeros(3, np.float32)

    value = ops.convert_to_numpy(divergence(*map(ops.convert_to_tensor, (y, p, p - y))))

    expected = [0, *kl_div(y[1:].astype(float), 1e-7)]
    np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_the_variance_of_faint_noise_on_white_keeps_its_digits():
    noise = 1e-4 * np.random.default_rng(7).normal(size=(1, 1, 3, 3))
    plane = (1 + noise).astype(np.float32)
    weights = np.outer([0.25, 0.5, 0.25], [0.25, 0.5, 0.25])
    exact = np.cov(plane.astype(float).ravel(), aweights=weights.ravel(), ddof=0)

    _, variance = window_moments(ops.convert_to_tensor(plane), [0.25, 0.5, 0.25])

    assert ops.convert_to_numpy(variance).item() == pytest.approx(float(exact), rel=2e-3)
