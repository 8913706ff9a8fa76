"""Which columns lose what float32, in which networks compute, can't hold.

Standardised values are centred in float64 and keep their differences, however large their mean.
What is left: values that a plan leaves uncentred and that differ in their last digits only, and
whole numbers so far apart that neighbours, two ids say, become one.
"""

import warnings
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from truecopy import streaming
from truecopy.data.scaling import Scaling
from truecopy.data.source import Source

# Numbers with a longer tail than this are amounts, of which nobody needs the last digit; ids have
# none. A normal distribution has a skewness of 0, an exponential one of 2.
SKEWED: Final = 1.0
# float32 has 24 bits.
_MOST_APART: Final = 2**24
# Rounding to float32 errs by 0.29 of the gap between its numbers (the spread of a uniform
# distribution), which is one percent of a spread of 29 gaps.
_FEWEST_GAPS: Final = 29
# The width of a uniform distribution in parts of its spread.
_UNIFORM: Final = 12**0.5
_SHOWN: Final = 5


def warn_of_rounding(source: Source, moments: streaming.Moments, scaling: Scaling) -> None:
    """Warn of the features whose differences are lost once scaled rows are float32.

    Args:
        source: The rows; what has no more than float32's bits loses nothing.
        moments: Of the rows, unscaled.
        scaling: How they are scaled.
    """
    if np.can_cast(source.dtype, np.float32):
        return
    spread = np.sqrt(streaming.variance(moments))
    lost = np.flatnonzero((spread > 0) & (spread < _FEWEST_GAPS * _find_gaps(moments, scaling)))
    if len(lost):
        names = source.feature_names
        which = _list_names([names[place] for place in lost])
        warnings.warn(
            f"{which}: the values differ by too little for float32, in which networks compute: it "
            "rounds off more than one percent of their spread. Subtract their mean.",
            UserWarning,
            stacklevel=2,
        )
    ids = (spread * _UNIFORM > _MOST_APART) & ~(streaming.skewness(moments) > SKEWED)
    if source.dtype.kind in "iu" and ids.any():
        names = source.feature_names
        found = [names[place] for place in np.flatnonzero(ids)]
        warn_of_ids(found, float(spread[ids].max() * _UNIFORM))


def warn_of_ids(names: Sequence[str], span: float) -> None:
    """Warn of columns of whole numbers that span more than float32 tells apart.

    Args:
        names: Of the columns.
        span: How many whole numbers the widest of them spans.
    """
    if span <= _MOST_APART:
        return
    warnings.warn(
        f"{_list_names(names)}: the values span {span:.3g} whole numbers; float32, in which "
        "networks compute, tells 16.8 million apart. Ids are to be left out, of a table by "
        f"ignore=[{names[0]!r}].",
        UserWarning,
        stacklevel=2,
    )


def _find_gaps(moments: streaming.Moments, scaling: Scaling) -> NDArray[np.floating]:
    """Return what lies between neighbours in float32, back in the units of the rows."""
    mean = np.abs(moments.mean)
    if scaling.kind == "standardise":
        return np.zeros_like(mean)
    logs = scaling.kind == "log1p"
    scaled = np.log1p(mean) if logs else mean / scaling.divisor
    gaps: NDArray[np.floating] = np.spacing(scaled.astype(np.float32))
    # By the slope of the scaling, which is 1 / (1 + x) for log(1 + x).
    return gaps * (1 + mean if logs else scaling.divisor)


def _list_names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"Column {', '.join(map(repr, names[:_SHOWN]))}{more}"
