"""Tables in chunks: wherever they are cut, they are planned, encoded and refused the same."""

import itertools

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from truecopy.data import frame_chunks
from truecopy.data.frame_chunks import open_frames
from truecopy.data.mixed import find_table, open_table
from truecopy.data.sources import open_source
from truecopy.errors import NonFiniteData, RaggedData, ShapeMismatch, UnsupportedData

GENERATOR = np.random.default_rng(0)
ROWS = 60
PEOPLE = pl.DataFrame(
    {
        "height": [
            None if GENERATOR.random() < 0.2 else GENERATOR.normal(170, 10) for _ in range(ROWS)
        ],
        "children": GENERATOR.geometric(0.4, ROWS) - 1,
        "member": GENERATOR.integers(0, 2, ROWS),
        "paid": GENERATOR.random(ROWS) < 0.5,
        "city": GENERATOR.choice(["Lima", "Oslo", "Rome"], ROWS),
        "born": pl.Series(np.datetime64("1990-01-01") + GENERATOR.integers(0, 9999, ROWS)),
    }
)


class Chunks:
    """Frames that can be read again and again."""

    def __init__(self, *frames):
        self.frames = frames

    def __iter__(self):
        return iter(self.frames)


def cut(frame, cuts):
    edges = [0, *sorted(cuts), len(frame)]
    return [frame[a:b] for a, b in itertools.pairwise(edges) if a < b]


def require_same_plans(found, expected):
    for got, want in zip(found.columns, expected.columns, strict=True):
        for name in ("offset", "divisor", "floor"):
            assert getattr(got, name) == pytest.approx(getattr(want, name), rel=1e-9)
        assert got.centre == pytest.approx(want.centre, rel=1e-9)
        assert (got.name, got.kind, got.because, got.dtype, got.categories, got.missing) == (
            want.name,
            want.kind,
            want.because,
            want.dtype,
            want.categories,
            pytest.approx(want.missing),
        )


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, ROWS - 1), max_size=6, unique=True), st.booleans())
def test_a_table_has_one_plan_however_it_is_cut(cuts, arrow):
    whole = find_table(PEOPLE, owner="test")
    pieces = [piece.to_arrow() if arrow else piece for piece in cut(PEOPLE, cuts)]

    found = find_table(Chunks(*pieces), owner="test")

    require_same_plans(found.table, whole.table)
    assert found.rows.rows == ROWS
    np.testing.assert_array_equal(found.rows.array(), whole.rows.array())


@pytest.fixture
def folder(tmp_path):
    """The people in four files, one of them in a subfolder; others are passed over."""
    path = tmp_path / "people"
    (path / "z").mkdir(parents=True)
    for number, piece in enumerate(cut(PEOPLE, [10, 11, 40])):
        name = "z/last.parquet" if number == 3 else f"part-{number}.parquet"
        parquet.write_table(piece.to_arrow(), path / name, row_group_size=7)
    (path / "_SUCCESS").touch()
    (path / ".hidden.parquet").touch()
    return path


def test_a_folder_of_parquet_files_is_one_table_in_the_order_of_their_paths(folder):
    whole = find_table(PEOPLE, owner="test")

    found = find_table(str(folder), owner="test")

    require_same_plans(found.table, whole.table)
    assert found.names == tuple(PEOPLE.columns)
    np.testing.assert_array_equal(found.rows.array(), whole.rows.array())
    np.testing.assert_array_equal(
        open_table(whole.table, folder).array(), open_table(whole.table, PEOPLE).array()
    )


def test_a_folder_of_parquet_files_of_numbers_is_one_array(tmp_path):
    rows = GENERATOR.normal(size=(9, 2))
    for number, part in enumerate(np.split(rows, [4])):
        parquet.write_table(
            pa.table({"a": part[:, 0], "b": part[:, 1]}), tmp_path / f"{number}.parquet"
        )

    source = open_source(tmp_path)

    assert (source.rows, source.columns) == (9, ("a", "b"))
    np.testing.assert_array_equal(np.concatenate(list(source.batches(2))), rows)
    assert find_table(source, owner="test") is None


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"a": [1.0]}, "lacks 'b'"),
        ({"a": [1.0], "b": [2.0], "c": [1]}, "has also 'c'"),
        ({"b": [1.0], "a": [2.0]}, "has the same columns in another order"),
        ({"a": [1.0], "b": ["x"]}, "has 'b' as string, not double"),
    ],
)
def test_a_file_with_other_columns_is_named(tmp_path, other, message):
    parquet.write_table(pa.table({"a": [1.0], "b": [2.0]}), tmp_path / "0.parquet")
    parquet.write_table(pa.table(other), tmp_path / "1.parquet")

    with pytest.raises(RaggedData, match=f"1.parquet' {message}, unlike .*0.parquet'"):
        open_source(tmp_path)


def test_columns_in_the_names_of_folders_are_refused(tmp_path):
    (tmp_path / "year=2020").mkdir()
    parquet.write_table(pa.table({"a": [1.0]}), tmp_path / "year=2020" / "0.parquet")

    with pytest.raises(UnsupportedData, match="holds a column in its folder's name"):
        open_source(tmp_path)


def test_a_large_csv_file_is_read_block_by_block(tmp_path, monkeypatch):
    PEOPLE.write_csv(tmp_path / "people.csv")
    whole = find_table(str(tmp_path / "people.csv"), owner="test")
    monkeypatch.setattr(frame_chunks, "CSV_WHOLE", 0)
    monkeypatch.setattr(frame_chunks, "CSV_BLOCK", 500)

    frames = open_frames(tmp_path / "people.csv")
    found = find_table(tmp_path / "people.csv", owner="test")

    assert len(list(frames.read())) > 3
    require_same_plans(found.table, whole.table)
    np.testing.assert_array_equal(found.rows.array(), whole.rows.array())


def test_a_csv_file_whose_kinds_change_after_its_first_block_is_refused(tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_text("a,b\n" + "1,x\n" * 50 + "q,x\n")
    monkeypatch.setattr(frame_chunks, "CSV_WHOLE", 0)
    monkeypatch.setattr(frame_chunks, "CSV_BLOCK", 100)

    with pytest.raises(UnsupportedData, match=r"found out from its first .* save it as \.parquet"):
        find_table(str(tmp_path / "t.csv"), owner="test")


def test_a_missing_cell_far_down_a_file_makes_a_table(tmp_path):
    lines = ["a,b", *(f"{n},{n % 7}.5" for n in range(3_000)), "1,"]
    (tmp_path / "t.csv").write_text("\n".join(lines))

    found = find_table(str(tmp_path / "t.csv"), owner="test")

    assert found.table.columns[1].missing == pytest.approx(1 / 3_001)


def test_places_of_infinite_values_are_counted_through_all_chunks():
    chunks = Chunks(pl.DataFrame({"x": [1.0, 2.0]}), pl.DataFrame({"x": [1.0, np.inf]}))

    with pytest.raises(NonFiniteData, match=r"first rows: 3\)"):
        find_table(chunks, owner="test")


def test_chunks_that_are_not_alike_are_refused():
    first = pl.DataFrame({"x": [1.5, None]})
    with pytest.raises(UnsupportedData, match="Batch 1 is not a table with the columns of batch 0"):
        find_table(Chunks(first, pl.DataFrame({"y": [1.0]})), owner="test")
    with pytest.raises(UnsupportedData, match="'x' holds Float64 values in some rows and String"):
        find_table(Chunks(first, pl.DataFrame({"x": ["a"]})), owner="test")


def test_other_columns_than_in_the_training_are_refused_before_anything_is_read(folder):
    table = find_table(PEOPLE.drop("city"), owner="test").table

    with pytest.raises(ShapeMismatch, match="have unknown 'city'"):
        open_table(table, folder)
