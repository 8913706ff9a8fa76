"""Rows in tables of numbers: .csv files, and data frames in memory.

A cell that is empty or null becomes NaN; what is not a number is refused, and its column
named. The columns' names are kept.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from truecopy.data.files import reading
from truecopy.data.source import ArraySource, Source
from truecopy.errors import BrokenData, EmptyData, RaggedData, UnsupportedData


@final
class CsvSource(Source):
    """The rows of a .csv file of numbers, read line by line.

    The first line is a header when none of its cells is a number. Empty cells are NaN,
    blank lines are skipped, anything else that is not a number is refused.
    """

    dtype = np.dtype(np.float64)

    def __init__(self, file: str) -> None:
        self.name = file
        lines = self._read_lines()
        _, first = next(lines, (0, []))
        self._header = any(first) and not any(_is_number(cell) for cell in first)
        if not first or (self._header and next(lines, None) is None):
            raise EmptyData(f"{file!r} has no rows.")
        self.shape = (len(first),)
        if self._header:
            self.columns = tuple(first)

    def chunks(self, size: int) -> Iterator[NDArray[Any]]:
        """Read the rows in pieces of `size`."""
        lines = self._read_lines()
        if self._header:
            next(lines)
        block: list[NDArray[Any]] = []
        for row, (line, cells) in enumerate(lines):
            block.append(self._convert(cells, row, line))
            if len(block) == size:
                yield np.stack(block)
                block = []
        if block:
            yield np.stack(block)

    def _read_lines(self) -> Iterator[tuple[int, list[str]]]:
        """Read the number and the cells of each line that is not blank."""
        with (
            reading(self.name),
            Path(self.name).open(encoding="utf-8-sig", newline="") as stream,
        ):
            lines = csv.reader(stream, skipinitialspace=True, strict=True)
            try:
                yield from ((lines.line_num, cells) for cells in lines if cells)
            except csv.Error as error:
                raise BrokenData(f"{self.name!r}, line {lines.line_num}: {error}.") from error

    def _convert(self, cells: list[str], row: int, line: int) -> NDArray[Any]:
        """Turn the cells of one line into numbers."""
        where = f"{self.name!r}, row {row} (line {line})"
        if len(cells) != self.shape[0]:
            raise RaggedData(f"{where} has {len(cells)} fields, but line 1 has {self.shape[0]}.")
        try:
            return np.array([float(cell or "nan") for cell in cells])
        except ValueError as error:
            column = next(n for n, cell in enumerate(cells) if cell and not _is_number(cell))
            name = f" {self.columns[column]!r}" if self.columns else ""
            raise UnsupportedData(
                f"{where}, column {column}{name}: {cells[column][:40]!r} is not a number. Separate "
                "numbers by commas, leave missing cells empty, and encode or drop text columns."
            ) from error


def _is_number(cell: str) -> bool:
    """Tell whether Python reads the cell as a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def open_frame(data: Any) -> Source | None:
    """Take the rows of a data frame of any library that narwhals knows; None for all else."""
    import narwhals as nw

    try:
        frame = nw.from_native(data, pass_through=True)
    except nw.exceptions.NarwhalsError as error:  # say two columns of one name
        raise UnsupportedData(f"The table can't be used: {error}") from error
    if isinstance(frame, nw.LazyFrame):
        raise UnsupportedData("The table is lazy. Give its rows: table.collect().")
    if not isinstance(frame, nw.DataFrame):
        return None
    kinds = {str(name): dtype for name, dtype in frame.schema.items()}
    numeric = {name for name, kind in kinds.items() if kind.is_integer() or kind.is_float()}
    refuse_text(
        "The table",
        {n: kind for n, kind in kinds.items() if n not in numeric and kind != nw.Boolean},
    )
    columns = []
    for series in frame.iter_columns():
        # Integers and booleans have no NaN for what is missing.
        holes = series.null_count() and not series.dtype.is_float()
        columns.append((series.cast(nw.Float64) if holes else series).to_numpy())
    rows = np.column_stack(columns) if columns else np.empty((len(frame), 0))
    return ArraySource(rows, columns=tuple(kinds))


def refuse_text(what: str, columns: dict[str, Any]) -> None:
    """Name the columns that do not hold numbers."""
    if columns:
        listed = ", ".join(f"{name!r} ({kind})" for name, kind in columns.items())
        raise UnsupportedData(
            f"{what} has columns that are not numbers: {listed}. Encode or drop them."
        )
