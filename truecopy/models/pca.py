"""Principal component analysis: the best linear autoencoder, and so everyone's baseline.

Fitted in batches for any number of rows. Up to 2,048 features the covariance is streamed and
solved exactly; beyond, by randomised subspace iteration (Halko, Martinsson & Tropp 2011,
algorithm 4.4), which passes over the rows a few times and never holds more than one batch.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from truecopy.streaming import (
    Floats,
    comoments_of,
    empty_comoments,
    merge_comoments,
    merge_moments,
    moments_of,
)

_MOST_EXACT_FEATURES: Final = 2_048
# Directions drawn beyond those asked for, and passes: both as Halko et al. advise for
# spectra that fall slowly.
_OVERSAMPLING: Final = 10
_PASSES: Final = 4

Batches = Callable[[], Iterable[NDArray[Any]]]


@dataclass(frozen=True, slots=True, eq=False)
class PrincipalComponents:
    """A fitted PCA: `mean` (features,) and orthonormal `components` (latent, features)."""

    mean: Floats
    components: Floats

    def encode(self, rows: NDArray[Any]) -> Floats:
        """Return the latents (rows, latent) of `rows` (rows, ...)."""
        flat: Floats = rows.reshape(len(rows), -1) - self.mean
        return flat @ self.components.T

    def decode(self, latents: NDArray[Any]) -> Floats:
        """Return flat rows (rows, features) for latents (rows, latent)."""
        rows: Floats = latents @ self.components + self.mean
        return rows

    def reconstruct(self, rows: NDArray[Any]) -> Floats:
        """Return the reconstruction of `rows`, in their shape."""
        return self.decode(self.encode(rows)).reshape(rows.shape)


def fit_pca(batches: Batches, *, features: int, latent: int) -> PrincipalComponents:
    """Fit a PCA to rows that come in batches.

    Args:
        batches: Called once per pass; gives batches of shape (rows, ...).
        features: The number of values in a row.
        latent: How many components to keep, at most as many as there are features; 0
            gives the mean alone.
    """
    latent = min(latent, features)
    if features <= _MOST_EXACT_FEATURES:
        parts = (comoments_of(batch.reshape(len(batch), -1)) for batch in batches())
        whole = reduce(merge_comoments, parts, empty_comoments(features))
        if latent == 0:
            return PrincipalComponents(whole.mean, np.zeros((0, features)))
        _, vectors = eigh(whole.products, subset_by_index=(features - latent, features - 1))
        return PrincipalComponents(whole.mean, vectors.T[::-1])
    return _fit_randomised(batches, features, latent)


def _fit_randomised(batches: Batches, features: int, latent: int) -> PrincipalComponents:
    first = next(iter(batches()))
    moments = reduce(
        merge_moments,
        (moments_of(b.reshape(len(b), -1)) for b in batches()),
        moments_of(first.reshape(len(first), -1)[:0]),
    )
    mean = moments.mean
    basis = np.random.default_rng(0).standard_normal((features, latent + _OVERSAMPLING))
    for _ in range(_PASSES):
        basis, _ = np.linalg.qr(basis)
        product = np.zeros_like(basis)
        for batch in batches():
            centred = batch.reshape(len(batch), -1) - mean
            product += centred.T @ (centred @ basis)
        basis = product
    # The product is C @ Q for the covariance C: its left singular vectors are C's leading ones.
    vectors, _, _ = np.linalg.svd(basis, full_matrices=False)
    return PrincipalComponents(mean, vectors.T[:latent])
