"""What the data are like, measured in one pass over the rows.

The profile decides everything that follows, so each of its figures is counted, not guessed:
any split into batches gives the same profile. Rows with NaN or infinities are located and
left out of the statistics.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy import streaming
from truecopy.data.duplicates import RowHashes
from truecopy.data.sources import Source, open_source
from truecopy.errors import EmptyData, NonFiniteData
from truecopy.facts import DataFacts, NonFinite, Spectrum
from truecopy.reports.result import Result
from truecopy.reports.terminal import render_data

# More different values than this are called "many": 16-bit grey levels are still counted.
_MOST_LEVELS: Final = 65_536
# Up to this many features the covariance (features x features) is streamed exactly, 32 MB
# at most; beyond, the spectrum comes from a sample of rows.
_MOST_COVARIANCE_FEATURES: Final = 2_048
_SPECTRUM_SAMPLE: Final = 2_048
_FIRST: Final = 5


@dataclass(slots=True, eq=False)
class _Counts:
    """What the pass over the rows has counted so far."""

    shape: tuple[int, ...]
    rows: int = 0
    zeros: int = 0
    inside_unit: int = 0
    integers: bool = True
    binary: bool = True
    levels: NDArray[Any] | None = None
    nan: int = 0
    infinite: int = 0
    places: list[tuple[int, int]] = field(default_factory=list)
    extremes: streaming.Extremes = field(default_factory=streaming.Extremes)
    row_sums: tuple[float, float] = (np.inf, -np.inf)
    # The smallest and the largest sum of the first k features over all rows, for each k:
    # where both agree, a group of one-hot columns may end.
    running: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    # Whether the last axis of every row sums to 1 everywhere, as one-hot steps do.
    steps_sum_to_one: bool = True
    hashes: RowHashes = field(default_factory=RowHashes)

    @property
    def features(self) -> int:
        """The number of values in a row."""
        return int(np.prod(self.shape))


class Profile(Result):
    """What the data are like: `facts`, and the per-feature moments that scaling needs."""

    def __init__(self, facts: DataFacts, moments: streaming.Moments) -> None:
        self._facts = facts
        self.moments = moments

    @property
    def facts(self) -> DataFacts:
        """The measured figures."""
        return self._facts

    def _render(self) -> Any:
        return render_data(self._facts)

    def require_finite(self) -> None:
        """Refuse data with NaN or infinite values, saying how many and where.

        Raises:
            NonFiniteData: There are such values.
        """
        found = self._facts.non_finite
        if not found.nan and not found.infinite:
            return
        places = ", ".join(f"row {row} feature {feature}" for row, feature in found.places)
        message = (
            f"The data {self._facts.name!r} have {found.nan} NaN and {found.infinite} infinite "
            f"values (first: {places}). Remove these rows or fill the values in."
        )
        raise NonFiniteData(message)


def profile(data: Any) -> Profile:
    """Measure what the data are like, in one pass.

    Args:
        data: An array of shape (rows, ...), a path, a data set's name, or an iterable of
            batches: all that `truecopy fit` takes.

    Returns:
        The profile; print it, or read `profile.facts`.

    Raises:
        DataError: The data can't be read, or hold nothing.

    Example:
        >>> import numpy as np
        >>> facts = profile(np.array([[0, 255], [128, 255]], np.uint8)).facts
        >>> facts.rows, facts.maximum, facts.constant_features
        (2, 255.0, 1)
    """
    source = open_source(data, owner="profile")
    features = int(np.prod(source.shape))
    counts = _Counts(source.shape)
    moments = streaming.empty_moments(features)
    exact = features <= _MOST_COVARIANCE_FEATURES
    comoments = streaming.empty_comoments(features) if exact else None
    sample: list[NDArray[np.float64]] = []
    for batch in source.batches():
        counts.hashes.add(batch)
        rows = _count(counts, batch.reshape(len(batch), -1))
        moments = streaming.merge_moments(moments, streaming.moments_of(rows))
        if comoments is not None:
            comoments = streaming.merge_comoments(comoments, streaming.comoments_of(rows))
        elif sum(map(len, sample)) < _SPECTRUM_SAMPLE:
            sample.append(np.asarray(rows[: _SPECTRUM_SAMPLE - sum(map(len, sample))], np.float64))
    if counts.rows == 0:
        message = f"The data {source.name!r} have no rows. Nothing can be learned from them."
        raise EmptyData(message)
    first_rows = np.concatenate(sample) if sample else None
    spectrum = _spectrum(moments, comoments, first_rows)
    facts = _facts(source, counts, moments, spectrum)
    return Profile(facts, moments)


def _count(counts: _Counts, rows: NDArray[Any]) -> NDArray[Any]:
    """Add flat rows to the counts; return those that are finite."""
    first_row = counts.rows
    counts.rows += len(rows)
    if rows.dtype.kind == "b":
        rows = rows.astype(np.uint8)
    if rows.dtype.kind == "f":
        rows = _drop_non_finite(counts, rows, first_row)
    if not len(rows):
        return rows
    counts.extremes = streaming.merge_extremes(counts.extremes, streaming.extremes_of(rows))
    counts.zeros += rows.size - int(np.count_nonzero(rows))
    if rows.dtype.kind == "f":
        counts.inside_unit += int(((rows > 0) & (rows < 1)).sum())
        counts.integers = counts.integers and bool((rows == np.rint(rows)).all())
    counts.binary = counts.binary and counts.integers and bool(((rows == 0) | (rows == 1)).all())
    _count_levels(counts, rows)
    sums = rows.sum(axis=1, dtype=np.float64)
    counts.row_sums = (min(counts.row_sums[0], sums.min()), max(counts.row_sums[1], sums.max()))
    if counts.binary:
        steps = rows.reshape(len(rows), *counts.shape).sum(axis=-1, dtype=np.float64)
        counts.steps_sum_to_one = counts.steps_sum_to_one and bool((steps == 1).all())
        running = np.cumsum(rows, axis=1, dtype=np.float64)
        low, high = running.min(axis=0), running.max(axis=0)
        seen = counts.running
        counts.running = (
            (low, high) if seen is None else (np.minimum(seen[0], low), np.maximum(seen[1], high))
        )
    return rows


def _drop_non_finite(counts: _Counts, rows: NDArray[Any], first_row: int) -> NDArray[Any]:
    finite = np.isfinite(rows)
    if finite.all():
        return rows
    nan = int(np.isnan(rows).sum())
    counts.nan += nan
    counts.infinite += int((~finite).sum()) - nan
    missing = _FIRST - len(counts.places)
    counts.places += [(first_row + int(r), int(f)) for r, f in np.argwhere(~finite)[:missing]]
    kept: NDArray[Any] = rows[finite.all(axis=1)]
    return kept


def _count_levels(counts: _Counts, rows: NDArray[Any]) -> None:
    """Keep the different values seen so far, until there are too many to matter."""
    if counts.levels is not None and len(counts.levels) > _MOST_LEVELS:
        return
    if rows.dtype == np.uint8:
        found = np.flatnonzero(np.bincount(rows.ravel(), minlength=256)).astype(rows.dtype)
    else:
        found = np.unique(rows)
    counts.levels = found if counts.levels is None else np.union1d(counts.levels, found)


def _spectrum(
    moments: streaming.Moments,
    comoments: streaming.Comoments | None,
    sample: NDArray[np.float64] | None,
) -> Spectrum | None:
    """Return the share of variance kept by the first components; None without variance."""
    if comoments is not None:
        if not np.isfinite(comoments.products).all():
            return None  # squares beyond float64
        values = np.linalg.eigvalsh(comoments.products)[::-1]
        rows, exact = comoments.count, True
    elif sample is not None:
        centred = sample - sample.mean(axis=0)
        # The smaller Gram matrix (rows x rows) has the same non-zero eigenvalues.
        values = np.linalg.eigvalsh(centred @ centred.T)[::-1]
        rows, exact = len(sample), len(sample) == moments.count
    else:
        return None
    total = values.sum()
    if not total > 0 or not np.isfinite(total):
        return None
    kept = np.cumsum(np.clip(values, 0, None)) / total
    widths = sorted({w for w in (1, 2, 3, *(2**k for k in range(2, 12))) if w <= len(values)})
    return Spectrum(
        widths=tuple(widths),
        kept=tuple(float(min(kept[w - 1], 1.0)) for w in widths),
        rows=rows,
        exact=exact,
    )


def _facts(
    source: Source, counts: _Counts, moments: streaming.Moments, spectrum: Spectrum | None
) -> DataFacts:
    values = max(moments.count * counts.features, 1)
    # The variance of all values is the mean variance within features plus that between them.
    variance = streaming.variance(moments)
    spread = float(np.sqrt(variance.mean() + moments.mean.var()))
    constant = np.flatnonzero(variance == 0)
    changing = streaming.kurtosis(moments)[variance > 0]
    levels = 0 if counts.levels is None else len(counts.levels)
    return DataFacts(
        name=source.name,
        shape=source.shape,
        dtype=str(source.dtype),
        rows=counts.rows,
        minimum=counts.extremes.minimum,
        maximum=counts.extremes.maximum,
        mean=float(moments.mean.mean()),
        spread=spread,
        share_zero=counts.zeros / values,
        share_maximum=counts.extremes.at_maximum / values,
        share_inside_unit=counts.inside_unit / values,
        integers=counts.integers,
        binary=counts.binary,
        levels=levels if levels <= _MOST_LEVELS else None,
        non_finite=NonFinite(nan=counts.nan, infinite=counts.infinite, places=tuple(counts.places)),
        constant_features=len(constant),
        first_constant=tuple(int(i) for i in constant[:_FIRST]),
        row_sums=(float(counts.row_sums[0]), float(counts.row_sums[1])),
        tails=float(np.median(changing)) if len(changing) else 0.0,
        groups=_one_hot_groups(counts),
        spectrum=spectrum,
        duplicates=counts.hashes.count_duplicates(),
    )


def _one_hot_groups(counts: _Counts) -> tuple[int, ...]:
    """Return the widths of consecutive column groups that hold exactly one 1 in every row.

    The running sum over the columns is the same in every row exactly where such groups end.
    """
    if not counts.binary or counts.running is None:
        return ()
    width = counts.shape[-1]
    if len(counts.shape) > 1 and width > 1 and counts.steps_sum_to_one:
        return (width,) * (counts.features // width)
    low, high = counts.running
    if np.array_equal(low, high):
        return ()  # rows that never vary say nothing of groups
    if low[-1] != high[-1] or low[-1] == 0:
        return ()
    ends = [int(np.flatnonzero((low == high) & (low == k))[-1]) for k in _agreed(low, high)]
    sums = low[ends]
    if not np.array_equal(sums, np.arange(1, len(ends) + 1)):
        return ()
    widths = np.diff([-1, *ends])
    return tuple(int(w) for w in widths) if widths.max() > 1 else ()


def _agreed(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    agreed = np.unique(low[low == high])
    return agreed[agreed > 0]
