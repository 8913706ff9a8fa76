"""Sketches: small, readable pictures of rows, whatever shape these have."""

import base64

import numpy as np
import pytest

from truecopy.audit.sketch import draw_sketches, find_shape, shrink

GENERATOR = np.random.default_rng(0)
NOISE = GENERATOR.normal(size=(50, 64))
# A bright spot somewhere in each picture of 8 x 8.
SPOTS = np.exp(
    -((np.mgrid[0:8, 0:8] - GENERATOR.uniform(1, 7, (50, 2, 1, 1))) ** 2).sum(axis=1) / 4
)


@pytest.mark.parametrize(
    ("rows", "shape"),
    [
        (SPOTS, (8, 8)),
        (SPOTS[..., None], (8, 8)),
        (np.repeat(SPOTS[..., None], 3, axis=3), (8, 8, 3)),
        (SPOTS.reshape(50, 64), (8, 8)),
        (NOISE, (64,)),
        (NOISE[:, :63], (63,)),
        (np.repeat(SPOTS[..., None], 2, axis=3), (128,)),
        (NOISE[:, :1], (1,)),
    ],
)
def test_a_flattened_picture_is_told_from_a_row_of_a_table(rows, shape):
    assert find_shape(rows) == shape


def test_a_sketch_holds_the_rows_in_256_levels_of_the_targets_range():
    (first, *rest) = draw_sketches(2 * SPOTS - 1, 0 * SPOTS - 5, 0 * SPOTS + np.inf)

    levels = np.frombuffer(base64.b64decode(first.target), np.uint8).reshape(first.shape)
    whole = SPOTS - SPOTS.min()
    np.testing.assert_allclose(levels / 255, whole[0] / whole.max(), atol=0.5 / 255)
    assert set(base64.b64decode(first.before)) == {0}
    assert set(base64.b64decode(first.after)) == {255}
    assert len(rest) == 3


def test_large_rows_are_sampled_down():
    assert shrink(np.zeros((100, 70, 3))).shape == (25, 24, 3)
    assert shrink(np.zeros(1000)).shape == (250,)


def test_copies_of_another_shape_have_no_sketch():
    assert draw_sketches(SPOTS, SPOTS[:, :4], SPOTS) == ()
