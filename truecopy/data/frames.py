"""Tables of mixed columns: from a frame of any library to features, and back into the frame.

The frame's own names, dtypes, order, index and the columns that were left out come back as
they went in; only the values of the columns in the plan are replaced.
"""

import warnings
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final, Self

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from truecopy.data.column_plan import plan_column
from truecopy.data.column_summary import ColumnSummary, summarise_column
from truecopy.data.columns import Floats, decode_column, encode_column, find_unseen
from truecopy.data.scaling import Scaling
from truecopy.errors import EmptyData, MissingPackage, ShapeMismatch, UnsupportedData, suggest
from truecopy.facts import Choice, ColumnFacts, PlanFacts

UNSEEN: Final = ("missing", "error")
READERS: Final = ("pyarrow", "polars", "pandas")


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The plans of the columns of a table, and which columns are left out.

    Attributes:
        columns: One plan per column, in the order of the features.
        ignored: The names of columns that are left out, and needn't be there.
        unseen: What becomes of a category that wasn't in the training: 'missing', with a
            warning, or 'error'.
    """

    columns: tuple[ColumnFacts, ...]
    ignored: tuple[str, ...]
    unseen: str

    @classmethod
    def plan(
        cls, frame: Any, *, categorical: Collection[str], ignore: Collection[str], unseen: str
    ) -> tuple[Self, Floats]:
        """Plan every column of a narwhals frame that is not ignored.

        Returns:
            The table and its features, (rows, features), NaN where a cell is missing.

        Raises:
            DataError: As `of`.
        """
        check_told([*categorical, *ignore], list(name_columns(frame)))
        found = summarise_frame(frame, categorical=categorical, ignore=ignore)
        table = cls.of(found, categorical=categorical, ignore=ignore, unseen=unseen)
        return table, table.encode(frame)

    @classmethod
    def of(
        cls,
        summaries: Mapping[str, ColumnSummary],
        *,
        categorical: Collection[str],
        ignore: Collection[str],
        unseen: str,
    ) -> Self:
        """Plan every column by the summary of its rows; those that are ignored have none.

        Raises:
            UnsupportedData: A column can't be used.
            EmptyData: There are no rows, or no columns are left.
        """
        rows = [summary.rows for summary in summaries.values()]
        if not rows or not rows[0]:
            lacks = "rows" if rows else "columns: all of them are ignored"
            raise EmptyData(f"The table has no {lacks}.")
        planned = [
            plan_column(summary, categorical=name in categorical)
            for name, summary in summaries.items()
        ]
        return cls(tuple(planned), tuple(ignore), unseen)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns in the plan."""
        return tuple(column.name for column in self.columns)

    @property
    def scaling(self) -> Scaling:
        """The scaling of the features: standardised where a column is, else as they are."""
        widths = [column.width for column in self.columns]
        offsets, divisors = ([getattr(c, of) for c in self.columns] for of in ("offset", "divisor"))
        return Scaling("standardise", np.repeat(offsets, widths), np.repeat(divisors, widths))

    @property
    def starts(self) -> NDArray[np.intp]:
        """The number of each column's first feature."""
        return np.cumsum([0, *(column.width for column in self.columns[:-1])])

    def fill(self, features: Floats) -> Floats:
        """Return features in unscaled units with each missing one at its column's mean."""
        centre = np.concatenate([column.centre for column in self.columns])
        scaling = self.scaling
        filled: Floats = np.where(
            np.isnan(features), centre * scaling.divisor + scaling.offset, features
        )
        return filled

    @property
    def facts(self) -> PlanFacts:
        """The plan of the whole."""
        kinds = [column.kind for column in self.columns]
        counted = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
        return PlanFacts(
            kind="table",
            because=f"{len(kinds)} columns ({counted}), each with a plan of its own",
            scaling=Choice(
                value="by column",
                reason="numbers, dates and ranks to mean 0 and spread 1; categories one-hot",
            ),
            output=Choice(
                value="by column",
                reason="linear for numbers, sigmoid for two values, softmax for categories",
            ),
            loss=Choice(
                value="by column",
                reason="each column's loss in parts of that of its best constant, so that all "
                "columns count the same; missing cells don't count",
            ),
            target_range=None,
            columns=self.columns,
        )

    def encode(self, frame: Any, *, first: int = 0) -> Floats:
        """Return the features (rows, features) of a narwhals frame, NaN where missing.

        Args:
            frame: Some rows of a table.
            first: The number of its first row, for messages.

        Raises:
            ShapeMismatch: Columns are missing, or there are unknown ones.
            UnsupportedData: A column holds other things than in the training, or categories
                that were not in it, where unseen='error'.
        """
        given = name_columns(frame)
        self.require_columns(list(given))
        for column in self.columns:
            self._say_unseen(given[column.name], column)
        parts = [encode_column(given[column.name], column, first=first) for column in self.columns]
        return np.concatenate(parts, axis=1)

    def decode(self, features: Floats) -> dict[str, NDArray[Any]]:
        """Return the values of each column for features (rows, features) in unscaled units."""
        parts = np.split(features, self.starts[1:], axis=1)
        return {
            column.name: decode_column(part, column)
            for column, part in zip(self.columns, parts, strict=True)
        }

    def require_columns(self, given: Collection[str]) -> None:
        """Refuse a table with other columns, in whatever order.

        Raises:
            ShapeMismatch: Columns are missing, or there are unknown ones.
        """
        missing = [name for name in self.names if name not in given]
        unknown = [name for name in given if name not in (*self.names, *self.ignored)]
        if missing or unknown:
            parts = [f"lack {', '.join(map(repr, missing))}"] if missing else []
            parts += [f"have unknown {', '.join(map(repr, unknown))}"] if unknown else []
            raise ShapeMismatch(
                "The columns of the table are not those of the training: they "
                f"{' and '.join(parts)}. Give it data like those it was trained on."
            )

    def _say_unseen(self, series: Any, column: ColumnFacts) -> None:
        unseen = find_unseen(series, column)
        if not unseen:
            return
        listed = ", ".join(map(repr, unseen[:5])) + (", ..." if len(unseen) > 5 else "")  # noqa: PLR2004
        message = (
            f"The column {column.name!r} has categories that were not in the training: {listed}."
        )
        if self.unseen == "error":
            raise UnsupportedData(f"{message} Remove these rows, or set unseen='missing'.")
        warnings.warn(f"{message} They count as missing.", UserWarning, stacklevel=2)


def check_told(told: Collection[str], names: Collection[str]) -> None:
    """Refuse to leave out, or treat as categories, what is no column.

    Raises:
        UnsupportedData: It isn't; the message has the nearest name.
    """
    for name in told:
        if name not in names:
            hint = suggest(name, list(names))
            raise UnsupportedData(
                f"The table has no column {name!r} to leave out or treat as categories.{hint}"
            )


def summarise_frame(
    frame: Any, *, categorical: Collection[str], ignore: Collection[str], first: int = 0
) -> dict[str, ColumnSummary]:
    """Return what each column of a narwhals frame holds that is not ignored."""
    return {
        name: summarise_column(series, categorical=name in categorical, first=first)
        for name, series in name_columns(frame).items()
        if name not in ignore
    }


def name_columns(frame: Any) -> dict[str, Any]:
    """Return the columns of a narwhals frame by name; pandas' may be numbers, these are words."""
    return {str(series.name): series for series in frame.iter_columns()}


def as_frame(data: Any) -> Any:
    """Return `data` as a narwhals frame where it is one of any library; else None."""
    try:
        frame = nw.from_native(data, pass_through=True)
    except nw.exceptions.NarwhalsError as error:  # say two columns of one name
        raise UnsupportedData(f"The table can't be used: {error}") from error
    return frame if isinstance(frame, nw.DataFrame) else None


def replace_columns(frame: Any, values: dict[str, NDArray[Any]], *, only_missing: bool) -> Any:
    """Return a narwhals frame's native form with these columns' values, in their own dtypes."""
    given, columns = name_columns(frame), []
    for name, found in values.items():
        old = given[name]
        new = _to_series(old, found)
        columns.append(old.zip_with(~_find_missing(old), new) if only_missing else new)
    return frame.with_columns(*columns).to_native()


def make_frame(values: dict[str, NDArray[Any]]) -> Any:
    """Return a table of these columns, in the first library of tables that is installed.

    Raises:
        MissingPackage: None is.
    """
    for library in READERS[::-1]:
        if find_spec(library) is not None:
            plain = {name: column.tolist() for name, column in values.items()}
            return nw.from_dict(plain, backend=library).to_native()
    raise MissingPackage("Decoding a table needs pandas, polars or pyarrow. Install one.")


def join_frames(frames: Iterable[Any]) -> Any:
    """Return one table of the rows of all, in the library of the first."""
    chunks = [nw.from_native(frame, eager_only=True) for frame in frames]
    return (chunks[0] if len(chunks) == 1 else nw.concat(chunks)).to_native()


def _find_missing(series: Any) -> Any:
    missing = series.is_null()
    return missing | series.is_nan() if series.dtype.is_float() else missing


def _to_series(like: Any, values: NDArray[Any]) -> Any:
    """Return values as a series of the library, name and dtype of `like`."""
    dtype, library = like.dtype, like.implementation
    if dtype.is_integer():
        low, high = (np.iinfo(str(dtype).lower()).min, np.iinfo(str(dtype).lower()).max)
        rounded = np.clip(np.rint(values.astype(np.float64)), float(low), float(high))
        values = np.array([min(max(int(v), low), high) for v in rounded], str(dtype).lower())
    elif isinstance(dtype, nw.Boolean):
        values = values.astype(bool)
    elif dtype.is_float():
        values = values.astype(str(dtype).lower())
    listed = values.tolist() if values.dtype == object else values
    series = nw.new_series(str(like.name), listed, backend=library)
    if isinstance(dtype, nw.Datetime) and dtype.time_zone is not None:
        series = series.dt.replace_time_zone("UTC").dt.convert_time_zone(dtype.time_zone)
    return _cast_like(series, like)


def _cast_like(series: Any, like: Any) -> Any:
    """Cast to the very dtype of `like`, with its categories."""
    native = like.to_native()
    if like.implementation.is_pandas_like():
        found = series.to_native().astype(native.dtype)
        found.index, found.name = native.index, native.name
        return nw.from_native(found, series_only=True)
    if like.implementation.is_pyarrow():
        return nw.from_native(series.to_native().cast(native.type), series_only=True).alias(
            str(like.name)
        )
    return series.cast(like.dtype)
