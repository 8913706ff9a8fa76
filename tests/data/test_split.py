"""What is held out depends on what is in the rows, and on nothing else."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truecopy.data.mixed import find_table
from truecopy.data.sources import open_source
from truecopy.data.split import split_rows

ROWS = np.random.default_rng(0).normal(size=(2_000, 3))


def keys(rows):
    """Rows as a set of tuples."""
    return {tuple(row) for row in np.asarray(rows).tolist()}


def held_out(rows, share=0.1, seed=0):
    rows = np.asarray(rows)
    return rows[split_rows(open_source(rows), share, seed=seed).held_out]


@given(
    drawn=st.lists(st.integers(0, 40), min_size=1, max_size=300),
    share=st.floats(0, 0.99),
    seed=st.integers(0, 5),
    random=st.randoms(use_true_random=False),
)
@settings(deadline=None, max_examples=60)
def test_order_and_copies_change_nothing_and_equal_rows_stay_together(drawn, share, seed, random):
    rows = np.array(drawn)[:, None]
    split = split_rows(open_source(rows), share, seed=seed)
    random.shuffle(drawn)

    shuffled = held_out(np.array(drawn)[:, None], share, seed)

    assert sorted([*split.training, *split.held_out]) == list(range(len(rows)))
    assert not keys(rows[split.training]) & keys(rows[split.held_out])
    assert sorted(shuffled.ravel()) == sorted(rows[split.held_out].ravel())
    assert len(split.held_out) <= round(len(rows) * share)


@given(rows=st.integers(1, 60_000), share=st.floats(0, 0.99))
@settings(deadline=None, max_examples=20)
def test_of_different_rows_exactly_the_share_is_held_out_in_equal_batches(rows, share):
    split = split_rows(open_source(np.arange(rows)[:, None]), share, seed=0)

    asked = min(round(rows * share), 5_000)
    assert len(split.held_out) == (asked if asked <= 1_000 else asked // 1_000 * 1_000)
    assert len(split.held_out) % split.batch == 0


@pytest.mark.parametrize("more", [1, 50, 1_000])
def test_added_rows_move_no_more_rows_across_than_they_are(more):
    added = np.random.default_rng(1).normal(size=(more, 3))

    before, after = keys(held_out(ROWS)), keys(held_out(np.concatenate([added, ROWS])))

    moved = (before - after) | (after & keys(ROWS)) - before
    assert len(moved) <= more
    assert len(before & after) > 0.6 * len(before)


def test_another_seed_holds_out_others_and_every_row_is_as_likely():
    times = np.zeros(200)
    for seed in range(400):
        times[split_rows(open_source(ROWS[:200]), 0.1, seed=seed).held_out] += 1

    # Of 400 draws of a tenth, 40 +- 6.
    assert times.sum() == 400 * 20
    assert abs(times.mean() - 40) < 1e-9
    assert 10 < times.min() < times.max() < 75
    assert times.std() == pytest.approx(6, rel=0.2)


def test_held_out_rows_are_like_the_others():
    # With integers in order, as ids or times are, a bad hash would show.
    chosen = held_out(np.arange(10_000)[:, None]).ravel()

    assert chosen.mean() == pytest.approx(5_000, abs=4 * 10_000 / 12**0.5 / 1_000**0.5)
    assert np.bincount(chosen // 1_000, minlength=10) == pytest.approx(100, abs=40)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_where_all_rows_are_equal_none_is_held_out(share):
    split = split_rows(open_source(np.ones((50, 3))), share, seed=0)

    assert len(split.held_out) == 0
    assert split.batch == 1


def test_what_comes_too_often_trains_and_the_share_comes_from_the_rest():
    rows = np.concatenate([np.zeros((600, 3)), ROWS[:400]])

    chosen = held_out(rows)

    assert len(chosen) == 100
    assert chosen.any(axis=1).all()


def test_every_source_of_the_same_rows_is_split_the_same(tmp_path):
    frame = pl.DataFrame(ROWS, schema=["a", "b", "c"])
    frame.write_parquet(tmp_path / "rows.parquet")
    frame.write_csv(tmp_path / "rows.csv")
    np.save(tmp_path / "rows.npy", ROWS)
    sources = [
        *(tmp_path / name for name in ("rows.parquet", "rows.csv", "rows.npy")),
        frame,
        frame.to_pandas(),
        [ROWS[first : first + 70] for first in range(0, 2_000, 70)].__iter__(),
    ]

    expected = split_rows(open_source(ROWS), 0.1, seed=3).held_out

    for source in sources:
        found = split_rows(open_source(source), 0.1, seed=3).held_out
        np.testing.assert_array_equal(found, expected)


def test_a_table_with_missing_cells_is_split_by_its_rows_too():
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"x": ROWS[:300, 0], "word": generator.choice(list("abc"), 300)})
    frame.loc[generator.random(300) < 0.2, "x"] = np.nan
    order = generator.permutation(300)

    first, second = (find_table(f, owner="test").rows for f in (frame, frame.iloc[order]))

    chosen = split_rows(first, 0.1, seed=0).held_out
    assert set(order[split_rows(second, 0.1, seed=0).held_out]) == set(chosen)
