"""A KL term, measured at points and compared with the closed form.

For a normal distribution with mean m and variance v against the standard one, the KL divergence
is (m^2 + v - 1 - log v) / 2 nats per latent (Kingma and Welling, 'Auto-encoding variational
Bayes', 2014, appendix B). A head may stand for log v, for log of the standard deviation, or for
the deviation itself; each reading is tried.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Point = tuple[Array, Array]
Part = Callable[[Array], Array]

# Rounding of float32 leaves less than this share; a term estimated from draws leaves more, and
# then nothing is said against the formula.
_FITS: Final = 1e-3
_NEARLY: Final = 0.2
# float32's rounding of the whole loss, in units of its size.
_ROUNDING: Final = 1e-6
# Of the reconstruction's own size: a smaller change of the loss is no dependence.
_NOTHING: Final = 1e-6
# How far a coefficient may be off to be called 0, 1, 2 or turned.
_NEAR: Final = 0.05


def _softplus(s: Array) -> Array:
    return np.asarray(np.logaddexp(0.0, s))


def _nothing(values: Array) -> Array:
    return np.zeros_like(values)


# For each reading, how the variance depends on the head.
READINGS: Final[dict[str, Part]] = {
    "log-variance": np.exp,
    "log-std": lambda s: np.exp(2 * s),
    "std": np.square,
    "softplus-std": lambda s: np.square(_softplus(s)),
}


_LOGARITHMS: Final[dict[str, Part]] = {
    "log-variance": lambda s: s,
    "log-std": lambda s: 2 * s,
    "std": lambda s: 2 * np.log(s),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """What is known of a KL term: see `VariationalFacts` for the fields."""

    scale: float | None = None
    matches: bool | None = None
    reading: str = ""
    hint: str = ""
    closed: tuple[float, ...] = ()


def choose_points(rows: int, shape: tuple[int, ...]) -> list[Point]:
    """Return the points (mean, spread), each (rows, *shape), at which the loss is measured.

    The first is the reference. Spreads are positive, so that every reading has a logarithm, but
    for the last ones.
    """
    pairs = [(0, 1), (0, 0.4), (0, 1.6), (1, 1), (-1, 1), (2, 0.5), (0.5, 0.25), (-1.5, 1.3)]
    full = np.ones((rows, *shape))
    points = [(m * full, s * full) for m, s in pairs]
    ramp = np.linspace(-1, 1, full[0].size).reshape(shape)
    points.append((full * ramp, full * (1.0 + 0.5 * ramp[..., ::-1])))
    points += [(m * full, s * full) for m, s in ((0, -1.0), (1, -0.5), (0.5, -2.0))]
    return points


def kl_per_latent(mean: Array, spread: Array, reading: str) -> Array:
    """Return the closed form for every row and latent, in nats.

    Example:
        >>> kl_per_latent(np.array([0.0, 2.0]), np.zeros(2), "log-variance").tolist()
        [0.0, 2.0]
    """
    variance = READINGS[reading](np.asarray(spread, np.float64))
    with np.errstate(divide="ignore"):
        return np.asarray(0.5 * (np.square(mean) + variance - 1 - np.log(variance)))


def closed_form(points: Sequence[Point], reading: str) -> Array:
    """Return the closed form at points, summed over latents, averaged over rows, less the first."""
    totals = [kl_per_latent(m, s, reading).sum() / len(m) for m, s in points]
    return np.asarray(np.array(totals) - totals[0])


def judge(points: Sequence[Point], changes: Array, size: float) -> Term:
    """Compare measured changes of the loss with the closed form and with wrong forms of it.

    Args:
        points: As from `choose_points`.
        changes: The loss at each, less that at the first; NaN where it isn't finite.
        size: The size of the loss itself, to tell a change from rounding.
    """
    known = np.isfinite(changes)
    if known.sum() < 7 or np.abs(changes[known]).max() <= _NOTHING * (1 + size):  # noqa: PLR2004
        return Term(scale=0.0 if known.all() else None)
    best = min(READINGS, key=lambda reading: _match(points, changes, known, reading)[1])
    scale, missed = _match(points, changes, known, best)
    closed = tuple(float(c) for c in closed_form(points, best))
    fits = max(_FITS, _ROUNDING * size / float(np.abs(changes[known]).max()))
    if missed <= fits:
        right = scale > 0
        hint = "" if right else "its sign is turned"
        return Term(
            scale=scale if right else None, matches=right, reading=best, hint=hint, closed=closed
        )
    reading, hint = _explain(points, changes, known, fits)
    if hint:
        closed = tuple(float(c) for c in closed_form(points, reading))
        return Term(matches=False, reading=reading, hint=hint, closed=closed)
    if missed <= _NEARLY and scale > 0 and best != "softplus-std":  # estimated from draws
        return Term(scale=scale, reading=best, closed=closed)
    return Term(closed=closed)


def _match(
    points: Sequence[Point], changes: Array, known: Array, reading: str
) -> tuple[float, float]:
    """Return the factor from closed form to changes, and the share that it leaves."""
    form = closed_form(points, reading)
    used = known & np.isfinite(form)
    if reading in {"std", "softplus-std"}:
        used &= np.array([float(s.min()) > 0 for _, s in points])
    x, y = form[used], changes[used]
    factor = float((x @ y) / (x @ x))
    return factor, float(np.abs(y - factor * x).max() / np.abs(y).max())


_SQUARE: Part = np.square


def _explain(points: Sequence[Point], changes: Array, known: Array, fits: float) -> tuple[str, str]:
    """Return the reading and what is wrong, where the form's parts with other factors fit."""
    for reading in ("log-variance", "log-std", "std"):
        variance = READINGS[reading]
        logarithm = _LOGARITHMS[reading]
        pairs = [(_SQUARE, _nothing), (_nothing, variance), (_nothing, logarithm)]
        factors = _solve(points, changes, known, pairs, fits)
        if factors is not None:
            return reading, _word(factors)
    spreads: list[Part] = [np.exp, lambda s: np.exp(2 * s), lambda s: s, np.square]
    means: list[Part] = [_SQUARE, np.positive]
    pairs = [*((part, _nothing) for part in means), *((_nothing, part) for part in spreads)]
    factors = _solve(points, changes, known, pairs, fits)
    return ("", "") if factors is None else ("log-variance", _write(factors))


def _solve(
    points: Sequence[Point],
    changes: Array,
    known: Array,
    parts: Sequence[tuple[Part, Part]],
    fits: float,
) -> Array | None:
    """Return the factors of parts of (mean, spread) that give the changes, or None."""
    with np.errstate(invalid="ignore", divide="ignore"):
        rows = [[(of_m(m) + of_s(s)).sum() / len(m) for of_m, of_s in parts] for m, s in points]
    design = np.array(rows) - rows[0]
    used = known & np.isfinite(design).all(axis=1)
    factors, _, rank, _ = np.linalg.lstsq(design[used], changes[used], rcond=None)
    missed = np.abs(changes[used] - design[used] @ factors).max()
    told = rank == len(parts) and missed <= fits * np.abs(changes[used]).max()
    return np.asarray(factors) if told else None


def _word(factors: Array) -> str:
    """Return what is wrong with factors that should be as 1 : 1 : -1."""
    names = ("the squared mean", "the variance", "the log-variance")
    signed = factors * np.array([1, 1, -1])
    right = signed[signed > _NEAR * np.abs(signed).max()]
    unit = float(np.median(right)) if len(right) % 2 else float(right.min(initial=np.inf))
    shares = signed / (unit if np.isfinite(unit) else np.abs(signed).max())
    told = []
    for name, share in zip(names, shares, strict=True):
        if abs(share) < _NEAR:
            told.append(f"{name} is missing")
        elif share < 0:
            told.append(f"{name} has the wrong sign")
        elif abs(share - 1) > _NEAR:
            told.append(f"{name} counts {share:.3g} times")
    return ", ".join(told)


def _write(factors: Array) -> str:
    """Return a formula of what was measured, without terms that don't matter."""
    names = ("m^2", "m", "exp(s)", "exp(2 s)", "s", "s^2")
    most = np.abs(factors).max()
    terms = [f"{f:+.3g} {n}" for f, n in zip(factors, names, strict=True) if abs(f) > 0.01 * most]
    return f"it is {' '.join(terms)}, not 0.5 m^2 + 0.5 exp(s) - 0.5 s"
