"""Which array is the other with something random added, and which only looks like it."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits

from truecopy.audit.noisier import find_noisier

DRAW = np.random.default_rng(5)
DIGITS = load_digits().images[:600] / 16
FLAT = DIGITS.reshape(600, 64)
TABLE = DRAW.normal(size=(300, 3)) @ DRAW.normal(size=(3, 12))
WAVES = np.sin(
    np.linspace(0, 6, 30)[None] * DRAW.uniform(0.5, 2, (200, 1)) + DRAW.uniform(0, 6, (200, 1))
)
ROWS = {"pictures": DIGITS, "flat pictures": FLAT, "table": TABLE, "sequences": WAVES[..., None]}


def gauss(x):
    return x + 0.4 * x.std() * DRAW.normal(size=x.shape)


def clipped(x):
    return np.clip(x + 0.3 * np.ptp(x) * DRAW.normal(size=x.shape), x.min(), x.max())


def masked(x):
    return x * (DRAW.random(x.shape) > 0.3)


def salted(x):
    salt = np.where(DRAW.random(x.shape) < 0.5, x.min(), x.max())
    return np.where(DRAW.random(x.shape) < 0.1, salt, x)


@pytest.mark.parametrize("noise", [gauss, clipped, masked, salted])
@pytest.mark.parametrize("rows", ROWS)
def test_the_noisy_one_is_found_on_either_side(rows, noise):
    clean = ROWS[rows]
    noisy = noise(clean)

    assert find_noisier(clean, noisy).which == "second"
    found = find_noisier(noisy, clean)
    assert found.which == "first"
    assert found.deviation == pytest.approx((noisy - clean).std(), rel=0.3)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize(
    "change",
    [
        lambda x: 255 * x,
        lambda x: (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-6),
        lambda x: 1 - x,
        np.square,
        lambda x: (x > x.mean()) * 1.0,
        lambda x: np.roll(x, 1, axis=0),
        lambda x: x[DRAW.permutation(len(x))],
        lambda x: np.flip(x, axis=1),
        lambda x: np.roll(x, 2, axis=1),
    ],
)
def test_other_units_orders_and_places_are_no_noise(rows, change):
    clean = ROWS[rows]

    assert find_noisier(clean, change(clean)).which == "neither"
    assert find_noisier(change(clean), clean).which == "neither"


@pytest.mark.parametrize("width", [0.5, 1.0, 2.0])
def test_a_blurred_picture_is_not_the_cleaner_one(width):
    blurred = gaussian_filter(DIGITS, (0, width, width))

    assert find_noisier(blurred, DIGITS).which == "neither"


def test_a_picture_in_fewer_points_is_not_the_cleaner_one():
    small = DIGITS.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4))

    assert find_noisier(small.repeat(2, 1).repeat(2, 2), DIGITS).which == "neither"


def test_a_missing_block_is_no_noise():
    holed = DIGITS.copy()
    for picture, (row, column) in zip(holed, DRAW.integers(0, 4, (600, 2)), strict=True):
        picture[row : row + 4, column : column + 4] = 0

    assert find_noisier(holed, DIGITS).which == "neither"


def test_the_next_steps_of_a_random_walk_are_no_noise():
    walks = np.cumsum(DRAW.normal(size=(300, 21)), axis=1)

    assert find_noisier(walks[:, :-1], walks[:, 1:]).which == "neither"


def test_two_copies_with_noise_of_their_own_are_equally_noisy():
    assert find_noisier(gauss(FLAT), gauss(FLAT)).which == "neither"


def test_too_few_rows_say_nothing():
    assert find_noisier(FLAT[:10], gauss(FLAT[:10])).which == "neither"
