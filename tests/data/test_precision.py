"""What float32 can't hold is warned of with its column; what is centred before loses nothing."""

import warnings

import numpy as np
import pandas as pd
import pytest

import truecopy
from truecopy.data.mixed import find_table, profile_and_plan
from truecopy.data.sources import open_source

GENERATOR = np.random.default_rng(0)
NORMAL = GENERATOR.normal(size=(500, 3))
UNIT = GENERATOR.uniform(size=(500, 3))
MILLIONS = GENERATOR.integers(0, 2**25, (500, 3))
HIGH_COUNTS = 10**9 + GENERATOR.integers(0, 2, (500, 3))
APART = GENERATOR.integers(0, 2**24, (500, 3))


def spread_of(rows, places, center, spread):
    """Rows with some features at `center`, spread by `spread`."""
    changed = rows.copy()
    changed[:, places] = center + spread * (rows[:, places] - 0.5)
    return changed


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (spread_of(UNIT, [1], 0.5, 1e-6), r"'x1': the values differ by too little for float32"),
        (spread_of(UNIT, [0, 2], 0.5, 1e-7), r"'x0', 'x2': the values differ by too little"),
        (HIGH_COUNTS, r"'x0', 'x1', 'x2': the values differ by too little"),
        (MILLIONS.astype(np.int64), r"'x0', 'x1', 'x2': the values span .*e\+07 whole numbers"),
        (MILLIONS.astype(np.uint32), r"span .*ignore=\['x0'\]"),
    ],
    ids=["near a half", "two features", "counts around a milliard", "ids", "ids in 32 bits"],
)
def test_features_that_float32_rounds_off_are_warned_of_by_name(rows, message):
    with pytest.warns(UserWarning, match=message) as caught:
        _, plan = profile_and_plan(open_source(rows))

    assert len(caught) == 1
    scaled = plan.scaling.apply(rows).astype(np.float64)
    exact = np.log1p(rows) if plan.scaling.kind == "log1p" else rows
    error, spread = (scaled - exact).std(axis=0), exact.std(axis=0)
    neighbours = len(np.unique(plan.scaling.apply(np.arange(2**25 - 100, 2**25)[:, None])))
    assert (error > 0.01 * spread).any() or neighbours < 100


@pytest.mark.parametrize(
    "rows",
    [
        1e9 + NORMAL,  # centred before it is cast
        1e15 + 100 * NORMAL,
        spread_of(UNIT, [1], 0.5, 1e-5),
        spread_of(UNIT, [1], 0.5, 1e-6).astype(np.float32),  # lost long before
        np.full((500, 3), 0.1) * [1, 1, 0],  # rounding is no spread
        APART // 2,
        np.floor(GENERATOR.exponential(1e8, (500, 3))).astype(np.int64),  # amounts, not ids
        GENERATOR.integers(0, 256, (500, 3), np.uint8),
        HIGH_COUNTS - 10**9,
    ],
)
def test_what_float32_holds_passes_without_a_word(rows):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, plan = profile_and_plan(open_source(rows))

    if plan.scaling.kind == "standardise":
        scaled, exact = plan.scaling.apply(rows), rows - rows[0]
        exact /= exact.std(axis=0)
        np.testing.assert_allclose(scaled - scaled[0], exact, rtol=0, atol=2e-6)


@pytest.mark.parametrize(("span", "warned"), [(2**24, False), (2**24 + 1, True)])
def test_ids_in_a_table_are_warned_of_beyond_24_bits(span, warned):
    frame = pd.DataFrame({"id": [5, 9, 5 + span], "word": ["a", "b", "a"]})

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        find_table(frame, owner="test")

    said = [str(warning.message) for warning in caught]
    assert len(said) == warned
    assert all("Column 'id': the values span 1.68e+07" in each for each in said)
    assert all("ignore=['id']" in each for each in said)


def test_fit_warns_of_a_frames_columns_once(monkeypatch):
    frame = pd.DataFrame(MILLIONS, columns=["id", "a", "b"])
    monkeypatch.setattr("truecopy.models.fitting.build_networks", lambda *_, **__: 1 / 0)

    with (
        pytest.warns(UserWarning, match="Column 'id', 'a', 'b': the values span") as caught,
        pytest.raises(ZeroDivisionError),
    ):
        truecopy.Autoencoder(latent=1, epochs=1, quiet=True).fit(frame)

    assert sum("the values span" in str(warning.message) for warning in caught) == 1
