"""The outlier detector in PyOD's words: the higher a score, the more abnormal; 1 for outliers.

For programs that hold many of PyOD's detectors (Zhao, Nasrullah & Li 2019) and call them all
the same way. PyOD itself is not needed.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from truecopy.models.outliers import OutlierDetector


class PyodDetector(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """An `OutlierDetector` with PyOD's attributes and signs.

    Args:
        detector: The settings; a copy of it is fitted. None: an `OutlierDetector()`.
        contamination: The share of outliers among the rows given to `fit`; PyOD's default.

    Attributes:
        detector_: The fitted `OutlierDetector`.
        decision_scores_: The distance of each row given to `fit`, shape (rows,).
        threshold_: Distances above it belong to outliers.
        labels_: 1 for the outliers among the rows given to `fit`, else 0.
    """

    def __init__(
        self, detector: OutlierDetector | None = None, *, contamination: float = 0.1
    ) -> None:
        self.detector = detector
        self.contamination = contamination

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803
        """Fit a copy of the detector to the rows of `X`; `y` is ignored."""
        del y
        told = OutlierDetector() if self.detector is None else clone(self.detector)
        self.detector_ = told.set_params(contamination=self.contamination).fit(X)
        self.threshold_: float = self.detector_.calibration_.threshold
        self.decision_scores_: NDArray[np.float64] = self.decision_function(X)
        self.labels_: NDArray[np.int64] = (self.decision_scores_ > self.threshold_).astype(int)
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Return the distance of each row: the higher, the more abnormal."""
        distances: NDArray[np.float64] = -self.detector_.score_samples(X)
        return distances

    def predict(self, X: Any) -> NDArray[np.int64]:  # noqa: N803
        """Return 1 for outliers and 0 for all other rows."""
        return (self.decision_function(X) > self.threshold_).astype(int)
