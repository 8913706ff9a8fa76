"""Data sets of the library `datasets` by Hugging Face, in memory, on disk or streamed.

They are known by what they can do, so that the library needn't be installed. One column of
arrays or pictures gives rows of that shape, and a column of whole numbers beside it the labels;
columns of single values are a table.
"""

from collections.abc import Iterator
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from truecopy.data.source import ONE_SHAPE, Source, check_rows
from truecopy.data.spooling import count_piece
from truecopy.errors import EmptyData, RaggedData, UnsupportedData

_VERBS: Final = ("column_names", "features", "with_format", "iter")
_CELL: Final = 8
_LABELS: Final = ("label", "labels", "fine_label", "coarse_label", "target")


def is_dataset(data: Any) -> bool:
    """Return whether `data` has the verbs of a Hugging Face data set."""
    return not isinstance(data, type) and all(hasattr(data, verb) for verb in _VERBS)


def find_arrays(data: Any) -> list[str]:
    """Return the names of the columns whose cells are arrays, by the first row."""
    return [name for name, values in _read_first(data).items() if values.ndim > 1]


def read_tables(data: Any) -> Iterator[Any]:
    """Read a data set of single values as Arrow tables."""
    size = count_piece(_CELL * max(1, len(_read_first(data))))
    return iter(data.with_format("arrow").iter(batch_size=size))


@final
class DatasetSource(Source):
    """The rows of a data set: its one column of arrays, or all its columns of numbers."""

    name = "dataset"

    def __init__(self, data: Any) -> None:
        first, arrays = _read_first(data), find_arrays(data)
        if len(arrays) > 1:
            raise UnsupportedData(
                f"The data set has several columns of arrays: {', '.join(map(repr, arrays))}. "
                f"Choose one: data.select_columns([{arrays[0]!r}])."
            )
        self._data, self._array = data, arrays[0] if arrays else None
        if self._array is None:
            self.columns = tuple(first)
            self.shape, self.dtype = (len(first),), np.dtype(np.float64)
        else:
            cell = first[self._array]
            self.shape, self.dtype = cell.shape[1:], _find_dtype(data, self._array, cell.dtype)
            self.labels = self._read_labels(first)
        self.rows = len(data) if hasattr(data, "__len__") else None
        check_rows(self.dtype, (1, *self.shape), "The data set")

    def chunks(self, size: int) -> Iterator[NDArray[Any]]:
        """Read the rows in pieces of `size`."""
        data = self._data if self._array is None else self._data.select_columns([self._array])
        for piece in data.with_format("numpy").iter(batch_size=size):
            if self._array is None:
                yield np.column_stack(
                    [_to_floats(name, piece[name]) for name in self.columns or ()]
                )
                continue
            try:
                rows = np.asarray(piece[self._array])
            except ValueError:
                rows = np.zeros(0)
            if rows.shape[1:] != self.shape:
                shapes = sorted({np.shape(cell) for cell in piece[self._array]})
                raise RaggedData(
                    f"The data set's column {self._array!r} has cells of the shapes "
                    f"{', '.join(map(str, shapes[:5]))}; row 0 has {self.shape}. {ONE_SHAPE}"
                )
            yield rows.astype(self.dtype, copy=False)

    def _read_labels(self, first: dict[str, NDArray[Any]]) -> NDArray[Any] | None:
        """Read the one column of whole numbers, or that which is called so."""
        whole = [name for name, values in first.items() if values.ndim == 1 and _whole(values)]
        called = [name for name in _LABELS if name in whole] or whole
        if not called or (len(whole) > 1 and called is whole) or not hasattr(self._data, "__len__"):
            return None
        pieces = self._data.select_columns([called[0]]).with_format("numpy").iter(batch_size=65_536)
        return np.concatenate([piece[called[0]] for piece in pieces])


def _read_first(data: Any) -> dict[str, NDArray[Any]]:
    first = next(iter(data.with_format("numpy").iter(batch_size=1)), None)
    if first is None:
        raise EmptyData("The data set has no rows.")
    return {name: np.asarray(values) for name, values in first.items()}


def _find_dtype(data: Any, name: str, read: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype that a column was declared with: it is read as 64 bits (datasets 5.2)."""
    feature = (data.features or {}).get(name)
    declared = getattr(getattr(feature, "feature", feature), "dtype", None)
    try:
        dtype = np.dtype(declared)
    except TypeError:  # pictures have none
        return read
    return dtype if declared is not None and dtype.kind in "biuf" else read


def _whole(values: NDArray[Any]) -> bool:
    return values.dtype.kind in "iu"


def _to_floats(name: str, values: Any) -> NDArray[np.float64]:
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise UnsupportedData(
            f"The data set's column {name!r} doesn't hold numbers. Encode or drop it."
        ) from error
