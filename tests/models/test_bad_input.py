"""What is wrong with data is said where it matters: training rows that are scored, huge values."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score

import truecopy
from truecopy.data.finite import check_batches
from truecopy.data.mixed import find_table, open_table
from truecopy.errors import EmptyData, NonFiniteData

ROWS = np.random.default_rng(0).normal(size=(60, 4))
BYTES = np.random.default_rng(0).integers(0, 256, (60, 4), np.uint8) * np.uint8([1, 1, 1, 0])
SETTINGS = {"latent": 1, "epochs": 1, "validation": 0.0, "quiet": True}


@pytest.fixture(scope="module")
def fitted():
    return truecopy.Autoencoder(**SETTINGS).fit(ROWS[:40])


@pytest.fixture(scope="module")
def bytes_fitted():
    return truecopy.Autoencoder(**SETTINGS).fit(BYTES)


def test_scored_rows_that_were_trained_on_are_counted(fitted, tmp_path):
    fitted.save(tmp_path / "run")

    for model in (fitted, tmp_path / "run"):
        notes = truecopy.evaluate(model, ROWS[30:]).facts.notes
        assert any(
            note.startswith("10 of 30 rows equal one of the training rows") for note in notes
        )


def test_other_rows_are_not_said_to_have_been_trained_on(fitted):
    own = truecopy.evaluate(fitted, ROWS[40:]).facts.notes
    bare = truecopy.evaluate(lambda rows: rows, ROWS).facts.notes

    assert not any("training rows:" in note for note in (*own, *bare))


def test_values_whose_squares_overflow_are_refused_with_their_features():
    huge = ROWS * np.array([1, 1e200, 1, 1])

    with pytest.raises(NonFiniteData, match=r"first features: 1\), whose squares float64 can't"):
        truecopy.Autoencoder(**SETTINGS).fit(huge)


@pytest.mark.parametrize("verb", ["encode", "reconstruct", "score_samples", "contributions"])
@pytest.mark.parametrize("value", [1e25, -1e39, 1e300])
def test_scored_values_that_float32_cannot_hold_are_refused_by_name(fitted, verb, value):
    rows = ROWS.copy()
    rows[7, 2] = value

    with pytest.raises(NonFiniteData, match=r"in row 7 feature 2: more than 1e\+18 times its spr"):
        getattr(fitted, verb)(rows)


def test_far_outliers_have_finite_scores_in_the_order_of_their_distance(fitted):
    far = np.zeros((5, 4))
    far[:, 2] = [0, 1e5, 1e10, 1e15, 1e17]

    scores = fitted.score_samples(far)

    assert np.isfinite(scores).all()
    assert (np.diff(scores) < 0).all()


def test_a_tables_huge_cell_is_refused_too_and_a_missing_one_is_not():
    frame = pd.DataFrame({"x": ROWS[:, 0], "word": ["a", "b"] * 30})
    frame.loc[3, "x"] = np.nan
    found = find_table(frame, owner="test")
    odd = frame.copy()
    odd.loc[8, "x"] = 1e30

    def check(data):
        rows = open_table(found.table, data)
        batches = check_batches(rows.batches(), found.table.scaling, name="table", holes=True)
        return np.concatenate(list(batches))

    assert np.isnan(check(frame)).sum() == 1
    with pytest.raises(NonFiniteData, match=r"value 1e\+30 in row 8 feature 0"):
        check(odd)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint16", "int64", ">i4"])
def test_the_same_values_in_another_dtype_have_the_same_scores(bytes_fitted, dtype):
    np.testing.assert_array_equal(
        bytes_fitted.score_samples(BYTES.astype(dtype)), bytes_fitted.score_samples(BYTES)
    )


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_scores_of_an_array_do_not_depend_on_batches_or_order(bytes_fitted, size):
    order = np.random.default_rng(1).permutation(len(BYTES))

    class Loader:
        def __iter__(self):
            return (BYTES[order][first : first + size] for first in range(0, len(BYTES), size))

    scores = bytes_fitted.score_samples(Loader())

    np.testing.assert_array_equal(scores, bytes_fitted.score_samples(BYTES)[order])


def test_a_constant_column_and_rows_of_zeros_leave_all_figures_finite(bytes_fitted):
    zeros = np.zeros((3, *BYTES.shape[1:]), np.uint8)

    assert bytes_fitted.profile_.facts.constant_features == 1
    assert np.isfinite(bytes_fitted.run_.history["loss"]).all()
    assert np.isfinite(bytes_fitted.contributions(BYTES)).all()
    assert np.isfinite(bytes_fitted.score_samples(zeros)).all()
    assert np.isfinite(bytes_fitted.score(zeros))


def test_constant_rows_have_the_score_that_scikit_learn_gives_them():
    zeros = np.zeros((30, 4))
    model = truecopy.Autoencoder(**SETTINGS | {"validation": 0.1}).fit(zeros)

    expected = r2_score(zeros, model.reconstruct(zeros))

    assert model.score(zeros) == expected
    # Equal rows are on one side, and they must train.
    assert model.run_.validation_rows == 0


def test_a_share_that_leaves_no_row_to_train_on_is_refused():
    told = truecopy.Autoencoder(**SETTINGS | {"validation": 0.99})

    with pytest.raises(EmptyData, match=r"All 3 rows of 'array' went into validation \(0\.99\)\."):
        told.fit(ROWS[:3])


def test_equal_rows_are_too_few_for_a_threshold():
    told = truecopy.OutlierDetector(latent=1, quiet=True)

    with pytest.raises(EmptyData, match=r"have 50 row\(s\) .*: too few different ones"):
        told.fit(np.ones((50, 4)))
