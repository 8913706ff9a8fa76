"""PSNR, SSIM and MS-SSIM against scikit-image, TensorFlow, and a filter written out."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import correlate

from truecopy.errors import InvalidArgument
from truecopy.metrics.images import gaussian_window, ms_ssim, psnr, ssim

# Both sides of the window's 11, of the bands' 32 outputs (42 pixels), odd and oblong.
SIDES = [(3, 3), (4, 9), (8, 8), (10, 30), (11, 11), (12, 11), (28, 28), (42, 43), (75, 20)]


def pair(shape, rows=3, noise=0.2):
    generator = np.random.default_rng(0)
    target = generator.uniform(size=(rows, *shape))
    target[generator.uniform(size=target.shape) < 0.4] = 0
    return target, np.clip(target + generator.normal(0, noise, target.shape), 0, 1)


def compare(x, y, data_range, side):
    """The two factors of one plane's SSIM, from the paper, with a two-dimensional window."""
    offsets = np.arange(side) - side // 2
    window = np.exp(-np.add.outer(offsets**2, offsets**2) / (2 * 1.5**2))
    window /= window.sum()
    edge = side // 2

    def mean(plane):
        blurred = correlate(plane, window, mode="constant")
        return blurred[edge : len(x) - edge, edge : x.shape[1] - edge]

    mx, my = mean(x), mean(y)
    vx, vy, vxy = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    luminance = (2 * mx * my + c1) / (mx**2 + my**2 + c1)
    return luminance, (2 * vxy + c2) / (vx + vy + c2)


def planes(picture):
    return np.moveaxis(picture.reshape(*picture.shape[:2], -1), -1, 0)


def ssim_of_picture(x, y, data_range=1.0):
    side = min(11, (min(x.shape[:2]) - 1) // 2 * 2 + 1)
    pairs = zip(planes(x), planes(y), strict=True)
    return np.mean([np.prod(compare(*both, data_range, side), axis=0).mean() for both in pairs])


def ms_ssim_of_plane(x, y):
    product = 1.0
    for scale, weight in enumerate([0.0448, 0.2856, 0.3001, 0.2363, 0.1333]):
        luminance, contrast = compare(x, y, 1.0, 11)
        factor = (luminance * contrast if scale == 4 else contrast).mean()
        product *= max(factor, 0) ** weight
        height, width = (2 * (side // 2) for side in x.shape)
        x, y = (
            sum(plane[i:height:2, j:width:2] for i in (0, 1) for j in (0, 1)) / 4
            for plane in (x, y)
        )
    return product


@pytest.mark.parametrize("channels", [(), (1,), (3,)])
@pytest.mark.parametrize("side", SIDES)
def test_ssim_is_the_papers_formula(side, channels):
    target, prediction = pair((*side, *channels))

    expected = [ssim_of_picture(*pictures) for pictures in zip(target, prediction, strict=True)]

    np.testing.assert_allclose(ssim(target, prediction), expected, rtol=1e-9)


@pytest.mark.parametrize("data_range", [1.0, 255.0])
@pytest.mark.parametrize("channels", [(), (1,), (3,)])
@pytest.mark.parametrize("side", [side for side in SIDES if min(side) >= 11])
def test_ssim_is_scikit_images(side, channels, data_range):
    metrics = pytest.importorskip("skimage.metrics")
    target, prediction = (data_range * array for array in pair((*side, *channels)))

    expected = [
        metrics.structural_similarity(
            x.reshape(*side, -1),
            y.reshape(*side, -1),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=data_range,
            channel_axis=-1,
        )
        for x, y in zip(target, prediction, strict=True)
    ]

    own = ssim(target, prediction, data_range=data_range)
    np.testing.assert_allclose(own, expected, rtol=1e-6)


def test_small_pictures_score_as_tensorflows_with_the_window_cut():
    tf = pytest.importorskip("tensorflow")
    target, prediction = (array.astype(np.float32) for array in pair((8, 9, 3)))

    expected = tf.image.ssim(target, prediction, 1.0, filter_size=7, filter_sigma=1.5)

    np.testing.assert_allclose(ssim(target, prediction), expected.numpy(), rtol=1e-4)


@pytest.mark.parametrize(
    ("smaller_side", "side"), [(3, 3), (4, 3), (5, 5), (10, 9), (11, 11), (12, 11), (500, 11)]
)
def test_the_window_is_the_largest_odd_one_that_fits(smaller_side, side):
    window = gaussian_window(smaller_side)

    assert len(window) == side
    assert math.fsum(window) == pytest.approx(1, abs=1e-15)
    assert window[1] / window[0] == pytest.approx(
        math.exp(((side // 2) ** 2 - (side // 2 - 1) ** 2) / (2 * 1.5**2))
    )


@pytest.mark.parametrize("metric", [ssim, psnr])
def test_pictures_in_their_own_units_score_the_same_with_their_range(metric):
    target, prediction = pair((12, 12))

    in_bytes = metric(255 * target, 255 * prediction, data_range=255)

    np.testing.assert_allclose(in_bytes, metric(target, prediction), rtol=1e-12)


@pytest.mark.parametrize("a", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("b", [0.0, 0.3, 1.0])
def test_constant_pictures_score_by_their_luminance_alone(a, b):
    target, prediction = np.full((2, 13, 13), a), np.full((2, 13, 13), b)
    expected = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4)

    # One rounding of a window's mean is 1e-16 of c2 = 9e-4.
    np.testing.assert_allclose(ssim(target, prediction), expected, rtol=1e-11)
    assert (ssim(target, target) == 1).all()


@pytest.mark.parametrize("shape", [(3, 3), (28, 28, 1), (13, 40, 3)])
def test_an_exact_copy_scores_exactly_1(shape):
    target, _ = pair(shape)

    assert (ssim(target, target) == 1).all()
    assert (psnr(target, target) == np.inf).all()


@given(st.integers(0, 2**32), st.integers(3, 14), st.integers(3, 14))
@settings(deadline=None, max_examples=50)
def test_ssim_is_symmetric_and_between_minus_1_and_1(seed, height, width):
    x, y = np.random.default_rng(seed).integers(0, 256, (2, 1, height, width)) / 255

    assert ssim(x, y)[0] == pytest.approx(ssim(y, x)[0], abs=1e-12)
    assert -1 <= ssim(x, y)[0] <= 1


def test_an_inverted_picture_scores_below_0():
    target, _ = pair((20, 20))

    assert (ssim(target, 1 - target) < 0).all()


# 400 small colour pictures and 7 of half a million values: more and less than one block.
@pytest.mark.parametrize(("rows", "shape"), [(400, (12, 12, 3)), (7, (400, 420))])
def test_a_row_scores_the_same_alone_and_among_others(rows, shape):
    target, prediction = pair(shape, rows=rows)
    together = ssim(target, prediction)

    for row in (0, rows // 2, rows - 1):
        alone = ssim(target[[row]], prediction[[row]])
        assert together[row] == pytest.approx(alone[0], rel=1e-12)


def test_float32_and_bytes_are_compared_in_float64():
    target, prediction = (np.rint(255 * array) for array in pair((12, 12)))
    exact = ssim(target, prediction, data_range=255)

    for kind in (np.uint8, np.float32):
        assert (ssim(target.astype(kind), prediction.astype(kind), data_range=255) == exact).all()


@pytest.mark.parametrize("side", [(176, 176), (177, 191), (180, 300)])
def test_ms_ssim_is_the_papers_formula(side):
    target, prediction = pair(side, rows=2)

    expected = [ms_ssim_of_plane(*both) for both in zip(target, prediction, strict=True)]

    np.testing.assert_allclose(ms_ssim(target, prediction), expected, rtol=1e-9)


def test_ms_ssim_averages_channels():
    target, prediction = pair((176, 176, 3), rows=1)
    channels = [ms_ssim(target[..., c], prediction[..., c])[0] for c in range(3)]

    assert ms_ssim(target, prediction)[0] == pytest.approx(np.mean(channels), rel=1e-12)


def test_ms_ssim_is_tensorflows():
    tf = pytest.importorskip("tensorflow")
    target, prediction = (array.astype(np.float32) for array in pair((192, 176, 3), rows=2))

    expected = tf.image.ssim_multiscale(target, prediction, 1.0)

    np.testing.assert_allclose(ms_ssim(target, prediction), expected.numpy(), rtol=1e-4)


def test_ms_ssim_of_an_exact_copy_is_1_and_of_the_negative_0():
    target, _ = pair((176, 176), rows=2)

    assert (ms_ssim(target, target) == 1).all()
    assert (ms_ssim(target, 1 - target) == 0).all()


def test_psnr_is_its_formula_and_takes_flat_rows():
    target, prediction = pair((6, 7, 2))
    expected = [
        -10 * math.log10(math.fsum((x - y).ravel() ** 2) / x.size)
        for x, y in zip(target, prediction, strict=True)
    ]

    np.testing.assert_allclose(psnr(target, prediction), expected, rtol=1e-12)
    flat = psnr(target.reshape(3, -1), prediction.reshape(3, -1))
    np.testing.assert_allclose(flat, expected, rtol=1e-12)


def test_psnr_is_scikit_images():
    metrics = pytest.importorskip("skimage.metrics")
    target, prediction = pair((12, 13, 3))
    expected = [
        metrics.peak_signal_noise_ratio(x, y, data_range=2.0)
        for x, y in zip(target, prediction, strict=True)
    ]

    np.testing.assert_allclose(psnr(target, prediction, data_range=2.0), expected, rtol=1e-12)


@pytest.mark.parametrize("metric", [psnr, ssim, ms_ssim])
@pytest.mark.parametrize("data_range", [0.0, -1.0, math.nan])
def test_a_data_range_must_be_above_0(metric, data_range):
    picture = np.zeros((1, 176, 176))
    name = metric.__name__
    expected = rf"The 'data_range' argument of {name} must be above 0\. Got {data_range}\."

    with pytest.raises(InvalidArgument, match=expected):
        metric(picture, picture, data_range=data_range)


@pytest.mark.parametrize("metric", [psnr, ssim, ms_ssim])
def test_shapes_that_differ_are_refused(metric):
    expected = r"must be of the targets' shape \(1, 176, 176\)\. Got \(1, 176, 176, 1\)\."

    with pytest.raises(InvalidArgument, match=expected):
        metric(np.zeros((1, 176, 176)), np.zeros((1, 176, 176, 1)))


@pytest.mark.parametrize("metric", [ssim, ms_ssim])
@pytest.mark.parametrize("shape", [(784,), (2, 3, 4, 5)])
def test_rows_that_are_no_pictures_are_refused(metric, shape):
    rows = np.zeros((1, *shape))
    expected = r"must be rows of shape \(height, width\) or \(height, width, channels\)\. Got"

    with pytest.raises(InvalidArgument, match=expected):
        metric(rows, rows)


@pytest.mark.parametrize(
    ("metric", "least", "hint"), [(ssim, 3, ""), (ms_ssim, 176, r" Use ssim\.")]
)
def test_pictures_that_are_too_small_are_refused(metric, least, hint):
    fits, small = np.zeros((1, least, 200, 1)), np.zeros((1, 200, least - 1, 1))
    expected = (
        rf"The 'target' argument of {metric.__name__} must be pictures with sides of at least "
        rf"{least} pixels\. Got \(200, {least - 1}\)\.{hint}$"
    )

    assert metric(fits, fits)[0] == 1
    with pytest.raises(InvalidArgument, match=expected):
        metric(small, small)


@pytest.mark.parametrize("metric", [psnr, ssim, ms_ssim])
def test_a_metrics_page_says_what_it_must(metric):
    page = metric.__doc__

    for part in ("Formula: ", "is better", "Floor: ", "Ceiling: ", "hides", "Source: "):
        assert part in page, f"{metric.__name__} has no {part!r}"
