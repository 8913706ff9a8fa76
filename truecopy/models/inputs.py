"""What an estimator is given, checked as scikit-learn's users expect and opened as rows.

Names and number of the columns must be those seen in `fit`. scikit-learn's own verbs refuse
columns in another order, as its estimators all do; ours (`reconstruct`, `encode`) and the
command line put them in order by name.
"""

from collections.abc import Iterator
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import validate_data

from truecopy.data.source import Source
from truecopy.data.sources import open_source
from truecopy.errors import ShapeMismatch, UnsafeData


@final
class OrderedSource(Source):
    """The rows of a table with its columns in another order."""

    def __init__(self, source: Source, columns: tuple[str, ...]) -> None:
        given = {name: position for position, name in enumerate(source.columns or ())}
        self._order = [given[name] for name in columns]
        self._source = source
        self.name, self.columns, self.rows = source.name, columns, source.rows
        self.shape, self.dtype, self.labels = source.shape, source.dtype, source.labels

    def chunks(self, size: int) -> Iterator[NDArray[Any]]:
        """Put the columns of each piece in order."""
        for rows in self._source.batches(size):
            yield rows[:, self._order]


def open_training(estimator: Any, data: Any) -> Source:
    """Open the rows to fit `estimator` on; keep the number of features and their names.

    Raises:
        DataError: The data can't be read.
    """
    validate_data(estimator, data, reset=True, skip_check_array=True, ensure_2d=False)
    source = open_source(_as_numbers(data), owner=f"{type(estimator).__name__}.fit")
    estimator.n_features_in_ = int(np.prod(source.shape))
    if source.columns is not None:
        estimator.feature_names_in_ = np.array(source.columns, object)
    return source


def open_like_training(
    estimator: Any, data: Any, shape: tuple[int, ...], *, strict: bool
) -> Source:
    """Open rows for the fitted `estimator`, whose rows have `shape`.

    Args:
        estimator: Knows the names of its columns, if they had any.
        data: All that `fit` takes.
        shape: The shape of one row.
        strict: Refuse a frame's columns in another order, as scikit-learn does; else put
            them in order by name.

    Raises:
        ShapeMismatch: The rows have another shape, or other columns.
        ValueError: A frame's columns are in another order, where `strict`.
    """
    if strict:
        validate_data(estimator, data, reset=False, skip_check_array=True, ensure_2d=False)
    source = open_source(_as_numbers(data), owner=type(estimator).__name__)
    if source.columns is not None and hasattr(estimator, "feature_names_in_"):
        source = _order(source, tuple(estimator.feature_names_in_))
    if source.shape != shape:
        raise ShapeMismatch(_word_mismatch(estimator, source, shape))
    return source


def _order(source: Source, wanted: tuple[str, ...]) -> Source:
    """Return the rows with the columns in the order `wanted`."""
    given = source.columns or ()
    if given == wanted:
        return source
    missing = [name for name in wanted if name not in given]
    unknown = [name for name in given if name not in wanted]
    if missing or unknown:
        parts = [f"lack {', '.join(map(repr, missing))}"] if missing else []
        parts += [f"have unknown {', '.join(map(repr, unknown))}"] if unknown else []
        message = (
            f"The columns of {source.name!r} are not those of the training: they "
            f"{' and '.join(parts)}. Give it data like those it was trained on."
        )
        raise ShapeMismatch(message)
    return OrderedSource(source, wanted)


def _word_mismatch(estimator: Any, source: Source, shape: tuple[int, ...]) -> str:
    advice = "Give it data like those it was trained on."
    if len(source.shape) == len(shape) == 1:
        who = type(estimator).__name__
        return (
            f"X has {source.shape[0]} features, but {who} is expecting {shape[0]} features as "
            f"input. {advice}"
        )
    return (
        f"The rows of {source.name!r} have shape {source.shape}, but the model takes {shape}. "
        f"{advice}"
    )


def _as_numbers(data: Any) -> Any:
    """Turn an array of Python objects into numbers, as scikit-learn does; leave all else.

    Raises:
        UnsafeData: One of the objects is not a number.
    """
    if not isinstance(data, np.ndarray) or not data.dtype.hasobject:
        return data
    try:
        return data.astype(np.float64)
    except (TypeError, ValueError) as error:
        message = f"The array holds Python objects that are not all numbers: {error}."
        raise UnsafeData(message) from error
