"""Windows of a time series: overlapping pieces of it as rows, and their scores back in time."""

from collections.abc import Iterator
from typing import Any, Final, final

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from truecopy.data.columns import is_date
from truecopy.data.frames import as_frame, name_columns
from truecopy.data.source import Source, check_rows, to_array
from truecopy.data.tables import open_frame
from truecopy.errors import InvalidArgument, UnsupportedData

_CHANNELS: Final = 2


@final
class Windows(Source):
    """Windows as rows of shape (length, channels): views of the series, which is never copied.

    All that takes data takes them: `fit`, `score_samples`, `evaluate`, `profile`.

    Attributes:
        length: How many steps a window has.
        step: How many steps lie between the starts of two windows.
        steps: How many steps the series has.
        times: The time stamp of each step, shape (steps,); its number where there are none.
        channels: The names of the channels; None where they have none.
    """

    name = "windows"
    sequence = True

    def __init__(
        self,
        series: NDArray[Any],
        length: int,
        step: int,
        *,
        times: NDArray[Any],
        channels: tuple[str, ...] | None,
    ) -> None:
        self.length, self.step, self.steps = length, step, len(series)
        self.times, self.channels = times, channels
        sliding = np.lib.stride_tricks.sliding_window_view(series, length, axis=0)
        self._held = np.moveaxis(sliding[::step], -1, 1)
        self.rows, self.shape, self.dtype = len(self._held), self._held.shape[1:], series.dtype

    @property
    def starts(self) -> NDArray[np.intp]:
        """The number of each window's first step, shape (rows,)."""
        return np.arange(self.rows or 0) * self.step

    def chunks(self, size: int) -> Iterator[NDArray[Any]]:
        """Give the windows in pieces of `size`."""
        held = self.array()
        for first in range(0, len(held), size):
            yield held[first : first + size]

    def scores_per_step(self, scores: Any) -> NDArray[np.float64]:
        """Return for each step of the series the mean score of the windows it is in.

        Args:
            scores: One number per window, as `score_samples` gives them, shape (rows,).

        Returns:
            Shape (steps,), beside `times`; NaN for steps that are in no window, as the last few
            may be.

        Raises:
            InvalidArgument: There are more or fewer scores than windows.
        """
        given = np.asarray(scores, np.float64)
        if given.shape != (self.rows,):
            must_be = f"one number per window, shape ({self.rows},)"
            raise InvalidArgument("scores", "scores_per_step", must_be, got=given.shape)
        total, count = np.zeros(self.steps), np.zeros(self.steps)
        # Step k of all windows at once: their starts differ, so none is written twice.
        for offset in range(self.length):
            total[self.starts + offset] += given
            count[self.starts + offset] += 1
        means: NDArray[np.float64] = np.full(self.steps, np.nan)
        return np.divide(total, count, out=means, where=count > 0)


def windows(data: Any, length: int, step: int = 1, *, time: str | None = None) -> Windows:
    """Cut a time series into windows, which an `Autoencoder` takes as rows.

    Args:
        data: The series: an array or memory map of shape (steps,) or (steps, channels), or a
            frame of pandas, polars or Arrow with a column of numbers per channel. Steps are in
            order and, as gaps are not filled, evenly spaced.
        length: The steps of a window.
        step: The steps from the start of one window to that of the next.
        time: The column of time stamps; None: the only column of dates, else pandas' index.

    Returns:
        The windows; `windows.scores_per_step` brings scores back to `windows.times`.

    Raises:
        InvalidArgument: `length` or `step` is no whole number from 1 up, or `length` is longer
            than the series; there is no such column.
        DataError: The series is not one of numbers, or its time stamps are not in order.

    Example:
        >>> import numpy as np
        >>> rows = windows(np.arange(10.0), 4, 3)
        >>> rows.array()[..., 0].tolist()
        [[0.0, 1.0, 2.0, 3.0], [3.0, 4.0, 5.0, 6.0], [6.0, 7.0, 8.0, 9.0]]
        >>> rows.scores_per_step([1, 2, 3]).tolist()
        [1.0, 1.0, 1.0, 1.5, 2.0, 2.0, 2.5, 3.0, 3.0, 3.0]
    """
    frame = as_frame(data)
    channels = None
    if frame is None:
        series = to_array(data, "The series")
        times: NDArray[Any] = np.arange(len(series) if series.ndim else 0)
    else:
        frame, times = _take_times(frame, time)
        source: Any = open_frame(frame.to_native())
        series, channels = source.array(), source.columns
    series = series[:, None] if series.ndim == 1 else series
    if series.ndim != _CHANNELS:
        raise UnsupportedData(
            f"The series has shape {series.shape}. Give (steps,) or (steps, channels)."
        )
    check_rows(series.dtype, series.shape, "The series")
    for argument, got, most in (("length", length, len(series)), ("step", step, None)):
        whole = isinstance(got, int | np.integer) and not isinstance(got, bool)
        if not whole or got < 1 or (most is not None and got > most):
            must_be = "a whole number from 1 up" if most is None else f"one from 1 to {most}"
            hint = "" if most is None else "The series has no more steps."
            raise InvalidArgument(argument, "windows", must_be, got=got, hint=hint)
    return Windows(series, int(length), int(step), times=times, channels=channels)


def _take_times(frame: Any, time: str | None) -> tuple[Any, NDArray[Any]]:
    """Return the frame without its column of time stamps, and these."""
    columns = name_columns(frame)
    if time is not None and time not in columns:
        must_be = f"one of the columns {', '.join(map(repr, columns))}"
        raise InvalidArgument("time", "windows", must_be, got=time)
    dates = [name for name, series in columns.items() if is_date(series.dtype)]
    if time is None and len(dates) > 1:
        must_be = f"one of the columns of dates {', '.join(map(repr, dates))}"
        raise InvalidArgument("time", "windows", must_be, got=time)
    chosen = time if time is not None else next(iter(dates), None)
    if chosen is None:
        index = nw.maybe_get_index(frame)
        return frame, np.arange(len(frame)) if index is None else _require_order(np.asarray(index))
    return frame.drop(columns[chosen].name), _require_order(columns[chosen].to_numpy())


def _require_order(times: NDArray[Any]) -> NDArray[Any]:
    """Refuse time stamps that go back; where the index is made of words, it is none."""
    if times.dtype.kind not in "iufM":
        return np.arange(len(times))
    back = np.flatnonzero(~(times[1:] >= times[:-1]))
    if len(back):
        raise UnsupportedData(
            f"The time stamps are not in order: {times[back[0]]} is followed by "
            f"{times[back[0] + 1]} (step {back[0] + 1}). Sort the series by time."
        )
    return times
