"""What a trained autoencoder does with one batch of rows; whole data are a loop around it."""

from abc import ABC
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from truecopy.data.finite import check_batches
from truecopy.data.frames import Table
from truecopy.data.plan import Plan
from truecopy.data.source import Source
from truecopy.metrics.baselines import Baselines
from truecopy.models.deviations import measure_deviations
from truecopy.models.networks import predict


class Batchwise(ABC):
    """A trained autoencoder's work on batches in the user's units: (rows, ...) of any number.

    Rows of a table are its features, NaN where a cell is missing.
    """

    model_: Any
    encoder_: Any
    plan_: Plan
    baselines_: Baselines
    table_: Table | None

    def encode_batch(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        """Return the latents (rows, latent)."""
        return predict(self.encoder_, self._complete(batch))

    def reconstruct_batch(self, batch: NDArray[Any]) -> NDArray[np.float64]:
        """Return the copies, in the user's units."""
        return self.plan_.scaling.undo(predict(self.model_, self._complete(batch)))

    def contribution_batch(self, batch: NDArray[Any]) -> NDArray[np.float64]:
        """Return each feature's, or each column's, part of its row's error."""
        units = self.baselines_.units
        copies, rows = (units.scaling.apply(x) for x in (self.reconstruct_batch(batch), batch))
        return measure_deviations(copies, rows, units.facts)

    def error_batch(self, batch: NDArray[Any]) -> NDArray[np.float64]:
        """Return the mean squared error of each row, in the data's scaled units."""
        errors: NDArray[np.float64] = self.contribution_batch(batch).sum(axis=1)
        return errors

    def floor_batch(self, batch: NDArray[Any]) -> NDArray[np.float64]:
        """Return the error of each row's copy by the training rows' mean."""
        units = self.baselines_.units
        rows = units.scaling.apply(batch)
        means = np.broadcast_to(self.baselines_.pca.mean.reshape(rows.shape[1:]), rows.shape)
        floors: NDArray[np.float64] = measure_deviations(means, rows, units.facts).sum(axis=1)
        return floors

    def extent_batch(self, batch: NDArray[Any]) -> NDArray[np.float64]:
        """Return each feature's, or column's, part of how far its row's copy is from the mean."""
        units = self.baselines_.units
        copies = units.scaling.apply(self.reconstruct_batch(batch))
        means = self.baselines_.pca.mean.reshape(copies.shape[1:])
        return measure_deviations(copies, np.where(np.isnan(batch), np.nan, means), units.facts)

    def batches(self, source: Source) -> Iterator[NDArray[Any]]:
        """Give the rows of a source batch by batch, refusing what can't be scaled.

        Raises:
            NonFiniteData: There are NaN, infinite, far too large or, for counts, negative values.
                (NaN is what is missing in a table, whose cells were checked when it was opened.)
        """
        holes, scaling = self.table_ is not None, self.plan_.scaling
        return check_batches(source.batches(), scaling, name=source.name, holes=holes)

    def _complete(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        """Return scaled rows with what is expected in place of what is missing."""
        rows = self.plan_.scaling.apply(batch)
        factors = self.baselines_.factors
        return rows if factors is None else factors.fill(rows)
