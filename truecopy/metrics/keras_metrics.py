"""Metrics that Keras lacks, for anyone's `compile(metrics=[...])` on every backend.

They give the figures of the row functions beside them, in float32 on the device. To load
a model that was compiled with them, import this module first, or give compile=False.
"""

from typing import Any, Final

import keras
from keras import ops

from truecopy.errors import InvalidArgument
from truecopy.metrics.images import K1, K2, gaussian_window
from truecopy.metrics.single_precision import RunningSum, divergence, window_moments
from truecopy.metrics.tensors import as_pair, flat, row_means, row_weights

__all__ = ["PSNR", "R2", "SSIM", "BCEExcess", "ExactMatch", "MeanOverRows", "Within"]

_BYTE: Final = 255
_PICTURES: Final = {3, 4}  # ranks: (rows, height, width) and (rows, height, width, channels)
_register = keras.saving.register_keras_serializable(package="truecopy")


class MeanOverRows(keras.metrics.Metric):  # type: ignore[misc]  # Keras ships no types
    """The mean of one value per row, weighted by the sample weights.

    Subclasses say in `row_values` what the value is.
    """

    # Keras' callbacks read it: whether a monitored metric should rise.
    _direction = "up"

    def __init__(self, *, name: str, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self._total = RunningSum(self, "total")
        self._count = RunningSum(self, "count")

    def row_values(self, target: Any, prediction: Any) -> Any:
        """Return the value of each row, shape (rows,)."""
        raise NotImplementedError

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch of targets and predictions, both (rows, ...) in scaled units.

        `sample_weight` is one weight per row; a row of weight 0 leaves no trace.
        """
        target, prediction = as_pair(self, y_true, y_pred)
        values = self.row_values(target, prediction)
        weights = row_weights(values, sample_weight)
        # Not the product alone: an exact copy's infinite PSNR times 0 is not a number.
        self._total.add(ops.sum(ops.where(weights == 0, 0.0, values * weights)))
        self._count.add(ops.sum(weights))

    def result(self) -> Any:
        """Return the mean over the rows so far; before the first, 0 like Keras' own."""
        return ops.divide_no_nan(self._total.value(), self._count.value())


@_register
class PSNR(MeanOverRows):
    """The mean over rows of the peak signal-to-noise ratio in dB, as `images.psnr`.

    Infinite once there is an exact copy.

    Args:
        data_range: The width of the targets' range.
        name: The name in the logs.
        dtype: The type it is computed in; None: Keras' float type.

    Example:
        >>> metric = PSNR()
        >>> metric.update_state([[0.0, 1.0]], [[0.1, 0.9]])
        >>> round(float(metric.result()), 3)
        20.0
    """

    def __init__(self, data_range: float = 1.0, *, name: str = "psnr", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.data_range = _above_0(data_range, owner="PSNR")

    def row_values(self, target: Any, prediction: Any) -> Any:
        """Return the decibels of each row."""
        error = row_means(ops.square(prediction - target))
        return 10 * ops.log10(self.data_range**2 / error)

    def get_config(self) -> dict[str, Any]:
        """Return what makes the same metric again."""
        return {**super().get_config(), "data_range": self.data_range}


@_register
class SSIM(MeanOverRows):
    """The mean over rows of the structural similarity, as `images.ssim`.

    For targets and outputs (rows, height, width) or (rows, height, width, channels) of a
    fixed size; flat rows have no neighbourhoods and are refused.

    Args:
        data_range: The width of the targets' range.
        name: The name in the logs.
        dtype: The type it is computed in; None: Keras' float type.

    Example:
        >>> import numpy as np
        >>> metric = SSIM()
        >>> metric.update_state(np.ones((1, 16, 16)), np.ones((1, 16, 16)))
        >>> float(metric.result())
        1.0
    """

    def __init__(self, data_range: float = 1.0, *, name: str = "ssim", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.data_range = _above_0(data_range, owner="SSIM")

    def row_values(self, target: Any, prediction: Any) -> Any:
        """Return the similarity of each picture."""
        shape = tuple(prediction.shape)
        if len(shape) not in _PICTURES or None in shape[1:3] or min(shape[1:3]) < 3:  # noqa: PLR2004
            must_be = "pictures of one size with sides of at least 3 pixels"
            raise InvalidArgument("y_pred", "SSIM", must_be, got=shape)
        window = gaussian_window(min(shape[1:3])).tolist()
        c1, c2 = (K1 * self.data_range) ** 2, (K2 * self.data_range) ** 2
        both = ops.stack([target, prediction, prediction - target])
        means, variances = window_moments(both, window)
        # As in images.ssim: both terms as 1 minus a ratio of squares, so nothing cancels.
        luminance = ops.square(means[2]) / (ops.square(means[0]) + ops.square(means[1]) + c1)
        contrast = variances[2] / (variances[0] + variances[1] + c2)
        return row_means((1 - luminance) * (1 - contrast))

    def get_config(self) -> dict[str, Any]:
        """Return what makes the same metric again."""
        return {**super().get_config(), "data_range": self.data_range}


@_register
class BCEExcess(MeanOverRows):
    """The binary cross-entropy above a perfect copy's, as `likelihoods.bce_excess`.

    0 for a perfect copy also of grey targets, where the BCE itself is not. Targets and
    outputs lie in [0, 1]: probabilities, not logits.

    Args:
        name: The name in the logs.
        dtype: The type it is computed in; None: Keras' float type.

    Example:
        >>> metric = BCEExcess()
        >>> metric.update_state([[0.5, 1.0]], [[0.5, 0.5]])
        >>> round(float(metric.result()), 4)
        0.3466
    """

    _direction = "down"

    def __init__(self, *, name: str = "bce_excess", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def row_values(self, target: Any, prediction: Any) -> Any:
        """Return the nats per value of each row."""
        p = ops.clip(prediction, 0.0, 1.0)
        ones = divergence(target, p, p - target)
        return row_means(ones + divergence(1 - target, 1 - p, target - p))


@_register
class ExactMatch(MeanOverRows):
    """The share of values equal as 8-bit grey levels, as `pixels.exact_match`.

    Args:
        name: The name in the logs.
        dtype: The type it is computed in; None: Keras' float type.

    Example:
        >>> metric = ExactMatch()
        >>> metric.update_state([[0.0, 1.0]], [[0.001, 0.9]])
        >>> float(metric.result())
        0.5
    """

    def __init__(self, *, name: str = "exact_match", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def row_values(self, target: Any, prediction: Any) -> Any:
        """Return the share of each row."""
        equal = _levels(target) == _levels(prediction)
        return row_means(ops.cast(equal, self.dtype))


@_register
class Within(MeanOverRows):
    """The share of values at most `levels` 8-bit grey levels off, after rounding both.

    Args:
        levels: The grey levels, of 255, by which a value may be off; 0 is ExactMatch.
        name: The name in the logs; None: 'within_' and the levels.
        dtype: The type it is computed in; None: Keras' float type.

    Example:
        >>> metric = Within(2)
        >>> metric.update_state([[0.0, 1.0]], [[2 / 255, 252 / 255]])
        >>> float(metric.result())
        0.5
    """

    def __init__(self, levels: int, *, name: str | None = None, dtype: Any = None) -> None:
        if levels not in range(_BYTE + 1):
            raise InvalidArgument("levels", "Within", "an integer from 0 to 255", got=levels)
        super().__init__(name=name or f"within_{levels}", dtype=dtype)
        self.levels = levels

    def row_values(self, target: Any, prediction: Any) -> Any:
        """Return the share of each row."""
        off = ops.abs(_levels(target) - _levels(prediction))
        return row_means(ops.cast(off <= self.levels, self.dtype))

    def get_config(self) -> dict[str, Any]:
        """Return what makes the same metric again."""
        return {**super().get_config(), "levels": self.levels}


@_register
class R2(keras.metrics.Metric):  # type: ignore[misc]  # Keras ships no types
    """The share of the targets' variance that the copy explains, pooled over features.

    Formula: 1 - sum (y - p)^2 / sum (y - mean)^2, over all rows and features, with each
    feature's mean over the rows seen. 1 is a perfect copy, 0 the mean row. If all targets
    are constant it is 1 for an exact copy and 0 for any other. Errors in features that are
    constant count here; scikit-learn's "variance_weighted" leaves them out. Keras' own
    R2Score takes flat rows only and subtracts large sums of squares.

    Args:
        name: The name in the logs.
        dtype: The type it is computed in; None: Keras' float type.

    Example:
        >>> metric = R2()
        >>> metric.update_state([[0.0, 1.0], [1.0, 3.0]], [[0.5, 2.0], [0.5, 2.0]])
        >>> float(metric.result())
        0.0
    """

    _direction = "up"

    def __init__(self, *, name: str = "r2", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self._count = RunningSum(self, "count")
        self._residual = RunningSum(self, "residual")
        self._spread = RunningSum(self, "spread")
        # Made with the first batch, which tells the number of features.
        self._mean: Any = None

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch of targets and predictions (rows, ...); one weight per row."""
        target, prediction = (flat(rows) for rows in as_pair(self, y_true, y_pred))
        weights = row_weights(target[:, 0], sample_weight)[:, None]
        self._residual.add(ops.sum(weights * ops.square(prediction - target)))
        if self._mean is None:
            shape = (target.shape[1],)
            self._mean = self.add_variable(shape, "zeros", dtype=self.dtype, name="mean")
        self._add_spread(target, weights)

    def _add_spread(self, target: Any, weights: Any) -> None:
        """Merge the batch's mean and squared deviations with those so far.

        As Chan, Golub & LeVeque 1983 do. Deviations are from the batch's first row: small
        numbers also where the values are large, and exactly 0 for constant features.
        """
        count, before = ops.sum(weights), self._count.value()
        share = ops.divide_no_nan(count, before + count)
        offsets = target - target[:1]
        offset = ops.divide_no_nan(ops.sum(weights * offsets, axis=0), count)
        within = ops.sum(weights * ops.square(offsets - offset))
        step = target[0] + offset - self._mean
        self._spread.add(within + before * share * ops.sum(ops.square(step)))
        self._mean.assign(self._mean + share * step)
        self._count.add(count)

    def result(self) -> Any:
        """Return the R2 of the rows so far; before the first, 0 like Keras' own."""
        spread, residual = self._spread.value(), self._residual.value()
        seen = self._count.value() > 0
        constant = ops.cast(ops.logical_and(residual == 0, seen), self.dtype)
        return ops.where(spread > 0, 1 - ops.divide_no_nan(residual, spread), constant)


def _levels(values: Any) -> Any:
    return ops.clip(ops.round(_BYTE * values), 0, _BYTE)


def _above_0(data_range: float, *, owner: str) -> float:
    if not data_range > 0:
        raise InvalidArgument("data_range", owner, "above 0", got=data_range)
    return float(data_range)
