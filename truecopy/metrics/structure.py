"""What the copies and the latents look like as a whole: ranks, variance, correlation.

None of these says how good a copy is; together they say why it is not better.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from truecopy.streaming import (
    Comoments,
    Moments,
    comoments_of,
    empty_comoments,
    empty_moments,
    merge_comoments,
    merge_moments,
    moments_of,
    variance,
)

# Burda, Grosse & Salakhutdinov (2016), "Importance Weighted Autoencoders": a latent unit is
# active when its variance over the data is above 0.01.
ACTIVE_VARIANCE: Final = 0.01
# Beyond, the covariance of the copies would be too large to keep.
_MOST_FEATURES: Final = 2_048


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """Moments of targets, copies and latents over the rows seen so far.

    Attributes:
        targets: Moments of the flat targets.
        errors: The sum of squared errors per feature.
        copies: Co-moments of the flat copies; None beyond 2,048 features.
        latents: Co-moments of the latents; None where there are none.
        pairs: Moments of |error| and target over all values, and the sum of their products.
    """

    targets: Moments
    errors: NDArray[np.float64]
    copies: Comoments | None
    latents: Comoments | None
    pairs: NDArray[np.float64]

    @classmethod
    def empty(cls, *, features: int, latent: int | None) -> Self:
        """Return the structure of no rows."""
        small = features <= _MOST_FEATURES
        return cls(
            empty_moments(features),
            np.zeros(features),
            empty_comoments(features) if small else None,
            None if latent is None else empty_comoments(latent),
            np.zeros(6),
        )

    def update(
        self, target: NDArray[Any], copy: NDArray[Any], latents: NDArray[Any] | None
    ) -> Self:
        """Return the structure with one batch more: scaled rows, their copies, their latents."""
        y, p = target.reshape(len(target), -1), copy.reshape(len(copy), -1)
        error = np.abs(p - y)
        copies, codes = self.copies, self.latents
        return replace(
            self,
            targets=merge_moments(self.targets, moments_of(y)),
            errors=self.errors + np.einsum("nf,nf->f", error, error, dtype=np.float64),
            copies=None if copies is None else merge_comoments(copies, comoments_of(p)),
            latents=None
            if codes is None or latents is None
            else merge_comoments(codes, comoments_of(latents.reshape(len(latents), -1))),
            pairs=self.pairs + _pair_sums(y, error),
        )

    def merge(self, other: Self) -> Self:
        """Return the structure of the rows of both."""
        both = self.copies is not None and other.copies is not None
        coded = self.latents is not None and other.latents is not None
        return replace(
            self,
            targets=merge_moments(self.targets, other.targets),
            errors=self.errors + other.errors,
            copies=merge_comoments(self.copies, other.copies) if both else None,  # type: ignore[arg-type]
            latents=merge_comoments(self.latents, other.latents) if coded else None,  # type: ignore[arg-type]
            pairs=self.pairs + other.pairs,
        )

    @property
    def variance(self) -> float:
        """The variance of the targets around their mean image, averaged over features."""
        return float(variance(self.targets).mean())

    def r2_per_feature(self) -> NDArray[np.float64]:
        """Return 1 - squared error / variance of each feature; 0 or 1 where nothing varies."""
        spread = variance(self.targets) * self.targets.count
        with np.errstate(divide="ignore", invalid="ignore"):
            share = 1 - self.errors / spread
        return np.where(spread > 0, share, np.where(self.errors == 0, 1.0, 0.0))

    def compute(self) -> dict[str, float | int | None]:
        """Return the figures; None where they are not defined."""
        spectrum = None if self.copies is None else _spectrum(self.copies)
        codes = None if self.latents is None else _spectrum(self.latents)
        kept = None
        if self.copies is not None and self.variance > 0:
            spread = np.trace(self.copies.products) / max(self.copies.count, 1)
            kept = float(spread / (self.variance * len(self.errors)))
        active = None
        if self.latents is not None:
            spread = np.diag(self.latents.products) / max(self.latents.count, 1)
            active = int((spread > ACTIVE_VARIANCE).sum())
        return {
            "copies_effective_rank": None if spectrum is None else effective_rank(spectrum),
            "variance_kept": kept,
            "error_input_correlation": _correlation(self.pairs),
            "latents_active": active,
            "latents_effective_rank": None if codes is None else effective_rank(codes),
        }


def effective_rank(spectrum: NDArray[np.float64]) -> float:
    """Return exp of the entropy of the spectrum's shares: how many directions are in use.

    Source: Roy & Vetterli (2007), "The effective rank", with the eigenvalues of the
    covariance for the singular values.

    Example:
        >>> round(effective_rank(np.array([1.0, 1.0, 0.0])), 6)
        2.0
    """
    total = spectrum.sum()
    if not total > 0:
        return 0.0
    share = spectrum[spectrum > 0] / total
    return float(np.exp(-(share * np.log(share)).sum()))


def _spectrum(comoments: Comoments) -> NDArray[np.float64]:
    return np.clip(np.linalg.eigvalsh(comoments.products), 0, None)


def _pair_sums(target: NDArray[Any], error: NDArray[Any]) -> NDArray[np.float64]:
    y, e = target.ravel(), error.ravel()
    return np.array(
        [
            y.size,
            y.sum(dtype=np.float64),
            e.sum(dtype=np.float64),
            np.einsum("i,i->", y, y, dtype=np.float64),
            np.einsum("i,i->", e, e, dtype=np.float64),
            np.einsum("i,i->", y, e, dtype=np.float64),
        ]
    )


def _correlation(sums: NDArray[np.float64]) -> float | None:
    """Return Pearson's correlation of |error| and target over all values.

    From plain sums: scaled values are of order 1, so float64 keeps ten digits.
    """
    count, y, e, yy, ee, ye = sums
    if not count:
        return None
    spread = (yy - y * y / count) * (ee - e * e / count)
    return float((ye - y * e / count) / np.sqrt(spread)) if spread > 0 else None
