"""Rows in an order of their own are traced to the clean rows that they were made of."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from truecopy.audit import origin
from truecopy.audit.origin import find_clean, find_nearest

DRAW = np.random.default_rng(0)
SETS = {
    "digits": load_digits().data / 16,
    "table": load_breast_cancer().data[:, ::-1],
    "low rank": DRAW.normal(size=(900, 4)) @ DRAW.normal(size=(4, 30)),
}


def halves(name):
    rows = SETS[name]
    rows = (rows - rows.mean(axis=0)) / (rows.std(axis=0) + 1e-9)
    rows = rows[DRAW.permutation(len(rows))]
    return np.array_split(rows, 2)


@pytest.mark.parametrize("name", SETS)
def test_noisy_rows_are_found_and_others_are_not(name):
    clean, other = halves(name)
    places = DRAW.permutation(len(clean))[:200]
    noisy = clean[places] + DRAW.normal(0, 0.4, clean[places].shape)

    found = find_clean(noisy, {"clean": clean, "places": places})["clean"]

    assert (found == clean[places]).all(axis=1).mean() > 0.9
    assert find_clean(clean[places], {"clean": clean}) == {}  # as they are
    assert find_clean(noisy, {"clean": clean, "noisy": noisy}) == {}
    assert find_clean(other[:200], {"clean": clean, "noisy": noisy}) == {}


def test_the_nearest_row_is_that_of_numpy_over_all_blocks(monkeypatch):
    monkeypatch.setattr(origin, "_BLOCK", 7)
    known, rows = DRAW.normal(size=(60, 5)), DRAW.normal(size=(20, 5))

    found = find_nearest(rows, known)

    expected = np.square(rows[:, None] - known).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("spoil", [lambda x: x[:20], lambda x: x[:, :7], lambda x: x * np.nan])
def test_what_cannot_be_compared_is_no_origin(spoil):
    clean, _ = halves("digits")
    noisy = clean[:200] + DRAW.normal(0, 0.4, clean[:200].shape)

    assert find_clean(noisy, {"spoilt": spoil(clean)}) == {}
    assert find_clean(noisy[:20], {"clean": clean}) == {}
