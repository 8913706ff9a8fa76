"""Rows unlike those that an autoencoder was trained on: copied badly, or far from the others."""

from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.exceptions import NotFittedError

from truecopy.data.source import ArraySource, PickedSource, Source, SubsetSource
from truecopy.data.split import split_rows
from truecopy.errors import EmptyData, InvalidArgument
from truecopy.models.autoencoder import Autoencoder
from truecopy.models.calibration import (
    calibrate_on_all,
    calibrate_on_held_out,
    check_share,
)
from truecopy.models.distances import Distances
from truecopy.models.inputs import name_features, open_training
from truecopy.models.outlier_report import OutlierReport, report_outliers
from truecopy.models.pickling import reduce_estimator
from truecopy.models.settings import check_settings, is_count

# One training row is none to learn from.
_FEWEST_TRAINING: Final = 2
# Rows that tell what is typical: a median of 5,000 is known to about two percent.
_MOST_MEASURED: Final = 5_000


class OutlierDetector(
    OutlierMixin,  # type: ignore[misc]  # scikit-learn ships no types
    BaseEstimator,  # type: ignore[misc]
):
    """Flags rows that an `Autoencoder`, trained on ordinary rows, copies badly or finds far off.

    A row's distance has two parts, each 1 for a typical training row: its error, each feature's
    in parts of its typical one, and the robust Mahalanobis distance of its latent (after ROBPCA:
    Hubert, Rousseeuw & Vanden Branden 2005). Both are measured on the training rows.

    The threshold comes from rows that had no part in the training, because training rows are
    copied better than any new row will be: taken from them, it would flag too many.

    Args:
        latent: As in `Autoencoder`, as are all but the last three.
        model: As in `Autoencoder`.
        noise: As in `Autoencoder`.
        epochs: As in `Autoencoder`.
        batch_size: As in `Autoencoder`.
        learning_rate: As in `Autoencoder`.
        validation: As in `Autoencoder`.
        patience: As in `Autoencoder`.
        seed: As in `Autoencoder`; it also draws the rows for the threshold.
        quiet: As in `Autoencoder`.
        categorical: As in `Autoencoder`.
        ignore: As in `Autoencoder`.
        unseen: As in `Autoencoder`.
        contamination: 'auto': the rows given to `fit` are ordinary ones, and the threshold
            keeps `false_alarms` on new rows. A share (0 to 0.5): so many of the rows given to
            `fit` are outliers, and so many of them are flagged; all rows train.
        false_alarms: With contamination='auto', the share of ordinary new rows that may be
            flagged. 0.05, as a 5 % test: it takes 19 rows to promise, 0.01 would take 99.
        calibration: With contamination='auto', the share of rows kept for the threshold, at
            most 5,000 rows.

    Attributes:
        autoencoder_: The fitted `Autoencoder`.
        distances_: What is typical of the training rows' errors and latents.
        calibration_: The threshold and where it comes from.
        offset_: Minus the threshold: `decision_function` is `score_samples` less this.

    Example:
        >>> import numpy as np
        >>> rows = np.random.default_rng(0).normal(size=(200, 1)) * [1.0, 2.0, 3.0]
        >>> detector = OutlierDetector(latent=1, epochs=2, quiet=True).fit(rows)
        >>> detector.predict([[50.0, -50.0, 50.0]])
        array([-1])
        >>> detector.calibration_.rows, round(detector.calibration_.promised, 3)
        (40, 0.049)
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
        contamination: float | str = "auto",
        false_alarms: float = 0.05,
        calibration: float = 0.2,
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
        self.contamination = contamination
        self.false_alarms = false_alarms
        self.calibration = calibration

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803
        """Train on the rows of `X` and choose the threshold.

        Args:
            X: All that `Autoencoder.fit` takes.
            y: Ignored.

        Raises:
            InvalidArgument: A setting is not what it must be.
            DataError: As `Autoencoder.fit`; or too few rows to keep some for the threshold.
        """
        del y
        automatic = isinstance(self.contamination, str) and self.contamination == "auto"
        if not automatic:
            check_share("contamination", self.contamination, most=0.5)
        check_share("false_alarms", self.false_alarms, most=0.5)
        check_share("calibration", self.calibration, most=0.9)
        own = Autoencoder._get_param_names()  # noqa: SLF001 (scikit-learn's word for them)
        autoencoder = Autoencoder(**{name: getattr(self, name) for name in own})
        check_settings(autoencoder)
        source = open_training(autoencoder, X)
        if automatic:
            training, held_out = _keep_some(source, self.calibration, seed=self.seed)
            autoencoder.fit_source(training)
            self.distances_ = self._fit_distances(autoencoder, training)
            found = self._measure(autoencoder, held_out)
            self.calibration_ = calibrate_on_held_out(found, self.false_alarms)
        else:
            autoencoder.fit_source(source)
            self.distances_ = self._fit_distances(autoencoder, source)
            found = self._measure(autoencoder, source)
            self.calibration_ = calibrate_on_all(found, float(self.contamination))
        self.offset_: float = -self.calibration_.threshold
        self.autoencoder_: Autoencoder = autoencoder
        self.n_features_in_: int = autoencoder.n_features_in_
        if hasattr(autoencoder, "feature_names_in_"):
            self.feature_names_in_ = autoencoder.feature_names_in_
        return self

    def score_samples(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Return minus the distance of each row: the lower, the more abnormal."""
        autoencoder = self._fitted()
        return -self._measure(autoencoder, autoencoder.open(X, strict=True))

    def decision_function(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Return `score_samples` less `offset_`: below 0 for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> NDArray[np.int64]:  # noqa: N803
        """Return -1 for outliers and 1 for all other rows."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def contributions(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Return what each feature adds to its row's distance, in the shape of the rows.

        Of a table it is each column: (rows, columns). The sum over a row is its distance, minus
        `score_samples`. The part of the latent, which belongs to no feature, is shared out as
        the squared deviation of the row's copy from the mean row is.
        """
        autoencoder = self._fitted()
        return self._share(autoencoder, autoencoder.open(X))

    def report(self, X: Any, *, most: int = 10) -> OutlierReport:  # noqa: N803
        """Return which rows of `X` are outliers, the farthest ones with the columns to blame.

        Args:
            X: Rows like those given to `fit`.
            most: How many of the farthest rows to name.

        Returns:
            What can be printed, or saved as .html, .json or .txt.

        Raises:
            InvalidArgument: `most` is not a whole number from 1 up.
            DataError: As `score_samples`.
        """
        if not is_count(most):
            raise InvalidArgument("most", "report", "a whole number from 1 up", got=most)
        autoencoder = self._fitted()
        source = autoencoder.open(X)
        distances = self._measure(autoencoder, source)
        farthest = np.argsort(-distances, kind="stable")[:most]
        picked = np.sort(farthest)
        parts = self._share(autoencoder, PickedSource(source, picked))
        shares = dict(zip(picked.tolist(), parts.reshape(len(picked), -1), strict=True))
        return report_outliers(
            distances,
            [(row, shares[row]) for row in farthest.tolist()],
            names=name_features(autoencoder, source),
            calibration=self.calibration_,
            data=source.name,
        )

    def _share(self, autoencoder: Autoencoder, source: Source) -> NDArray[np.float64]:
        table = autoencoder.table_
        shape = source.shape if table is None else (len(table.columns),)
        parts = [
            self.distances_.share(
                autoencoder.contribution_batch(batch),
                autoencoder.encode_batch(batch),
                autoencoder.extent_batch(batch),
            )
            for batch in autoencoder.batches(source)
        ]
        return np.concatenate(parts).reshape(-1, *shape)

    def _fit_distances(self, autoencoder: Autoencoder, source: Source) -> Distances:
        """Measure what is typical on some of the training rows."""
        rows = source.array()
        some = rows[:: max(1, len(rows) // _MOST_MEASURED)]
        batches = list(autoencoder.batches(ArraySource(some, name=source.name)))
        errors = np.concatenate([autoencoder.contribution_batch(batch) for batch in batches])
        latents = np.concatenate([autoencoder.encode_batch(batch) for batch in batches])
        columns = autoencoder.plan_.facts.columns
        categories = (
            np.array([column.output != "linear" for column in columns]) if columns else False
        )
        return Distances.fit(errors, latents, categories=categories, seed=self.seed)

    def _measure(self, autoencoder: Autoencoder, source: Source) -> NDArray[np.float64]:
        """Return the distance of each row."""
        parts: list[NDArray[np.float64]] = []
        for batch in autoencoder.batches(source):
            off = self.distances_.measure_off(autoencoder.contribution_batch(batch))
            parts.append(off + self.distances_.measure_along(autoencoder.encode_batch(batch)))
        return np.concatenate(parts)

    def _fitted(self) -> Autoencoder:
        if not hasattr(self, "autoencoder_"):
            message = "This OutlierDetector is not fitted yet. Call fit first."
            raise NotFittedError(message)
        return self.autoencoder_

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle Keras models as the bytes of their files, read back in safe mode."""
        return reduce_estimator(self)

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that rows may be pictures."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _keep_some(source: Source, share: float, *, seed: int) -> tuple[Source, Source]:
    """Return the rows that train, and those kept for the threshold.

    Raises:
        EmptyData: There are too few.
    """
    rows = source.array()
    # Another draw than that of the validation rows, which come out of what is left.
    split = split_rows(source, share, seed=seed + 1)
    if not len(split.held_out) or len(split.training) < _FEWEST_TRAINING:
        message = (
            f"The data {source.name!r} have {len(rows)} row(s) (n_samples={len(rows)}): too few "
            f"different ones to keep a share of {share:g} for the threshold. Give more, or a "
            "contamination."
        )
        raise EmptyData(message)
    return (
        SubsetSource(rows, split.training, name=source.name),
        SubsetSource(rows, split.held_out, name=f"{source.name}'s held-out part"),
    )
