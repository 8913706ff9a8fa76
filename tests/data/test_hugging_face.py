"""Data sets with the verbs of Hugging Face's are read as their columns are: arrays or a table."""

import numpy as np
import pyarrow as pa
import pytest

from truecopy.data.mixed import find_table
from truecopy.data.sources import open_source
from truecopy.errors import RaggedData, UnsupportedData


class FakeDataset:
    """What of `datasets.Dataset` (5.2) is used, with its habit of reading integers as int64."""

    def __init__(self, columns, kind="python", features=None):
        self.columns, self.kind, self.features = columns, kind, features
        self.column_names = list(columns)

    def __len__(self):
        return len(next(iter(self.columns.values())))

    def with_format(self, kind):
        return FakeDataset(self.columns, kind, self.features)

    def select_columns(self, names):
        return FakeDataset({name: self.columns[name] for name in names}, self.kind, self.features)

    def iter(self, batch_size):
        for start in range(0, len(self), batch_size):
            part = {n: list(v[start : start + batch_size]) for n, v in self.columns.items()}
            yield (
                pa.table(part)
                if self.kind == "arrow"
                else {n: np.asarray(v) for n, v in part.items()}
            )


class Array2D:
    dtype = "uint8"


def test_a_column_of_pictures_gives_rows_and_the_one_of_numbers_labels():
    pictures = np.arange(3 * 4 * 5).reshape(3, 4, 5)
    data = FakeDataset({"image": pictures, "label": [0, 1, 0]}, features={"image": Array2D()})

    source = open_source(data)

    assert (source.rows, source.shape, source.dtype) == (3, (4, 5), np.uint8)
    np.testing.assert_array_equal(np.concatenate(list(source.batches(2))), pictures)
    assert source.labels.tolist() == [0, 1, 0]


def test_columns_of_numbers_are_features():
    source = open_source(FakeDataset({"a": [1.5, 2.5], "b": [3, 4]}))

    assert source.columns == ("a", "b")
    np.testing.assert_array_equal(source.array(), [[1.5, 3], [2.5, 4]])


def test_columns_of_several_kinds_are_a_table():
    found = find_table(FakeDataset({"a": [1.5, None, 3.0], "b": ["x", "y", "x"]}), owner="test")

    assert [column.kind for column in found.table.columns] == ["numeric", "binary"]
    np.testing.assert_array_equal(found.rows.array(), [[1.5, 0], [np.nan, 1], [3, 0]])


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ({"a": [[1, 2]], "b": [[1, 2]]}, UnsupportedData, r"Choose one: data\.select_columns"),
        ({"a": ["x", "y"]}, UnsupportedData, "column 'a' doesn't hold numbers"),
    ],
)
def test_what_is_no_row_of_numbers_is_refused(columns, error, message):
    with pytest.raises(error, match=message):
        open_source(FakeDataset(columns)).array()


def test_pictures_of_several_sizes_are_refused():
    class Ragged(FakeDataset):
        def select_columns(self, names):  # noqa: ARG002
            return self

        def iter(self, batch_size):
            cells = [np.zeros((2, 2)), np.zeros((3, 2))][: max(1, batch_size)]
            yield {"image": cells if batch_size > 1 else np.stack(cells[:1])}

        def with_format(self, kind):  # noqa: ARG002
            return self

    with pytest.raises(RaggedData, match=r"cells of the shapes \(2, 2\), \(3, 2\); row 0 has"):
        open_source(Ragged({"image": [0, 0]})).array()
