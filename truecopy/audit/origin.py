"""The clean rows of a program's array that noisy rows were made of, where no position tells.

What a loop or a generator feeds comes in an order of its own. A row with noise on it is nearer to
the row that it was made of than to others, and what is between the two is noise.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.audit.noisier import find_noisier
from truecopy.audit.tensors import flat

Array = NDArray[Any]

# Rows that are looked up before all are: enough to see that they are in there as they are.
_TRIED: Final = 64
# Draws with replacement of 64 from 1,000 rows leave 97 % distinct; where rows have nothing to do
# with each other, those in the middle are nearest to many.
_DISTINCT: Final = 0.85
# Rows that are compared at once, and what is looked through at most: twice MNIST.
_BLOCK: Final = 4096
_VALUES: Final = 100_000_000


def find_clean(rows: Array, array: Array) -> Array | None:
    """Return for each row the row of the array that it is a noisy copy of.

    Args:
        rows: Shape (rows, ...).
        array: Shape (more rows, ...), with as many values in a row.

    Returns:
        The same shape as `rows`; None where they are no noisy copies of rows of the array.

    Example:
        >>> draw = np.random.default_rng(0)
        >>> clean = draw.normal(size=(500, 3)) @ draw.normal(size=(3, 40))
        >>> places = draw.permutation(500)[:100]
        >>> noisy = clean[places] + draw.normal(0, 0.2, (100, 40))
        >>> float((find_clean(noisy, clean) == clean[places]).mean())
        1.0
        >>> find_clean(clean[places], clean) is None
        True
    """
    values = flat(rows).astype(np.float32)
    if len(values) < _TRIED or not _TRIED <= len(array) <= _VALUES // values.shape[1]:
        return None
    if array[0].size != values.shape[1] or not np.isfinite(values).all():
        return None
    tried = np.linspace(0, len(values) - 1, _TRIED).astype(int)
    places = find_nearest(values[tried], array)
    unlike = (flat(array[places]) != values[tried]).any(axis=1).mean()
    if unlike < _DISTINCT or len(np.unique(places)) < _DISTINCT * _TRIED:
        return None
    nearest = np.asarray(array[find_nearest(values, array)]).reshape(rows.shape)
    # The richer shape says which values are neighbours.
    shape = (len(rows), *max((rows.shape[1:], array.shape[1:]), key=len))
    noise = find_noisier(nearest.reshape(shape).astype(float), rows.reshape(shape).astype(float))
    return nearest if noise.which == "second" else None


def find_nearest(rows: Array, array: Array) -> NDArray[np.intp]:
    """Return the place of the row of the array that is nearest to each row.

    Args:
        rows: Shape (rows, values).
        array: Shape (more rows, ...), with as many values in a row; those that aren't finite are
            near to nothing.
    """
    least = np.full(len(rows), np.inf)
    places = np.zeros(len(rows), np.intp)
    for start in range(0, len(array), _BLOCK):
        block = flat(array[start : start + _BLOCK]).astype(np.float32)
        with np.errstate(invalid="ignore"):
            distance = np.square(block).sum(axis=1) - 2 * (rows @ block.T)
        distance = np.where(np.isfinite(distance), distance, np.inf)
        nearest = distance.argmin(axis=1)
        found = distance[np.arange(len(rows)), nearest]
        places = np.where(found < least, start + nearest, places)
        least = np.minimum(found, least)
    return places
