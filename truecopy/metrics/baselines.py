"""What learned nothing and what is linear: the copies every figure is compared with.

Fitted once on training rows, in the units figures are given in: the best constants, the mean
image, and a PCA of the model's latent width.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from truecopy.data.plan import Plan
from truecopy.data.sources import Source
from truecopy.models.pca import PrincipalComponents, fit_pca

# Values from which median and mode are taken: the first rows of every batch, so that sorted
# data are sampled evenly.
_SAMPLE_VALUES: Final = 4_000_000


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Baselines:
    """Fitted trivial and linear copies.

    Attributes:
        units: The plan whose scaling gives the units of every figure.
        constants: The mean, median and mode of all values.
        pca: The PCA of the model's latent width; its mean is the mean image.
        fitted_on: In words, the rows it was fitted on.
    """

    units: Plan
    constants: dict[str, float]
    pca: PrincipalComponents
    fitted_on: str

    def predict(self, rows: NDArray[Any], constant: str) -> dict[str, NDArray[Any]]:
        """Return the copy of each baseline for scaled `rows`, the input of the copier.

        Args:
            rows: Shape (rows, ...), noisy if the model sees noise.
            constant: Which constant is the best: 'mean', 'median' or 'mode'.
        """
        low = self.units.facts.target_range[0] if self.units.facts.target_range else 0.0
        everywhere = np.full_like(rows, self.constants[constant])
        mean = np.broadcast_to(self.pca.mean.reshape(rows.shape[1:]), rows.shape)
        copies = {"blank": np.full_like(rows, low), "constant": everywhere, "mean": mean}
        if len(self.pca.components):
            copies["pca"] = self.pca.reconstruct(rows)
        return copies

    def save(self, path: Path) -> None:
        """Write everything but `units`, which stands in the plan, to an .npz file."""
        np.savez(
            path,
            mean=self.pca.mean,
            components=self.pca.components,
            constants=np.array([self.constants[k] for k in ("mean", "median", "mode")]),
            fitted_on=np.array(self.fitted_on),
        )

    @classmethod
    def load(cls, path: Path, units: Plan) -> Self:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            constants = dict(zip(("mean", "median", "mode"), stored["constants"], strict=True))
            return cls(
                units=units,
                constants={name: float(value) for name, value in constants.items()},
                pca=PrincipalComponents(stored["mean"], stored["components"]),
                fitted_on=str(stored["fitted_on"]),
            )


def fit_baselines(source: Source, units: Plan, *, latent: int) -> Baselines:
    """Fit the baselines on the rows of `source`.

    Args:
        source: The training rows.
        units: The plan whose scaling gives the units.
        latent: The model's latent width, for the PCA; 0 where it is unknown: no PCA then.
    """
    features = int(np.prod(source.shape))
    pca = fit_pca(
        lambda: (units.scaling.apply(batch) for batch in source.batches()),
        features=features,
        latent=latent,
    )
    sample = _sample(source, units, features)
    values, counts = np.unique(sample, return_counts=True)
    constants = {
        "mean": float(pca.mean.mean()),
        "median": float(np.median(sample)),
        "mode": float(values[counts.argmax()]),
    }
    rows = "?" if source.rows is None else f"{source.rows:,}"
    return Baselines(
        units=units, constants=constants, pca=pca, fitted_on=f"the {rows} rows of {source.name}"
    )


def _sample(source: Source, units: Plan, features: int) -> NDArray[np.float32]:
    """Return values of the first rows of every batch, as many in all as are allowed."""
    batches = -(-(source.rows or 1024) // 1024)
    share = max(1, _SAMPLE_VALUES // (features * batches))
    return np.concatenate(
        [units.scaling.apply(batch[:share]).ravel() for batch in source.batches(1024)]
    )
