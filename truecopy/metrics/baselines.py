"""What learned nothing and what is linear: the copies every figure is compared with.

Fitted once on training rows, in the units figures are given in: the best constants, the mean
image, a PCA of the model's latent width, and a memory of training rows.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from truecopy.data.duplicates import hash_rows
from truecopy.data.plan import Plan
from truecopy.data.sources import Source
from truecopy.models.incomplete import Factors
from truecopy.models.pca import PrincipalComponents, fit_pca

# Values from which median and mode are taken: the first rows of every batch, so that sorted
# data are sampled evenly.
_SAMPLE_VALUES: Final = 4_000_000
# Rows that the memorising copy chooses from: enough to look like most rows, few enough to
# search and to store with a run.
_MEMORY_ROWS: Final = 1_000
# 8 MB, which every run folder holds.
_MOST_HASHES: Final = 1_000_000
_BATCH: Final = 1_024
# How `factors` are called in a file, in the order of their fields.
_FILLING: Final = ("fill_mean", "fill_weights", "fill_noise")
CONSTANTS: Final = ("mean", "median", "mode", "middle", "end", "raw_mean")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Baselines:
    """Fitted trivial and linear copies.

    Attributes:
        units: The plan whose scaling gives the units of every figure.
        constants: The mean, median and mode of all values; their 'middle', halfway between
            the smallest and the largest; the 'end', 0 or 1, that more of them are; the
            'raw_mean', which is the mean in the user's units, scaled.
        pca: The PCA of the model's latent width; its mean is the mean image.
        memory: Training rows, flat (rows, features): the memorising copy gives back the one
            nearest to what it sees.
        fitted_on: In words, the rows it was fitted on.
        hashes: A hash of each different one of these rows, in order, by which they are known
            again; empty where there were too many.
        factors: Fill in a table's missing cells; None where there is no table.
    """

    units: Plan
    constants: dict[str, float]
    pca: PrincipalComponents
    memory: NDArray[np.float32]
    fitted_on: str
    hashes: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))

    factors: Factors | None = None

    def count_known(self, rows: NDArray[np.float32]) -> int:
        """Return how many of the scaled `rows` (rows, ...) equal one it was fitted on."""
        return int(np.isin(hash_rows(rows), self.hashes).sum()) if len(self.hashes) else 0

    def predict(self, seen: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return the copies of scaled rows (rows, ...), noisy if the model sees noise."""
        low = self.units.facts.target_range[0] if self.units.facts.target_range else 0.0
        mean = self.pca.mean.reshape(seen.shape[1:]).astype(np.float32)
        copies = {
            "blank": np.full_like(seen, low),
            "mean": np.broadcast_to(mean, seen.shape),
            "nearest": self._find_nearest(seen),
        }
        if len(self.pca.components):
            copies["pca"] = self.pca.reconstruct(seen).astype(np.float32)
        return copies

    def constant(self, name: str, like: NDArray[Any]) -> NDArray[Any]:
        """Return rows of one of the `constants`."""
        return np.full_like(like, self.constants[name])

    def _find_nearest(self, seen: NDArray[Any]) -> NDArray[np.float32]:
        flat = seen.reshape(len(seen), -1)
        # |x - m|^2 less |x|^2, which is the same for every m.
        distance = np.einsum("mf,mf->m", self.memory, self.memory) - 2 * flat @ self.memory.T
        nearest: NDArray[np.float32] = self.memory[distance.argmin(axis=1)]
        return nearest.reshape(seen.shape)

    def save(self, path: Path) -> None:
        """Write everything but `units`, which stands in the plan, to an .npz file."""
        found = self.factors
        filling = {} if found is None else {name: getattr(found, name[5:]) for name in _FILLING}
        np.savez_compressed(
            path,
            mean=self.pca.mean,
            components=self.pca.components,
            constants=np.array([self.constants[k] for k in CONSTANTS]),
            memory=self.memory,
            fitted_on=np.array(self.fitted_on),
            hashes=self.hashes,
            **filling,
        )

    @classmethod
    def load(cls, path: Path, units: Plan) -> Self:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            constants = dict(zip(CONSTANTS, stored["constants"], strict=True))
            return cls(
                units=units,
                constants={name: float(value) for name, value in constants.items()},
                pca=PrincipalComponents(stored["mean"], stored["components"]),
                memory=stored["memory"],
                fitted_on=str(stored["fitted_on"]),
                hashes=stored["hashes"] if "hashes" in stored else np.zeros(0, np.uint64),
                factors=Factors(*(stored[name] for name in _FILLING))
                if _FILLING[0] in stored
                else None,
            )


def fit_baselines(
    source: Source, units: Plan, *, latent: int, factors: Factors | None = None
) -> Baselines:
    """Fit the baselines on the rows of `source`.

    Args:
        source: The training rows.
        units: The plan whose scaling gives the units.
        latent: The model's latent width, for the PCA; 0 where it is unknown: no PCA then.
        factors: What fills in a table's missing cells.
    """
    features = int(np.prod(source.shape))
    pca = fit_pca(
        lambda: (units.scaling.apply(batch) for batch in source.batches(_BATCH)),
        features=features,
        latent=latent,
    )
    # The pass above has counted the rows.
    rows = source.rows or 0
    sample = _sample(source, units, rows, features)
    values, counts = np.unique(sample.values, return_counts=True)
    constants = {
        "mean": float(pca.mean.mean()),
        "median": float(np.median(sample.values)),
        "mode": float(values[counts.argmax()]),
        "middle": (sample.low + sample.high) / 2,
        "end": float(np.sum(sample.values == 1) > np.sum(sample.values == 0)),
        "raw_mean": sample.raw_mean,
    }
    return Baselines(
        units=units,
        constants=constants,
        pca=pca,
        memory=sample.memory,
        fitted_on=f"the {rows:,} rows of {source.name} (nearest row: of {len(sample.memory):,})",
        hashes=sample.hashes,
        factors=factors,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """Values for median and mode, rows for the memory; of all values, range and raw mean."""

    values: NDArray[np.float32]
    memory: NDArray[np.float32]
    low: float
    high: float
    raw_mean: float
    hashes: NDArray[np.uint64]


def _sample(source: Source, units: Plan, rows: int, features: int) -> _Sample:
    """Sample the rows of `source` in one pass.

    Values and memory come from the first rows of every batch, as many of each as together
    are allowed.
    """
    batches = -(-rows // _BATCH)
    share = max(1, _SAMPLE_VALUES // (features * batches))
    kept = -(-_MEMORY_ROWS // batches)
    values, memory, hashes = [], [], []
    low, high, total = np.inf, -np.inf, 0.0
    for batch in source.batches(_BATCH):
        scaled = units.scaling.apply(batch).reshape(-1, features)
        values.append(scaled[:share].flatten())
        memory.append(scaled[:kept].copy())
        if rows <= _MOST_HASHES:
            hashes.append(hash_rows(scaled))
        low, high = min(low, float(scaled.min())), max(high, float(scaled.max()))
        total += float(batch.sum(dtype=np.float64))
    mean = np.full((1, *source.shape), total / (rows * features))
    return _Sample(
        np.concatenate(values),
        np.concatenate(memory)[:_MEMORY_ROWS],
        low,
        high,
        float(units.scaling.apply(mean).mean()),
        np.unique(np.concatenate(hashes)) if hashes else np.zeros(0, np.uint64),
    )
