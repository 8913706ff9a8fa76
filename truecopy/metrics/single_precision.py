"""Sums, divergences and local variances that keep their digits in float32.

What the Keras metrics are made of. There are no products of matrices, which a GPU may round
to ten bits, and no small differences of large numbers; sums keep what rounding took.
"""

from typing import Any, Final

from keras import ops

_EPSILON: Final = 1e-7
# Below it, five terms of the series are exact to float32; log1p would cancel.
_SMALL: Final = 0.05


class RunningSum:
    """A sum in two variables of a metric: the sum itself, and what rounding took from it.

    A plain float32 sum over 60,000 rows is off by up to 1e-5 of itself. Variables of several
    replicas may be added up, as Keras does with them.
    """

    def __init__(self, metric: Any, name: str) -> None:
        self._sum = metric.add_variable((), "zeros", dtype=metric.dtype, name=name)
        self._lost = metric.add_variable((), "zeros", dtype=metric.dtype, name=f"{name}_lost")

    def add(self, value: Any) -> None:
        """Add a scalar (Knuth's TwoSum: `lost` is exact)."""
        before = ops.convert_to_tensor(self._sum)
        after = before + value
        added = after - before
        lost = (before - (after - added)) + (value - added)
        # An infinite sum has lost nothing, and infinity minus itself is not a number.
        self._lost.assign(self._lost + ops.where(ops.isfinite(after), lost, 0.0))
        self._sum.assign(after)

    def value(self) -> Any:
        """Return the sum so far."""
        return self._sum + self._lost


def divergence(y: Any, p: Any, off: Any) -> Any:
    """Return y log(y / p) - y + p of each value: never negative, 0 where p = y.

    Args:
        y: Targets, from 0 to 1.
        p: Predictions, from 0 to 1; counted as no smaller than 1e-7 or, if smaller, y.
        off: p - y, from where it was not rounded.
    """
    counted = ops.maximum(p, ops.minimum(y, _EPSILON))
    divisor = ops.where(y > 0, y, 1.0)
    r = off / divisor
    # r - log(1 + r): near p = y by its series; near p = 0 from p, which has more digits.
    series = r * r * (1 / 2 - r * (1 / 3 - r * (1 / 4 - r * (1 / 5 - r / 6))))
    direct = r - ops.where(r > -0.5, ops.log1p(r), ops.log(counted / divisor))  # noqa: PLR2004
    grown = y * ops.where(ops.abs(r) < _SMALL, series, direct) + (counted - p)
    return ops.where(y > 0, grown, counted)


def window_moments(planes: Any, window: list[float]) -> tuple[Any, Any]:
    """Return the means and variances in every window that fits along axes 2 and 3.

    First down, then across, where the variance is the mean of the variances plus the
    variance of the means: every term is a square, so none cancels another.
    """

    def shifted(values: Any, axis: int) -> list[Any]:
        size = values.shape[axis] - len(window) + 1
        before = (slice(None),) * axis
        return [values[(*before, slice(k, k + size))] for k in range(len(window))]

    def mean_of(values: list[Any]) -> Any:
        return sum(weight * value for weight, value in zip(window, values, strict=True))

    down = shifted(planes, 2)
    means = mean_of(down)
    variances = mean_of([ops.square(value - means) for value in down])
    across = shifted(means, 3)
    mean = mean_of(across)
    spread = mean_of([ops.square(value - mean) for value in across])
    return mean, mean_of(shifted(variances, 3)) + spread
