"""An Autoencoder of a mixed table: per-column plans, missing cells, frames out."""

import pickle
from itertools import pairwise

import keras
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import truecopy
from truecopy.errors import InvalidArgument, UnknownName, UnsupportedData
from truecopy.facts import ColumnFacts
from truecopy.training.column_loss import ColumnLoss, mse

SETTINGS = {"latent": 1, "epochs": 12, "learning_rate": 0.02, "batch_size": 32, "quiet": True}


@pytest.fixture(scope="module")
def people():
    """300 rows with one hidden cause: height, city and age tell each other; 10 % are missing."""
    generator = np.random.default_rng(0)
    cause = generator.normal(size=300)
    city = np.where(cause > 0.5, "Rome", np.where(cause > -0.5, "Oslo", "Lima"))
    frame = pd.DataFrame(
        {
            "id": [f"person {n}" for n in range(300)],
            "height": 170 + 10 * cause + generator.normal(size=300),
            "age": np.rint(40 + 10 * cause + generator.normal(size=300)).astype("int32"),
            "city": city,
        },
        index=np.arange(300) + 1000,
    )
    whole = frame.copy()
    frame.loc[generator.uniform(size=300) < 0.1, "height"] = np.nan
    return frame, whole


@pytest.fixture(scope="module")
def fitted(people):
    return truecopy.Autoencoder(**SETTINGS, ignore=["id"]).fit(people[0])


def test_each_column_has_a_plan(fitted, people):
    height, age, city = fitted.plan_.facts.columns

    assert [c.kind for c in (height, age, city)] == ["numeric", "numeric", "categorical"]
    assert height.missing == pytest.approx(people[0]["height"].isna().mean())
    assert fitted.plan_.facts.kind == "table"


def test_the_copy_is_a_frame_like_the_one_given(fitted, people):
    copy = fitted.reconstruct(people[0])

    assert copy.dtypes.equals(people[0].dtypes)
    assert copy.index.equals(people[0].index)
    assert list(copy.columns) == list(people[0].columns)
    assert copy["id"].equals(people[0]["id"])
    assert (copy["city"] == people[0]["city"]).mean() > 0.8


def test_missing_cells_are_filled_in_better_than_by_the_mean(fitted, people):
    given, whole = people
    missing = given["height"].isna()

    filled = fitted.reconstruct(given, only_missing=True)

    assert filled[~missing].equals(given[~missing])
    error = (filled["height"] - whole["height"])[missing].abs().mean()
    by_mean = (given["height"].mean() - whole["height"])[missing].abs().mean()
    assert error < by_mean / 2


def test_missing_cells_do_not_count_in_the_error(fitted, people):
    row = people[1].iloc[[0]]
    without = row.assign(height=np.nan)

    parts, fewer = fitted.contributions(row), fitted.contributions(without)

    assert parts.shape == (1, 3)
    assert fewer[0, 0] == 0
    np.testing.assert_allclose(fewer.sum(axis=1), -fitted.score_samples(without), rtol=1e-12)


def test_the_score_is_the_skill_against_column_means_and_shares(fitted, people):
    assert 0.5 < fitted.score(people[0]) < 1


def test_every_library_gives_the_same_latents(fitted, people):
    frame = people[0].reset_index(drop=True)
    polars = pl.from_pandas(frame)

    expected = fitted.encode(frame)

    np.testing.assert_array_equal(fitted.encode(polars), expected)
    np.testing.assert_array_equal(fitted.encode(polars.to_arrow()), expected)
    np.testing.assert_array_equal(fitted.encode(polars[::-1])[::-1], expected)


def test_what_is_saved_or_pickled_gives_the_same_frame(fitted, people, tmp_path):
    expected = fitted.reconstruct(people[0])
    fitted.save(tmp_path / "run")

    for again in (truecopy.load(tmp_path / "run"), pickle.loads(pickle.dumps(fitted))):  # noqa: S301
        pd.testing.assert_frame_equal(again.reconstruct(people[0]), expected)
        assert again.score(people[0]) == fitted.score(people[0])
        assert again.feature_names_in_.tolist() == ["id", "height", "age", "city"]


def test_latents_decode_to_a_frame_of_the_columns(fitted, people):
    decoded = fitted.inverse_transform(fitted.transform(people[0]))

    assert list(decoded.columns) == ["height", "age", "city"]
    whole = ~people[0]["height"].isna().to_numpy()
    expected = fitted.reconstruct(people[0])["height"].to_numpy()
    np.testing.assert_allclose(decoded["height"].to_numpy()[whole], expected[whole], rtol=1e-4)


def test_a_csv_file_of_mixed_columns_is_fitted_as_the_frame_is(fitted, people, tmp_path):
    people[0].to_csv(tmp_path / "people.csv", index=False)

    model = truecopy.Autoencoder(**SETTINGS | {"epochs": 1}, ignore=["id"])
    model.fit(tmp_path / "people.csv")

    kinds = [column.kind for column in model.plan_.facts.columns]
    assert kinds == [column.kind for column in fitted.plan_.facts.columns]
    assert model.score_samples(tmp_path / "people.csv").shape == (300,)


def test_outliers_of_a_table_are_explained_by_column(people):
    frame = people[1].reset_index(drop=True)
    detector = truecopy.OutlierDetector(**SETTINGS, ignore=["id"]).fit(frame)
    odd = frame.iloc[[0]].assign(height=260.0)

    assert detector.predict(odd).tolist() == [-1]
    assert detector.contributions(odd)[0].argmax() == 0


def test_numbers_of_one_kind_keep_the_plan_of_an_array(people):
    numbers = people[1][["height", "age"]]

    model = truecopy.Autoencoder(**SETTINGS | {"epochs": 1}).fit(numbers)

    assert model.plan_.facts.kind == "real"
    assert isinstance(model.reconstruct(numbers), np.ndarray)


def test_an_array_given_to_a_model_of_a_table_is_refused(fitted):
    with pytest.raises(UnsupportedData, match="trained on a table with the columns 'height', 'age"):
        fitted.encode(np.ones((2, 3)))


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"ignore": "id"}, InvalidArgument, "must be a list of names of columns. Got 'id'"),
        ({"categorical": [3]}, InvalidArgument, "must be a list of names of columns"),
        ({"unseen": "mising"}, UnknownName, "Did you mean 'missing'"),
        ({"ignore": ["a"]}, InvalidArgument, "must be empty where the data are no table"),
    ],
)
def test_bad_settings_of_columns_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        truecopy.Autoencoder(quiet=True, **settings).fit(np.ones((5, 2)))


def column(loss, width, floor):
    return ColumnFacts(
        name="x",
        kind="",
        because="",
        dtype="",
        missing=0.0,
        output="",
        loss=loss,
        centre=(0.0,) * width,
        floor=floor,
    )


def test_the_loss_is_the_mean_of_known_columns_in_parts_of_their_floors():
    loss = ColumnLoss(
        (
            column("mse", 1, 1.0),
            column("mse", 1, 1.0),
            column("categorical_crossentropy", 2, 0.5),
            column("binary_crossentropy", 1, 0.25),
        )
    )
    target = np.array([[1, 3, 0, 1, 1], [1, np.nan, np.nan, np.nan, 0]], np.float32)
    copy = np.array([[2, 1, 0.2, 0.8, 0.5], [1.5, 9, 0.5, 0.5, 0.9]], np.float32)

    # By hand: squares; -log 0.8 in parts of 0.5; log 2 and -log 0.1 in parts of 0.25.
    expected = [
        (1 + 4 - np.log(0.8) / 0.5 + np.log(2) / 0.25) / 4,
        (0.25 - np.log(0.1) / 0.25) / 2,
    ]
    rows = [keras.ops.convert_to_tensor(values) for values in (target, copy)]
    seen, error = (keras.ops.convert_to_numpy(of(*rows)) for of in (loss, mse))
    np.testing.assert_allclose(seen, expected, rtol=1e-5)
    np.testing.assert_allclose(error[1], (0.25 + 0.81) / 2, rtol=1e-5)


@settings(deadline=None, max_examples=8)
@given(st.permutations(range(12)), st.lists(st.integers(1, 11), max_size=4, unique=True))
def test_scores_do_not_depend_on_the_order_or_the_chunks_of_the_rows(fitted, people, order, cuts):
    frame = pl.from_pandas(people[0].head(12))
    expected = fitted.score_samples(frame)
    edges = [0, *sorted(cuts), 12]

    class Chunks:
        def __iter__(self):
            mixed = frame[list(order)]
            return iter([mixed[a:b] for a, b in pairwise(edges)])

    found = fitted.score_source(fitted.open(Chunks()))

    np.testing.assert_array_equal(found, expected[list(order)])
