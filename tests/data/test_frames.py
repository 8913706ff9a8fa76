"""Mixed tables: what kind a column is, and that what goes in comes back as it was."""

import datetime as dt
import json

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truecopy.data.frame_chunks import open_frames
from truecopy.data.frames import Table, as_frame, make_frame, replace_columns
from truecopy.data.plan import Plan
from truecopy.errors import EmptyData, NonFiniteData, ShapeMismatch, UnsupportedData

GENERATOR = np.random.default_rng(0)


def plan(frame, **told):
    options = {"categorical": (), "ignore": (), "unseen": "missing"}
    return Table.plan(as_frame(frame), **options | told)


def kind_of(values, **told):
    table, _ = plan(pd.DataFrame({"x": values}), **told)
    (column,) = table.columns
    return column.kind, column.output, column.loss


@pytest.mark.parametrize(
    ("values", "kind", "output", "loss"),
    [
        ([1.5, -2.0, 3.25], "numeric", "linear", "mse"),
        ([3, 5, 4, 6], "numeric", "linear", "mse"),
        ([0, 0, 1, 0, 2, 0, 40], "count", "linear", "mse"),
        ([0, 1, 1, 0], "binary", "sigmoid", "binary_crossentropy"),
        ([True, False, True], "binary", "sigmoid", "binary_crossentropy"),
        (["yes", "no", "no"], "binary", "sigmoid", "binary_crossentropy"),
        (["a", "b", "c"], "categorical", "softmax", "categorical_crossentropy"),
        (["one", "one"], "categorical", "softmax", "categorical_crossentropy"),
        (pd.Categorical(["lo", "hi"], ["lo", "hi"], ordered=True), "ordinal", "linear", "mse"),
        ([dt.datetime(2020, 1, 2), dt.datetime(2021, 1, 2)], "date", "linear", "mse"),  # noqa: DTZ001
    ],
)
def test_every_kind_of_column_has_its_plan(values, kind, output, loss):
    assert kind_of(values) == (kind, output, loss)


def test_numbers_are_categories_where_the_user_says_so():
    assert kind_of([10, 20, 30], categorical=["x"])[0] == "categorical"


def test_a_columns_figures_are_those_of_its_known_cells():
    frame = pl.DataFrame({"x": [1.0, None, 3.0, 5.0], "c": ["a", "b", None, "a"]})

    table, features = plan(frame)

    number, words = table.columns
    assert number.missing == words.missing == 0.25
    assert (number.offset, number.divisor) == (3.0, pytest.approx(np.std([1, 3, 5])))
    # The entropy of one half is log 2; of shares 2/3 and 1/3, by hand.
    assert words.floor == pytest.approx(np.log(3) - 2 / 3 * np.log(2))
    np.testing.assert_array_equal(features, [[1, 0], [np.nan, 1], [3, np.nan], [5, 0]])


def test_categories_are_one_hot_and_a_missing_one_is_missing_in_all():
    _, features = plan(pl.DataFrame({"c": ["b", "a", None, "c"]}))

    np.testing.assert_array_equal(features, [[0, 1, 0], [1, 0, 0], [np.nan] * 3, [0, 0, 1]])


def test_ranks_follow_the_order_of_the_categories():
    grades = pd.Categorical(["mid", "low", "high"], ["low", "mid", "high"], ordered=True)

    _, features = plan(pd.DataFrame({"grade": grades}))

    assert features[:, 0].tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("frame", "told", "error", "message"),
    [
        (
            {"note": [f"free words {n}" for n in range(50)]},
            {},
            UnsupportedData,
            r"'note' is text: 50 different values in 50 rows\. .*, say so \(categorical=\['note'\]",
        ),
        ({"x": [1, "a", 2]}, {}, UnsupportedData, "'x' holds Object values .int, str."),
        (
            {"x": [1, "a", 2]},
            {"categorical": ["x"]},
            UnsupportedData,
            "'x' mixes int and str",
        ),
        ({"x": [None, None], "y": [1, 2]}, {}, UnsupportedData, r"'x' has no values\. Leave it"),
        (
            {"x": [1.0, np.inf, -np.inf]},
            {},
            NonFiniteData,
            r"'x' has 2 infinite values \(first rows: 1, 2\)",
        ),
        (
            {"city": ["a", "b"]},
            {"ignore": ["cty"]},
            UnsupportedData,
            "no column 'cty' .* Did you mean 'city'",
        ),
        ({"city": ["a", "b"]}, {"ignore": ["city"]}, EmptyData, "all of them are ignored"),
        ({"x": []}, {}, EmptyData, "The table has no rows"),
    ],
)
def test_what_has_no_plan_is_refused_with_its_column(frame, told, error, message):
    with pytest.raises(error, match=message):
        plan(pd.DataFrame(frame), **told)


def test_other_columns_than_in_the_training_are_named():
    table, _ = plan(pl.DataFrame({"a": [1.5, 2.5], "b": ["x", "y"], "id": [7, 8]}), ignore=["id"])

    with pytest.raises(ShapeMismatch, match="they lack 'b' and have unknown 'c'"):
        table.encode(as_frame(pl.DataFrame({"a": [1.0], "c": ["x"]})))
    with pytest.raises(UnsupportedData, match=r"'a' holds String values, but it was Float64"):
        table.encode(as_frame(pl.DataFrame({"a": ["q"], "b": ["x"]})))


def test_columns_in_another_order_and_without_the_ignored_are_put_in_order():
    frame = pl.DataFrame({"a": [1.5, 2.5], "b": ["x", "y"], "id": [7, 8]})
    table, features = plan(frame, ignore=["id"])

    np.testing.assert_array_equal(table.encode(as_frame(frame.select("b", "a"))), features)


def test_an_unseen_category_is_missing_with_a_warning_or_an_error():
    frame, odd = pl.DataFrame({"c": ["a", "b", "c"]}), as_frame(pl.DataFrame({"c": ["z", "a"]}))
    lenient, _ = plan(frame)
    strict, _ = plan(frame, unseen="error")

    with pytest.warns(UserWarning, match=r"not in the training: 'z'\. They count as missing"):
        features = lenient.encode(odd)

    np.testing.assert_array_equal(features, [[np.nan] * 3, [1, 0, 0]])
    with pytest.raises(UnsupportedData, match="'c' has categories that were not in the training"):
        strict.encode(odd)


def test_constant_columns_have_finite_features_and_come_back():
    frame = pl.DataFrame({"x": [2.5, 2.5], "c": ["a", "a"], "zero": [0, 0]})

    table, features = plan(frame)

    scaled = table.scaling.apply(features)
    assert np.isfinite(scaled).all()
    copy = replace_columns(
        as_frame(frame), table.decode(table.scaling.undo(scaled)), only_missing=False
    )
    assert copy.equals(frame)


COLUMNS = {
    "int": (st.integers(-(2**31), 2**31 - 1), pl.Int32),
    "count": (st.integers(0, 255), pl.UInt8),
    "float": (st.floats(-1e6, 1e6), pl.Float64),
    "flag": (st.booleans(), pl.Boolean),
    "word": (st.sampled_from(["a", "b", "ü", ""]), pl.String),
    "category": (st.sampled_from(["x", "y", "z"]), pl.Categorical),
    "day": (st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)), pl.Date),
    "moment": (st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)), pl.Datetime("us")),  # noqa: DTZ001
}


@st.composite
def frames(draw):
    """A polars frame of drawn columns in drawn order; the first row has no missing cell."""
    names = draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=8, unique=True))
    rows = draw(st.integers(1, 12))
    columns = []
    for name in names:
        values, dtype = COLUMNS[name]
        first = draw(values)
        others = draw(st.lists(st.none() | values, min_size=rows - 1, max_size=rows - 1))
        columns.append(pl.Series(name, [first, *others], dtype=dtype))
    return pl.DataFrame(columns)


@settings(deadline=None, max_examples=60)
@given(frames(), st.sampled_from(["polars", "pandas", "arrow"]))
def test_what_is_encoded_and_decoded_is_the_frame_it_was(drawn, library):
    frame = drawn
    if library == "pandas":
        frame = drawn.to_pandas()
        frame.index = np.arange(len(frame)) * 3 + 5
    elif library == "arrow":
        frame = drawn.to_arrow()
    table, features = plan(frame)
    again = Table(Plan.from_dict(through_json(table)).facts.columns, (), "error")
    np.testing.assert_array_equal(again.encode(as_frame(frame)), features)

    copy = replace_columns(as_frame(frame), table.decode(table.fill(features)), only_missing=False)

    before, after = nw.from_native(frame), nw.from_native(copy)
    assert after.schema == before.schema
    assert type(copy) is type(frame)
    if library == "pandas":
        assert copy.index.equals(frame.index)
        assert copy.dtypes.equals(frame.dtypes)
    for name in before.columns:
        was, got = before[name].to_list(), after[name].to_list()
        known = ~(before[name].is_null()).to_numpy()
        for old, new, there in zip(was, got, known, strict=True):
            near = isinstance(old, float) and new == pytest.approx(old, rel=1e-9, abs=1e-6)
            assert not there or near or new == old
            assert there or library == "pandas" or new is not None


def through_json(table):
    return json.loads(json.dumps(Plan(table.facts, table.scaling).to_dict()))


def test_only_missing_cells_are_replaced_where_asked():
    frame = pl.DataFrame({"x": [1.0, None, 4.0], "c": ["a", "b", None]})
    table, features = plan(frame)

    filled = replace_columns(
        as_frame(frame), table.decode(table.fill(features) + np.array([10, 0])), only_missing=True
    )

    assert filled["x"].to_list() == [1.0, 12.5, 4.0]
    assert filled["c"].to_list()[:2] == ["a", "b"]
    assert filled["c"][2] in {"a", "b"}


def test_columns_may_be_called_by_numbers():
    frame = pd.DataFrame([["a", 1.5], ["b", 2.5], ["c", None]])
    table, features = plan(frame)

    copy = replace_columns(as_frame(frame), table.decode(table.fill(features)), only_missing=False)

    assert table.names == ("0", "1")
    expected = pd.DataFrame([["a", 1.5], ["b", 2.5], ["c", 2.0]])
    pd.testing.assert_frame_equal(copy, expected)


def test_time_zones_come_back():
    moments = pd.date_range("2024-03-30", periods=4, freq="D", tz="Europe/Oslo")
    frame = pd.DataFrame({"at": moments})
    table, features = plan(frame)

    copy = replace_columns(as_frame(frame), table.decode(features), only_missing=False)

    pd.testing.assert_frame_equal(copy, frame)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_of_mixed_columns_is_read(tmp_path, suffix):
    frame = pl.DataFrame({"x": [1.5, None], "city": ["Oslo", "Łódź"]})
    path = tmp_path / f"people{suffix}"
    (frame.write_csv if suffix == ".csv" else frame.write_parquet)(path)

    (read,) = open_frames(str(path)).read()

    assert read["x"].to_list()[0] == 1.5
    assert read["city"].to_list() == ["Oslo", "Łódź"]


def test_values_without_a_frame_make_one():
    made = make_frame({"x": np.array([1.0, 2.0]), "c": np.array(["a", "b"], object)})

    assert nw.from_native(made).columns == ["x", "c"]
