"""The threshold above which a row counts as an outlier, with the rows that it came from."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from truecopy.errors import InvalidArgument
from truecopy.outlier_facts import Calibration


def check_share(argument: str, got: Any, *, most: float) -> None:
    """Refuse what is not a share above 0 and at most `most`.

    Raises:
        InvalidArgument: It is not.
    """
    number = isinstance(got, int | float | np.number) and not isinstance(got, bool)
    if not number or not 0 < got <= most:
        must_be = f"a share above 0, at most {most:g}"
        if argument == "contamination":
            must_be = f"'auto' or {must_be}"
        raise InvalidArgument(argument, "OutlierDetector", must_be, got=got)


def calibrate_on_held_out(errors: NDArray[np.float64], false_alarms: float) -> Calibration:
    """Choose the threshold that flags at most `false_alarms` of ordinary new rows, on average.

    A new row that is like the held-out ones is as likely to fall between any two of them as
    anywhere else, so the k-th smallest of n errors is exceeded with probability 1 - k/(n + 1):
    split conformal prediction (Vovk, Gammerman & Shafer 2005; Lei et al. 2018).

    Args:
        errors: Of n rows that had no part in the training, shape (n,).
        false_alarms: The share of ordinary rows that may be flagged.
    """
    rows = len(errors)
    # Rounded: (1 - 0.9) * 10 must count as 1.
    place = math.ceil(round((rows + 1) * (1 - false_alarms), 9))
    note = ""
    if place > rows:
        note = (
            f"{rows} held-out rows can't promise {false_alarms:.2g}: that takes "
            f"{math.ceil(1 / false_alarms) - 1}. The threshold is the largest error among them."
        )
        place = rows
    return Calibration(
        threshold=float(np.sort(errors)[place - 1]),
        rows=rows,
        taken_from=f"{rows:,} rows that had no part in the training",
        asked=false_alarms,
        promised=1 - place / (rows + 1),
        note=note,
    )


def calibrate_on_all(errors: NDArray[np.float64], contamination: float) -> Calibration:
    """Choose the threshold that flags `contamination` of the rows given to `fit`.

    Args:
        errors: Of all rows given to `fit`, shape (rows,).
        contamination: The share of outliers among them.
    """
    rows = len(errors)
    # Negated first and last, so that ties and interpolation are those of scikit-learn's own.
    threshold = -float(np.percentile(-errors, 100 * contamination))
    return Calibration(
        threshold=threshold,
        rows=rows,
        taken_from=f"all {rows:,} rows given to fit, those that trained among them",
        asked=contamination,
        promised=float((errors > threshold).mean()),
    )
