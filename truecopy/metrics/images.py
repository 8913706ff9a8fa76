"""How alike two pictures look: PSNR, SSIM and multi-scale SSIM, one number per picture.

Blurring is nearly all the work of an SSIM. Each blur is two products with small banded
matrices over many pictures at once, and only where the window fits: about five times as
fast as a filter that visits the pixels one by one. The local variances come from the blurs
of x^2 + y^2 and (x - y)^2, four blurs in place of the usual five; the second one vanishes
for an exact copy, whose SSIM is therefore exactly 1.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.errors import InvalidArgument
from truecopy.metrics.bounds import refuse_outside

Floats = NDArray[np.float64]

_WINDOW_SIDE: Final = 11
_WINDOW_SIGMA: Final = 1.5
_SMALLEST_WINDOW: Final = 3
K1: Final = 0.01
K2: Final = 0.03
# Wang, Simoncelli & Bovik 2003, from full size to 1/16; they sum to 1.0001 there too.
_SCALE_WEIGHTS: Final = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
# Halved four times, it is as wide as the window.
MS_SSIM_SMALLEST_SIDE: Final = _WINDOW_SIDE << (len(_SCALE_WEIGHTS) - 1)
# Outputs per product with a banded matrix: more would multiply more zeros, fewer start more
# products. 16 to 32 were fastest from 28 to 512 pixels.
_BAND: Final = 32
# Values blurred at a time: the fastest size, and memory does not grow with the rows.
_BLOCK_VALUES: Final = 1 << 17


def psnr(target: NDArray[Any], prediction: NDArray[Any], *, data_range: float = 1.0) -> Floats:
    """Peak signal-to-noise ratio of each row in dB; infinite for an exact copy.

    Formula: 10 log10(data_range^2 / MSE), with the MSE of the row.

    Higher is better. Floor: the mean image, 11.86 dB on MNIST's test images, where the PSNR
    of the mean MSE is lower, 11.71 dB. Ceiling: infinite, so there is no skill, and one exact
    copy makes the mean over rows infinite. It hides the same as the MSE: where the error sits
    and what it looks like.

    Source: textbook; equals `skimage.metrics.peak_signal_noise_ratio` of each row.

    Example:
        >>> psnr(np.array([[0.0, 1.0], [0.0, 1.0]]), np.array([[0.1, 0.9], [0.0, 1.0]]))
        array([20., inf])
    """
    _require(target, prediction, data_range, owner="psnr")
    difference = prediction.reshape(len(prediction), -1).astype(np.float64)
    difference -= target.reshape(len(target), -1)
    error = np.einsum("nf,nf->n", difference, difference) / difference.shape[1]
    with np.errstate(divide="ignore"):
        decibels: Floats = 10 * np.log10(data_range**2 / error)
    return decibels


def ssim(target: NDArray[Any], prediction: NDArray[Any], *, data_range: float = 1.0) -> Floats:
    """Structural similarity of each picture, from -1 to 1; 1 is a perfect copy.

    Formula: the mean, over all places where an 11x11 Gaussian window (sigma 1.5) fits, of
    (2 mx my + C1)(2 sxy + C2) / ((mx^2 + my^2 + C1)(sx^2 + sy^2 + C2)), with the window's means
    m, variances s^2 and covariance sxy, C1 = (0.01 data_range)^2, C2 = (0.03 data_range)^2.
    Rows are (height, width), (height, width, 1) or (height, width, channels); channels are
    averaged. In pictures with a side under 11 the window is cut to the largest odd size
    that fits the smaller side, with the same sigma. Two equal constant pictures score 1;
    constants a and b score (2ab + C1) / (a^2 + b^2 + C1).

    Higher is better. Floor: above 0, for two black places are alike: on MNIST's test images
    0.096 for a blank page, 0.122 for the mean image. Ceiling: 1. It hides noise where the
    contrast is high, and pixels near the border, which fewer windows cover.

    Source: Wang, Bovik, Sheikh & Simoncelli 2004, "Image quality assessment: from error
    visibility to structural similarity"; equals scikit-image's `structural_similarity` with
    gaussian_weights=True, sigma=1.5, use_sample_covariance=False.

    Example:
        >>> ramp = np.linspace(0, 1, 256).reshape(1, 16, 16)
        >>> ssim(ramp, ramp), ssim(ramp, ramp[:, ::-1]).round(3)
        (array([1.]), array([-0.82]))
    """
    shape = _require(target, prediction, data_range, owner="ssim")
    if min(shape) < _SMALLEST_WINDOW:
        must_be = "pictures with sides of at least 3 pixels"
        raise InvalidArgument("target", "ssim", must_be, got=shape)
    window = gaussian_window(min(shape))

    def similarity(x: Floats, y: Floats) -> Floats:
        luminance, contrast = _compare(x, y, window, data_range)
        return _mean(luminance * contrast)

    return _score(similarity, target, prediction)


def ms_ssim(target: NDArray[Any], prediction: NDArray[Any], *, data_range: float = 1.0) -> Floats:
    """Multi-scale structural similarity of each picture, from 0 to 1; 1 is a perfect copy.

    Formula: the product over five scales of contrast^weight, times luminance^weight at the
    coarsest, where SSIM = luminance x contrast at each place and each factor is the mean over
    places: of the contrast, at the coarsest scale of the SSIM. Weights 0.0448, 0.2856, 0.3001,
    0.2363, 0.1333; from scale to scale 2x2 pixels are averaged (an odd last row or column is
    left out). A negative factor has no such power and counts as 0. Channels are averaged.
    Both sides must be at least 176: 11, the window, times 2^4.

    Higher is better. Floor: above 0, as for ssim.
    Ceiling: 1. It hides fine noise, which the coarse scales average away.

    Source: Wang, Simoncelli & Bovik 2003, "Multiscale structural similarity for image quality
    assessment"; equals `tf.image.ssim_multiscale` where all sizes are even.

    Example:
        >>> ramp = np.linspace(0, 1, 176 * 176).reshape(1, 176, 176)
        >>> ms_ssim(ramp, ramp), ms_ssim(ramp, 1 - ramp)
        (array([1.]), array([0.]))
    """
    shape = _require(target, prediction, data_range, owner="ms_ssim")
    if min(shape) < MS_SSIM_SMALLEST_SIDE:
        must_be = f"pictures with sides of at least {MS_SSIM_SMALLEST_SIDE} pixels"
        raise InvalidArgument("target", "ms_ssim", must_be, got=shape, hint="Use ssim.")
    window = gaussian_window(_WINDOW_SIDE)

    def similarity(x: Floats, y: Floats) -> Floats:
        product = np.ones(len(x))
        for weight in _SCALE_WEIGHTS[:-1]:
            _, contrast = _compare(x, y, window, data_range)
            product *= np.maximum(_mean(contrast), 0) ** weight
            x, y = _halve(x), _halve(y)
        luminance, contrast = _compare(x, y, window, data_range)
        product *= np.maximum(_mean(luminance * contrast), 0) ** _SCALE_WEIGHTS[-1]
        return product

    return _score(similarity, target, prediction)


def gaussian_window(smaller_side: int) -> Floats:
    """Return the weights of SSIM's window along one axis, for pictures of this smaller side.

    Example:
        >>> len(gaussian_window(28)), len(gaussian_window(8)), gaussian_window(3).round(3)
        (11, 7, array([0.308, 0.384, 0.308]))
    """
    side = min(_WINDOW_SIDE, smaller_side - 1 + smaller_side % 2)
    weights = np.exp(-0.5 * ((np.arange(side) - side // 2) / _WINDOW_SIGMA) ** 2)
    normalised: Floats = weights / weights.sum()
    return normalised


def _require(
    target: NDArray[Any], prediction: NDArray[Any], data_range: float, *, owner: str
) -> tuple[int, ...]:
    """Refuse what the metric `owner` is not defined on; return (height, width)."""
    if not data_range > 0:
        raise InvalidArgument("data_range", owner, "above 0", got=data_range)
    if prediction.shape != target.shape:
        must_be = f"of the targets' shape {target.shape}"
        raise InvalidArgument("prediction", owner, must_be, got=prediction.shape)
    if owner != "psnr" and target.ndim not in {3, 4}:
        must_be = "rows of shape (height, width) or (height, width, channels)"
        raise InvalidArgument("target", owner, must_be, got=target.shape[1:])
    refuse_outside(target, (0.0, data_range))
    return target.shape[1:3]


def _score(
    similarity: Callable[[Floats, Floats], Floats],
    target: NDArray[Any],
    prediction: NDArray[Any],
) -> Floats:
    """Return the similarity of each picture, averaged over its channels."""
    scores = np.empty(len(target))
    step = max(1, _BLOCK_VALUES // math.prod(target.shape[1:]))
    for first in range(0, len(target), step):
        rows = slice(first, first + step)
        of_planes = similarity(_as_planes(target[rows]), _as_planes(prediction[rows]))
        scores[rows] = of_planes.reshape(len(target[rows]), -1).mean(axis=1)
    return scores


def _as_planes(pictures: NDArray[Any]) -> Floats:
    """Return (pictures x channels, height, width) in float64."""
    if pictures.ndim > 3:  # noqa: PLR2004  (rows, height, width)
        pictures = np.moveaxis(pictures, -1, 1)
    planes: Floats = pictures.reshape(-1, *pictures.shape[-2:]).astype(np.float64)
    return planes


def _compare(x: Floats, y: Floats, window: Floats, data_range: float) -> tuple[Floats, Floats]:
    """Return the luminance and contrast-structure terms at each place where the window fits.

    With v the variances: 2 vxy = vx + vy - v(x-y), so the terms are 1 minus a ratio each.
    """
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    difference = x - y
    mean_x = _blur(x, window)
    mean_y = _blur(y, window)
    shift = mean_x - mean_y
    shift *= shift
    means = mean_x * mean_x
    means += mean_y * mean_y
    spread_apart = _blur(difference * difference, window)
    spread_apart -= shift
    spread = _blur(x * x + y * y, window)
    spread -= means
    return 1 - shift / (means + c1), 1 - spread_apart / (spread + c2)


def _blur(planes: Floats, window: Floats) -> Floats:
    """Return the windows' weighted means: (n, h, w) -> (n, h - side + 1, w - side + 1)."""
    pictures, height, width = planes.shape
    reach = len(window) - 1
    weights = tuple(window.tolist())
    across = np.empty((pictures, height, width - reach))
    for outputs, inputs, band in _bands(width - reach, weights):
        np.matmul(planes[:, :, inputs], band, out=across[:, :, outputs])
    blurred = np.empty((pictures, height - reach, width - reach))
    for outputs, inputs, band in _bands(height - reach, weights):
        np.matmul(band.T, across[:, inputs], out=blurred[:, outputs])
    return blurred


@lru_cache(maxsize=16)  # two for each size of picture, five sizes in MS-SSIM
def _bands(outputs: int, window: tuple[float, ...]) -> list[tuple[slice, slice, Floats]]:
    """Return (outputs, inputs they depend on, banded matrix inputs x outputs), in blocks."""
    reach = len(window) - 1
    band = np.zeros((_BAND + reach, _BAND))
    for offset, weight in enumerate(window):
        band[np.arange(_BAND) + offset, np.arange(_BAND)] = weight
    blocks = []
    for first in range(0, outputs, _BAND):
        size = min(_BAND, outputs - first)
        inputs = slice(first, first + size + reach)
        blocks.append((slice(first, first + size), inputs, band[: size + reach, :size]))
    return blocks


def _halve(planes: Floats) -> Floats:
    """Average 2x2 pixels; an odd last row or column is left out."""
    height, width = (side // 2 * 2 for side in planes.shape[1:])
    even = planes[:, :height, :width].reshape(len(planes), height // 2, 2, width // 2, 2)
    halved: Floats = even.mean(axis=(2, 4))
    return halved


def _mean(planes: Floats) -> Floats:
    mean: Floats = planes.mean(axis=(1, 2))
    return mean
