"""Targets outside the range of a metric are refused with the range that they have."""

import numpy as np
import pytest

from truecopy.errors import DataError
from truecopy.metrics.bounds import refuse_outside
from truecopy.metrics.evaluate import evaluate
from truecopy.metrics.images import ms_ssim, psnr, ssim
from truecopy.metrics.likelihoods import bce, bce_excess, poisson_deviance


@pytest.mark.parametrize("metric", [psnr, ssim, ms_ssim, bce, bce_excess])
@pytest.mark.parametrize("values", [(-0.1, 1.0), (0.0, 1.001), (0.0, 255.0), (0.0, np.nan)])
def test_targets_outside_the_data_range_are_refused_with_the_range_found(metric, values):
    target = np.full((1, 176, 176), values[0])
    target[0, 5, 7] = values[1]
    low, high = target.min(), target.max()
    expected = rf"The targets span \[{low:g}, {high:g}\], outside the data range \[0, 1\]\."

    with pytest.raises(DataError, match=expected):
        metric(target, np.zeros((1, 176, 176)))


@pytest.mark.parametrize("metric", [psnr, ssim, ms_ssim])
def test_a_stated_data_range_is_the_one_that_counts(metric):
    target = np.full((1, 176, 176), 200.0)

    assert metric(target, target, data_range=255.0)[0] in {1, np.inf}
    with pytest.raises(DataError, match=r"The targets span \[200, 200\], outside .* \[0, 100\]"):
        metric(target, target, data_range=100.0)


def test_negative_counts_are_refused():
    with pytest.raises(DataError, match=r"The targets span \[-1, 2\], .* \[0, inf\]\. Counts are"):
        poisson_deviance(np.array([[-1.0, 2.0]]), np.array([[1.0, 2.0]]))


def test_what_float32_rounds_is_not_outside():
    refuse_outside(np.array([[0.0, np.nextafter(np.float32(1), np.float32(2))]]), (0.0, 1.0))
    refuse_outside(np.zeros((0, 3)), (0.0, 1.0))


def test_an_evaluation_refuses_rows_beyond_the_training_rows_bounds(blobs):
    # Bytes are scaled by 255: 400 is 1.57.
    beyond = blobs.astype(np.float32)
    beyond[7, 0, 0, 0] = 400
    expected = r"The targets span \[0, 1\.5\d+\], outside the data range \[0, 1\]\. Both are in"

    with pytest.raises(DataError, match=expected):
        evaluate(lambda rows: rows, beyond, train=blobs)
