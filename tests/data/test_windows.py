"""Windows are views of a series, and their scores come back to its time stamps."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import truecopy
from truecopy.errors import InvalidArgument, UnsupportedData

SERIES = np.random.default_rng(0).normal(size=(30, 2))


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 12))
def test_each_window_is_a_slice_of_the_series(length, step):
    rows = truecopy.windows(SERIES, length, step)

    expected = [SERIES[start : start + length] for start in range(0, 30 - length + 1, step)]
    np.testing.assert_array_equal(rows.array(), expected)
    np.testing.assert_array_equal(np.concatenate(list(rows.batches(4))), expected)
    assert np.shares_memory(rows.array(), SERIES)


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 12))
def test_a_steps_score_is_the_mean_of_its_windows(length, step):
    rows = truecopy.windows(SERIES, length, step)
    scores = np.arange(float(rows.rows))

    found = rows.scores_per_step(scores)

    for number, score in enumerate(found):
        inside = [s for s, a in zip(scores, rows.starts, strict=True) if a <= number < a + length]
        np.testing.assert_allclose(score, np.mean(inside) if inside else np.nan, rtol=1e-12)


@pytest.mark.parametrize("library", ["pandas", "polars", "index"])
def test_time_stamps_of_a_frame_are_kept(library):
    times = pd.date_range("2024-01-01", periods=30, freq="h")
    frame = pd.DataFrame(SERIES, columns=["a", "b"])
    if library == "index":
        frame.index = times
    else:
        frame["at"] = times
    rows = truecopy.windows(pl.from_pandas(frame) if library == "polars" else frame, 8, 4)

    assert rows.channels == ("a", "b")
    np.testing.assert_array_equal(rows.times, times.to_numpy())
    np.testing.assert_array_equal(rows.array()[1], SERIES[4:12])


@pytest.mark.parametrize(
    ("data", "told", "error", "message"),
    [
        (SERIES, {"length": 31}, InvalidArgument, "'length' .* must be one from 1 to 30. Got 31"),
        (SERIES, {"length": 2.5}, InvalidArgument, "'length' argument of windows"),
        (SERIES, {"length": 3, "step": 0}, InvalidArgument, "'step' argument of windows"),
        (SERIES[None], {"length": 1}, UnsupportedData, r"Give \(steps,\) or \(steps, channels\)"),
        (pl.DataFrame({"a": [1.0]}), {"length": 1, "time": "b"}, InvalidArgument, "one of the col"),
        (
            pl.DataFrame({"a": [1.0, 2.0], "t": [5, 3]}),
            {"length": 1, "time": "t"},
            UnsupportedData,
            r"not in order: 5 is followed by 3 \(step 1\)",
        ),
        (pl.DataFrame({"a": ["x"]}), {"length": 1}, UnsupportedData, "'a' .String"),
    ],
)
def test_what_can_not_be_cut_is_refused(data, told, error, message):
    with pytest.raises(error, match=message):
        truecopy.windows(data, **told)


def test_as_many_scores_as_windows_are_needed():
    with pytest.raises(InvalidArgument, match=r"shape \(27,\)"):
        truecopy.windows(SERIES, 4).scores_per_step([1.0])
