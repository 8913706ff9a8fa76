"""How far a row lies from ordinary ones: off what an autoencoder can copy, and along it.

As robust PCA has it (Hubert, Rousseeuw & Vanden Branden 2005, Technometrics 47:64): a row can be
odd because its copy differs from it (the orthogonal distance), or because it is copied well, but
lies far from all others (the score distance, here of latents). An error alone misses the second.
"""

import warnings
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf, MinCovDet

Floats = NDArray[np.float64]

# The median of a squared normal deviate, in parts of its mean.
_MEDIAN_SQUARE: Final = 0.4549
# A feature that is nearly always copied exactly would make any row an outlier: its scale is at
# least a tenth of the typical feature's.
_LEAST_SCALE: Final = 0.1
# Fewer rows per latent than this, and half of them say little about a covariance (Rousseeuw &
# van Zomeren 1990, Journal of the American Statistical Association 85:633).
_ROWS_PER_LATENT: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Distances:
    """Scales of an autoencoder's errors and latents on the rows that it was trained on.

    Attributes:
        scales: The typical error of each feature, (features,).
        off: The median over rows of the distance off the model.
        centre: The robust mean of the latents, (latent,).
        precision: The inverse of their robust covariance, (latent, latent).
        along: The median over rows of their squared Mahalanobis distance.
    """

    scales: Floats
    off: float
    centre: Floats
    precision: Floats
    along: float

    @classmethod
    def fit(
        cls,
        errors: Floats,
        latents: NDArray[Any],
        *,
        categories: NDArray[np.bool] | bool = False,
        seed: int,
    ) -> Self:
        """Fit to training rows.

        Args:
            errors: Each feature's part of its row's error, (rows, features).
            latents: Of the same rows, (rows, latent).
            categories: Which features are, (features,): their scale is at least the typical one.
            seed: Draws the subsets that the robust covariance starts from.
        """
        typical = np.median(errors, axis=0) / _MEDIAN_SQUARE
        usual = float(np.median(typical[typical > 0])) if (typical > 0).any() else 1.0
        # A category is copied exactly or not at all: its median error says nothing.
        least = np.where(categories, 1.0, _LEAST_SCALE) * usual
        scales = np.maximum(typical, least)
        latents = np.asarray(latents, np.float64)
        rows, width = latents.shape
        enough = rows >= _ROWS_PER_LATENT * width and rows > 1
        robust = MinCovDet(random_state=seed) if enough else LedoitWolf()
        with warnings.catch_warnings():
            # Latents that don't vary have a covariance without full rank: its pseudo-inverse
            # does, and the message would be about a matrix that no one has seen.
            warnings.simplefilter("ignore")
            fitted = robust.fit(latents)
        found = cls(scales, 1.0, np.asarray(fitted.location_), np.asarray(fitted.precision_), 1.0)
        off, along = (
            float(np.median(part))
            for part in (found.measure_off(errors), found.measure_along(latents))
        )
        return cls(scales, off or 1.0, found.centre, found.precision, along or 1.0)

    def measure_off(self, errors: Floats) -> Floats:
        """Return the distance of each row from its copy; 1 for a typical training row."""
        distances: Floats = (errors / self.scales).sum(axis=1) / self.off
        return distances

    def measure_along(self, latents: NDArray[Any]) -> Floats:
        """Return the squared distance of each row's latent from the centre, in the same units."""
        deviations = np.asarray(latents, np.float64) - self.centre
        found: Floats = np.einsum("nk,kl,nl->n", deviations, self.precision, deviations)
        distances: Floats = np.maximum(found, 0) / self.along
        return distances

    def share(self, errors: Floats, latents: NDArray[Any], copied: Floats) -> Floats:
        """Return what each feature adds to its row's distance, (rows, features).

        The distance along the model belongs to no feature: it is shared out as the copy's
        deviation from the mean row is.

        Args:
            errors: Each feature's part of its row's error.
            latents: Of the same rows.
            copied: Each feature's part of the squared deviation of the copy from the mean row.
        """
        total = copied.sum(axis=1, keepdims=True)
        even = np.full_like(copied, 1 / copied.shape[1])
        shares = np.divide(copied, total, out=even, where=total > 0)
        along: Floats = self.measure_along(latents)[:, None] * shares
        return errors / self.scales / self.off + along
