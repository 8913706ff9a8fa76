"""The clean rows of a program's array that noisy rows were made of, where no position tells.

What a loop or a generator feeds comes in an order of its own. A row with noise on it is nearer to
the row that it was made of than to others, and what is between the two is noise.
"""

from collections.abc import Mapping
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


def find_clean(rows: Array, sources: Mapping[str, Array]) -> dict[str, Array]:
    """Return for each row the row that it is a noisy copy of, from each array that has them.

    Args:
        rows: Shape (rows, ...).
        sources: Arrays of shape (more rows, ...), by name; those with other values in a row are
            left out.

    Returns:
        Arrays of the shape of `rows`, by name; none where the rows stand in an array as they are.

    Example:
        >>> draw = np.random.default_rng(0)
        >>> clean = draw.normal(size=(500, 3)) @ draw.normal(size=(3, 40))
        >>> places = draw.permutation(500)[:100]
        >>> noisy = clean[places] + draw.normal(0, 0.2, (100, 40))
        >>> float((find_clean(noisy, {"x": clean})["x"] == clean[places]).mean())
        1.0
        >>> find_clean(clean[places], {"x": clean, "other": clean + noisy.mean()})
        {}
    """
    values = flat(rows).astype(np.float32)
    if len(values) < _TRIED or not np.isfinite(values).all():
        return {}
    tried = values[np.linspace(0, len(values) - 1, _TRIED).astype(int)]
    near: dict[str, Array] = {}
    for name, array in sources.items():
        if not _TRIED <= len(array) <= _VALUES // values.shape[1]:
            continue
        if array[0].size != values.shape[1]:
            continue
        places = find_nearest(tried, array)
        unlike = (flat(array[places]).astype(np.float32) != tried).any(axis=1).mean()
        if unlike < _DISTINCT:
            return {}
        if len(np.unique(places)) >= _DISTINCT * _TRIED:
            near[name] = array
    found = {name: array[find_nearest(values, array)] for name, array in near.items()}
    return {
        name: np.asarray(clean).reshape(rows.shape)
        for name, clean in found.items()
        if _is_noisy_copy(rows, np.asarray(clean))
    }


def _is_noisy_copy(rows: Array, clean: Array) -> bool:
    # The richer shape says which values are neighbours.
    shape = (len(rows), *max((rows.shape[1:], clean.shape[1:]), key=len))
    noise = find_noisier(clean.reshape(shape).astype(float), rows.reshape(shape).astype(float))
    return noise.which == "second"


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
