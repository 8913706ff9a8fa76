"""The estimator: looks at the data, plans, builds, trains; then encodes and reconstructs."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import NotFittedError

from truecopy.data.frames import join_frames, make_frame
from truecopy.data.mixed import put_back
from truecopy.data.noise import Noise, parse_noise
from truecopy.data.plan import Plan
from truecopy.data.profile import Profile
from truecopy.data.source import Source
from truecopy.errors import Diverged, InvalidArgument
from truecopy.facts import RunFacts
from truecopy.metrics.baselines import Baselines
from truecopy.models.batchwise import Batchwise
from truecopy.models.fitting import Fitted, fit_source
from truecopy.models.inputs import (
    describe_inputs,
    open_like_training,
    open_scorable,
    open_training,
    restore_inputs,
)
from truecopy.models.networks import Networks, predict
from truecopy.models.pickling import reduce_estimator
from truecopy.models.saving import read_run, write_run
from truecopy.models.settings import check_settings
from truecopy.training.run_folder import new_folder


class Autoencoder(
    Batchwise,
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]  # scikit-learn ships no types
    TransformerMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    """An autoencoder that looks at the data before it decides how to train.

    Args:
        latent: The width of the latent. None: the recipe's, else 16 or half the number of
            values in a row, whichever is less.
        model: 'auto' (conv for images from 8x8 up, else dense), 'dense', 'conv',
            'recipe:NAME', or a Keras model whose output has the shape of its input (it is
            cloned; it must have layers named 'encoder' and 'decoder').
        noise: Corrupts inputs while training: 'gaussian:SD', 'gaussian:MEAN,SD',
            'salt-pepper:RATE' or 'masking:RATE', in scaled units; None: no noise.
        epochs: The most epochs to train. None: the recipe's, else 20.
        batch_size: Rows per step. None: the recipe's, else 128, and down to 16 for fewer than
            4,096 rows, so that an epoch has 32 steps.
        learning_rate: Adam's. None: the recipe's; else 0.004 for the networks of pictures, which
            normalise over the batch, and 0.001 for others. The former's falls to 0 over the
            epochs, along a cosine.
        validation: The share of rows held out to find the best epoch; at most 5,000 rows. Which,
            their content decides, not their order, and equal rows are on the same side.
        patience: Stop after this many epochs without a better validation loss.
        seed: Draws weights, order, split and noise. The same seed gives the same history on
            the same machine with one thread.
        quiet: Show no progress bar.
        categorical: Names of a table's columns whose values are categories, though they are
            numbers or many different words.
        ignore: Names of a table's columns to leave out: ids, free text.
        unseen: What becomes of a category that wasn't in the training: 'missing', with a
            warning (it is then reconstructed as the likeliest known one), or 'error'.

    A frame, .csv or .parquet file with columns of several kinds, or with missing cells, gets a
    plan for each column (`plan_.facts.columns`): missing cells are left out of the loss and
    filled in by `reconstruct`.

    There is no `partial_fit`: the plan, the PCA to compare with and the choice of held-out rows
    need all rows; data larger than memory are given to `fit` as files or iterables.

    Attributes:
        profile_: What the data are like.
        held_out_: The numbers of the rows that found the best epoch; not saved, as `profile_`.
        plan_: Scaling, output activation and loss, each with its reason.
        model_, encoder_, decoder_: Keras models on shared weights, in scaled units.
        baselines_: The mean image and the PCA that figures are compared with, fitted to the rows
            that trained (to all rows where the data have a test set of their own).
        run_: How training went; `run_.history` has one value per epoch.
    """

    def __init__(  # noqa: PLR0913 (each is a setting of its own; scikit-learn wants them here)
        self,
        latent: int | None = None,
        *,
        model: Any = "auto",
        noise: str | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        validation: float = 0.1,
        patience: int = 5,
        seed: int = 0,
        quiet: bool = False,
        categorical: Sequence[str] = (),
        ignore: Sequence[str] = (),
        unseen: str = "missing",
    ) -> None:
        self.latent = latent
        self.model = model
        self.noise = noise
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation = validation
        self.patience = patience
        self.seed = seed
        self.quiet = quiet
        self.categorical = categorical
        self.ignore = ignore
        self.unseen = unseen

    def fit(
        self,
        X: Any,  # noqa: N803
        y: Any = None,
        *,
        callbacks: Sequence[Any] = (),
        checkpoint: str | os.PathLike[str] | None = None,
        resume: bool = False,
    ) -> Self:
        """Profile `X`, plan, build and train.

        Args:
            X: All that `truecopy.profile` takes: an array of shape (rows, ...), a path, a
                data set's name, an iterable of batches.
            y: Ignored: an autoencoder's target is its input.
            callbacks: Further Keras callbacks.
            checkpoint: A file for the state of the training after every epoch; it is removed
                when all is done. None: none is kept.
            resume: Go on from `checkpoint`, to the result that the uninterrupted training has.

        Raises:
            ModelError: There is nothing to resume from, or it is another training's.
            InvalidArgument: A setting is not what it must be.
            DataError: The data can't be read, or have NaN or infinite values.
            Diverged: The loss became NaN or infinite; says at which step and in which layer. The
                estimator is fitted all the same, with the last good weights.
        """
        del y
        check_settings(self)
        path = None if checkpoint is None else Path(checkpoint)
        source = open_training(self, X)
        self.fit_source(source, callbacks=callbacks, checkpoint=path, resume=resume)
        if path is not None:
            path.unlink(missing_ok=True)
        return self

    def fit_source(self, source: Source, **how: Any) -> None:
        """Fit to rows that are open already, as told in settings that have been checked."""
        self._adopt(fit_source(self, source, **how))
        if self.run_.diverged:
            raise Diverged(self.run_.stopped)

    def encode(self, X: Any) -> NDArray[np.float32]:  # noqa: N803
        """Return the latents (rows, latent) of rows in the user's units."""
        source = self.open(X)
        batches = [self.encode_batch(batch) for batch in self.batches(source)]
        return np.concatenate(batches)

    def decode(self, latents: NDArray[Any]) -> Any:
        """Return rows in the user's units, or a table, for latents of shape (rows, latent)."""
        self._require_fitted()
        latents = np.asarray(latents, np.float32)
        width = self.run_.latent
        if latents.ndim != 2 or latents.shape[1] != width:  # noqa: PLR2004 (rows, latent)
            must_be = f"an array of shape (rows, {width})"
            raise InvalidArgument("latents", "Autoencoder.decode", must_be, got=latents.shape)
        rows = self.plan_.scaling.undo(predict(self.decoder_, latents))
        return rows if self.table_ is None else make_frame(self.table_.decode(rows))

    def reconstruct(self, X: Any, *, only_missing: bool = False) -> Any:  # noqa: N803
        """Return the copy of rows, in their shape and in the user's units.

        Args:
            X: All that `fit` takes.
            only_missing: Of a table, replace missing cells only: imputation.

        Returns:
            An array; of a table with a plan for each column, a table like `X`, with its names,
            dtypes, index and the columns that were left out.
        """
        source = self.open(X)
        if self.table_ is not None:
            return join_frames(self.copy_tables(source, only_missing=only_missing))
        return np.concatenate([self.reconstruct_batch(batch) for batch in self.batches(source)])

    def copy_tables(self, source: Source, *, only_missing: bool = False) -> Iterator[Any]:
        """Give the copy of each chunk of an open table, as a table; see `reconstruct`."""
        table: Any = self.table_
        return put_back(table, source, self.reconstruct_batch, only_missing=only_missing)

    def transform(self, X: Any) -> NDArray[np.float32]:  # noqa: N803
        """Return the latents: `encode` for scikit-learn, which wants columns in their order."""
        return self.encode(self.open(X, strict=True))

    def inverse_transform(self, X: Any) -> Any:  # noqa: N803
        """Return rows for latents: scikit-learn's name for `decode`."""
        return self.decode(X)

    def score_samples(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Return minus the mean squared error of each row, in scaled units: higher is better."""
        return self.score_source(self.open(X, strict=True))

    def score_source(self, source: Source) -> NDArray[np.float64]:
        """Return minus the error of each row of an open source."""
        return -np.concatenate([self.error_batch(batch) for batch in self.batches(source)])

    def contributions(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Return what each feature adds to its row's error, in the shape of the rows.

        Of a table it is each column: (rows, columns). The sum over a row is its error, minus
        `score_samples`.
        """
        source = self.open(X)
        shape = source.shape if self.table_ is None else (len(self.table_.columns),)
        parts = [self.contribution_batch(batch) for batch in self.batches(source)]
        return np.concatenate(parts).reshape(-1, *shape)

    def score(self, X: Any, y: Any = None) -> float:  # noqa: N803
        """Return the skill: 0 for the training rows' mean image, 1 for a perfect copy.

        Of rows that all are that mean it is 1 if they are copied exactly, else 0, as
        scikit-learn's R2.
        """
        del y
        source = self.open(X, strict=True)
        error = floor = 0.0
        for batch in self.batches(source):
            error += float(self.error_batch(batch).sum())
            floor += float(self.floor_batch(batch).sum())
        return 1 - error / floor if floor > 0 else float(error == 0)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names of the latents: latent_0, latent_1, ...

        Args:
            input_features: The names of the columns; only checked against those seen in `fit`.
        """
        names = super().get_feature_names_out(input_features)
        return np.array([f"latent_{number}" for number in range(len(names))], object)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a new run folder that `truecopy.load` reads; plain Keras reads its models.

        Raises:
            OutputExists: There is something at `path` already.
        """
        with new_folder(path) as folder:
            self.write(folder)

    def write(self, folder: Path) -> None:
        """Write models, plan, history and baselines into an existing folder."""
        self._require_fitted()
        networks = Networks(self.model_, self.encoder_, self.decoder_)
        write_run(
            folder, networks, self.plan_, self.run_, self.baselines_, inputs=describe_inputs(self)
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle Keras models as the bytes of their files, read back in safe mode."""
        return reduce_estimator(self)

    def __sklearn_is_fitted__(self) -> bool:
        """Tell whether there is anything to use."""
        return hasattr(self, "run_")

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that rows may be pictures, and that latents are float32."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @property
    def _n_features_out(self) -> int:
        return self.run_.latent

    def _adopt(self, fitted: Fitted) -> None:
        """Take over what was trained or loaded."""
        networks = fitted.networks
        self.model_, self.encoder_ = networks.model, networks.encoder
        self.decoder_ = networks.decoder
        self.plan_: Plan = fitted.plan
        self.noise_: Noise | None = fitted.noise
        self.run_: RunFacts = fitted.run
        self.baselines_: Baselines = fitted.baselines
        if fitted.profile is not None:
            self.profile_: Profile = fitted.profile
        if fitted.held_out is not None:
            self.held_out_: NDArray[np.intp] = fitted.held_out

    def _require_fitted(self) -> None:
        if not hasattr(self, "run_"):
            message = "This Autoencoder is not fitted yet. Call fit, or truecopy.load a saved one."
            raise NotFittedError(message)

    def open(self, data: Any, *, strict: bool = False) -> Source:
        """Open rows for this fitted model.

        Args:
            data: All that `fit` takes; the columns of a table are put in order by name.
            strict: Refuse a frame's columns in another order, as scikit-learn's verbs must.

        Raises:
            ShapeMismatch: The rows don't have the shape, or the columns, of those it was
                trained on.
        """
        self._require_fitted()
        shape = tuple(self.model_.input_shape[1:])
        return open_like_training(self, data, shape, strict=strict)

    def open_scorable(self, data: Any) -> Source:
        """Open rows for `truecopy.evaluate`: of a table, those without missing cells."""
        self._require_fitted()
        return open_scorable(self, data)


def load(path: str | os.PathLike[str]) -> Autoencoder:
    """Return the fitted `Autoencoder` of a run folder.

    Raises:
        ModelError: There is no run folder at `path`, or a file in it is missing or broken.
    """
    networks, plan, run, baselines, inputs = read_run(Path(path))
    noise = None if run.noise is None else parse_noise(run.noise, bounds=plan.facts.target_range)
    loaded = Autoencoder(
        latent=run.latent,
        model=networks.model,
        noise=run.noise,
        epochs=run.epochs,
        batch_size=run.batch_size,
        learning_rate=run.learning_rate,
        seed=run.seed,
    )
    fitted = Fitted(networks=networks, plan=plan, noise=noise, run=run, baselines=baselines)
    loaded._adopt(fitted)  # noqa: SLF001 (same module)
    restore_inputs(loaded, inputs, plan.facts, features=baselines.pca.mean.size)
    return loaded
