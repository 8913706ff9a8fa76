"""Corruption noise for denoising: what it is called, and how it changes rows.

Noise is stated in scaled units (after the plan's scaling) and clipped to the bounds of the
scaled data where there are any. This file draws it with NumPy for test sets: each block of
1,024 rows has its own generator, so a row's noise depends on the seed and the row's number
alone, never on how the rows are cut into batches. During training the same kinds are drawn
inside the compiled step by `truecopy.training.corruption`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from truecopy.errors import InvalidArgument, UnknownName

KINDS: Final = {
    "gaussian": "gaussian:SD or gaussian:MEAN,SD",
    "masking": "masking:RATE",
    "salt-pepper": "salt-pepper:RATE",
}

# PyTorch keeps seeds in signed 32 bits.
_SEEDS: Final = 1 << 31
# Rows that share one generator; a power of two that batches are usually a multiple of.
_BLOCK: Final = 1024


@dataclass(frozen=True, slots=True)
class Noise:
    """One kind of noise with its levels, and the bounds it is clipped to.

    `rate` is the share of values hit by masking (set to 0) and salt-pepper (set to the lower
    or the upper bound, each half of the time); `mean` and `spread` are those of gaussian.
    """

    kind: str
    mean: float = 0.0
    spread: float = 0.0
    rate: float = 0.0
    bounds: tuple[float, float] | None = None

    def __str__(self) -> str:
        """Write the noise the way `parse_noise` reads it."""
        if self.kind == "gaussian":
            return f"gaussian:{self.mean:g},{self.spread:g}"
        return f"{self.kind}:{self.rate:g}"


def check_seed(seed: object, owner: str) -> None:
    """Refuse a seed that not all random generators take.

    Raises:
        InvalidArgument: It is not a whole number from 0 to 2^31 - 1.
    """
    whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not whole or not 0 <= int(seed) < _SEEDS:  # type: ignore[call-overload]  # it is whole
        raise InvalidArgument("seed", owner, f"a whole number from 0 to {_SEEDS - 1}", got=seed)


def parse_noise(text: str, *, bounds: tuple[float, float] | None) -> Noise:
    """Read a noise such as 'gaussian:0.5,0.5', 'salt-pepper:0.1' or 'masking:0.3'.

    Args:
        text: Kind and level, separated by a colon.
        bounds: The range of the scaled data, to which noise is clipped; None for none.

    Raises:
        UnknownName: There is no such kind; the message has the nearest one.
        InvalidArgument: A level is missing, no number or out of range, or salt-pepper is
            asked for data without bounds.

    Example:
        >>> parse_noise("gaussian:0.5", bounds=(0, 1)).spread
        0.5
    """
    if not isinstance(text, str):
        raise InvalidArgument("noise", "Autoencoder", f"None or one of {KINDS}", got=text)
    kind, _, level = text.partition(":")
    if kind not in KINDS:
        raise UnknownName("noise", "Autoencoder", sorted(KINDS), got=kind)
    try:
        levels = [float(part) for part in level.split(",")]
    except ValueError:
        levels = []
    if not all(map(np.isfinite, levels)):
        levels = []
    if kind == "gaussian":
        return _gaussian(text, levels, bounds)
    if len(levels) != 1 or not 0 <= levels[0] <= 1:
        raise InvalidArgument(
            "noise", "Autoencoder", f"{KINDS[kind]} with RATE in [0, 1]", got=text
        )
    if kind == "salt-pepper" and bounds is None:
        raise InvalidArgument(
            "noise",
            "Autoencoder",
            "gaussian or masking for data without bounds",
            got=text,
            hint="Salt and pepper are the lowest and the highest value there can be.",
        )
    return Noise(kind, rate=levels[0], bounds=bounds)


def _gaussian(text: str, levels: list[float], bounds: tuple[float, float] | None) -> Noise:
    if len(levels) not in {1, 2} or levels[-1] < 0:
        must_be = f"{KINDS['gaussian']} with SD of at least 0"
        raise InvalidArgument("noise", "Autoencoder", must_be, got=text)
    mean = levels[0] if len(levels) == 2 else 0.0  # noqa: PLR2004 (mean and spread)
    return Noise("gaussian", mean=mean, spread=levels[-1], bounds=bounds)


def corrupt(
    rows: NDArray[np.float32], noise: Noise, *, seed: int, first_row: int = 0
) -> NDArray[np.float32]:
    """Return a noisy copy of `rows`, the same for the same seed and row numbers.

    Args:
        rows: Scaled rows, shape (rows, ...).
        noise: What to draw.
        seed: Chooses the noise.
        first_row: The number of `rows[0]` in the data set.
    """
    noisy = np.empty_like(rows)
    for block in range(first_row // _BLOCK, -(-(first_row + len(rows)) // _BLOCK)):
        start = max(block * _BLOCK, first_row)
        stop = min((block + 1) * _BLOCK, first_row + len(rows))
        part = slice(start - first_row, stop - first_row)
        offset = start - block * _BLOCK
        generator = np.random.default_rng([seed, block])
        noisy[part] = _draw(rows[part], noise, generator, skip=offset)
    return noisy


def _draw(
    rows: NDArray[np.float32], noise: Noise, generator: np.random.Generator, *, skip: int
) -> NDArray[np.float32]:
    """Corrupt rows that start `skip` rows into the generator's block."""
    shape = (skip + len(rows), *rows.shape[1:])
    if noise.kind == "gaussian":
        drawn = generator.standard_normal(shape, dtype=np.float32)[skip:]
        noisy = rows + noise.mean + noise.spread * drawn
    else:
        # One uniform number decides whether a value is hit, and, below half the rate, by salt.
        drawn = generator.random(shape, dtype=np.float32)[skip:]
        low, high = noise.bounds if noise.kind == "salt-pepper" and noise.bounds else (0.0, 0.0)
        hit_with = np.where(drawn < noise.rate / 2, np.float32(high), np.float32(low))
        noisy = np.where(drawn < noise.rate, hit_with, rows)
    if noise.bounds is not None:
        noisy = np.clip(noisy, *noise.bounds)
    return noisy.astype(np.float32)
