"""Pictures that were moved each in its own way are told from all other pairs."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits

from truecopy.audit.moved import share_moved

DRAW = np.random.default_rng(0)
DIGITS = load_digits().images / 16
PICTURES = gaussian_filter(DRAW.normal(size=(90, 20, 20)), (0, 2, 2))


def shift(rows, steps):
    return np.array([np.roll(row, step, (0, 1)) for row, step in zip(rows, steps, strict=True)])


def mirror(rows):
    return np.array([row[:, ::-1] if DRAW.random() < 0.5 else row for row in rows])


def test_random_shifts_and_mirrors_are_seen():
    steps = DRAW.integers(-4, 5, (len(PICTURES), 2))

    assert share_moved(PICTURES, shift(PICTURES, steps)) > 0.9
    assert share_moved(mirror(shift(PICTURES, steps)), PICTURES) > 0.9
    coloured = np.repeat(PICTURES[..., None], 3, axis=3)
    assert share_moved(coloured, shift(coloured, steps)) > 0.9


@pytest.mark.parametrize(
    "second",
    [
        PICTURES,
        PICTURES + DRAW.normal(0, 0.3, PICTURES.shape),
        gaussian_filter(PICTURES, (0, 2, 2)),
        1 - PICTURES,
        PICTURES[DRAW.permutation(len(PICTURES))],
        np.roll(PICTURES, (2, 1), (1, 2)),  # all in the same way
        np.where(np.arange(20) < 10, PICTURES, 0),
    ],
    ids=["same", "noisy", "blurred", "negative", "other rows", "one shift", "half hidden"],
)
def test_other_pairs_are_no_moves(second):
    assert share_moved(PICTURES, second) < 0.5


def test_digits_of_one_class_are_no_moves():
    labels = load_digits().target
    order = np.argsort(labels, kind="stable")
    pairs = DIGITS[order]

    assert share_moved(pairs[::2][:128], pairs[1::2][:128]) < 0.5


def test_tables_and_small_pictures_are_left_alone():
    assert share_moved(PICTURES.reshape(90, -1), PICTURES.reshape(90, -1)) == 0
    assert share_moved(PICTURES[:, :7], np.roll(PICTURES[:, :7], 1, axis=1)) == 0
    assert share_moved(PICTURES, PICTURES[:, :10]) == 0
