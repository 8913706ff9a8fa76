"""Rows in Parquet: a file, or a folder of files with the same columns, read piece by piece.

The files of a folder are taken in the order of their paths, with all subfolders. Names that
start with a dot or an underscore, as Spark's _SUCCESS does, are passed over.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from truecopy.data.files import reading
from truecopy.data.source import Source, check_rows
from truecopy.data.tables import refuse_text
from truecopy.errors import BrokenData, MissingPackage, RaggedData, UnsupportedData

# Bytes of a column that are read from the file at a time.
_READ_AHEAD = 1 << 20


@final
class ParquetSource(Source):
    """The rows of a .parquet file, or of a folder of them, all numbers; nulls are NaN.

    Attributes:
        holes: Whether there are nulls, by the files' own counts; True where they don't say.
        words: The columns that do not hold numbers, with their types. They are refused when
            rows are read: whoever plans column by column can use them.
    """

    dtype = np.dtype(np.float64)

    def __init__(self, path: str) -> None:
        self.name = path
        # os.path.isdir, unlike Path.is_dir, takes any name without complaint.
        self._files = find_parquet(path) if os.path.isdir(path) else [path]  # noqa: PTH112
        self.rows, self.holes, schema = 0, False, None
        for file in self._files:
            with self._open(file) as table:
                found = table.schema_arrow
                if schema is None:
                    schema = found
                elif not found.equals(schema):
                    self._refuse_schema(file, found, schema)
                self.rows += table.metadata.num_rows
                self.holes = self.holes or _has_nulls(table.metadata)
        fields: Any = schema
        self.columns, self.shape = tuple(fields.names), (len(fields.names),)
        from pyarrow import types

        numeric = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal)
        self.words = {f.name: f.type for f in fields if not any(test(f.type) for test in numeric)}
        check_rows(self.dtype, (self.rows, *self.shape), repr(path))

    def chunks(self, size: int) -> Iterator[NDArray[Any]]:
        """Read the rows in pieces of at most `size`."""
        from pyarrow import ArrowInvalid, float64

        refuse_text(repr(self.name), self.words)
        for batch in self.record_batches(size):
            rows = np.empty((batch.num_rows, *self.shape))
            for number, column in enumerate(batch.columns):
                try:
                    rows[:, number] = column.cast(float64()).to_numpy(zero_copy_only=False)
                except ArrowInvalid as error:
                    name = batch.schema.names[number]
                    raise UnsupportedData(
                        f"{self.name!r}, column {name!r}: float64 can't hold it: {error}."
                    ) from error
            yield rows

    def record_batches(self, size: int) -> Iterator[Any]:
        """Read Arrow's record batches of at most `size` rows."""
        for file in self._files:
            with self._open(file) as table:
                yield from table.iter_batches(batch_size=size)

    def _refuse_schema(self, file: str, found: Any, first: Any) -> None:
        """Name the first column in which a file differs from the first one."""
        lacking = [name for name in first.names if name not in found.names]
        unknown = [name for name in found.names if name not in first.names]
        if lacking or unknown:
            said = f"lacks {lacking[0]!r}" if lacking else f"has also {unknown[0]!r}"
        elif found.names != first.names:
            said = "has the same columns in another order"
        else:
            name = next(n for n in first.names if found.field(n).type != first.field(n).type)
            said = f"has {name!r} as {found.field(name).type}, not {first.field(name).type}"
        if lacking or unknown or found.names != first.names or found.types != first.types:
            raise RaggedData(
                f"{file!r} {said}, unlike {self._files[0]!r}. All files of a folder must have the "
                "same columns."
            )

    @contextmanager
    def _open(self, file: str) -> Iterator[Any]:
        """Open a file, and turn what pyarrow raises into our own errors."""
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise MissingPackage(
                f"Reading {self.name!r} needs pyarrow: pip install 'truecopy[parquet]'"
            ) from error
        try:
            with (
                reading(file),
                parquet.ParquetFile(file, buffer_size=_READ_AHEAD, pre_buffer=False) as table,
            ):
                yield table
        except pa.ArrowException as error:
            raise BrokenData(f"{file!r} is not a whole .parquet file: {error}") from error


def find_parquet(folder: str) -> list[str]:
    """Return the .parquet files in a folder and its subfolders, in order; none is no error.

    Raises:
        UnsupportedData: A subfolder's name holds a column, as year=2020 does.
    """
    found: list[str] = []
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        files = [
            n for n in names if n.lower().endswith(".parquet") and not n.startswith(("_", "."))
        ]
        below = Path(here).relative_to(folder).parts
        if files and any("=" in part for part in below):
            raise UnsupportedData(
                f"{here!r} holds a column in its folder's name, which is not read. Write the "
                "files with all their columns inside."
            )
        found += [str(Path(here) / name) for name in files]
    return sorted(found)


def _has_nulls(metadata: Any) -> bool:
    """Return whether a file has nulls; True where it doesn't say."""
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            statistics = metadata.row_group(group).column(column).statistics
            if statistics is None or not statistics.has_null_count or statistics.null_count:
                return True
    return False
