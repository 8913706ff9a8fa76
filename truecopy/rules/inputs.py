"""What the rules ask of the inputs: who scales them, and what kind of numbers they are."""

from typing import Final

from truecopy.facts import DataFacts
from truecopy.reports.wording import format_number
from truecopy.rules.facts import AuditFacts
from truecopy.rules.measured import SCALING_LAYERS, is_number

# From two dimensions on, a row is a picture or a sequence rather than a table's row.
PICTURE_DIMENSIONS: Final = 2
# Initial weights expect inputs of size about 1 (Glorot and Bengio 2010). Standardised values have
# a root mean square of 1, bytes one of about 100; from 5 on the first layer starts 5 times off.
LARGE: Final = 5.0
# Grey levels are whole numbers too: what ends at one of these is a picture's range.
GREY_MAXIMA: Final = (1.0, 15.0, 16.0, 255.0, 65535.0)
# Sums of one-hot float32 values are 1 up to rounding.
_NEAR_ONE: Final = 1e-3
# What stands before the first weights and leaves the scale as it is.
_PASSING: Final = (
    *("InputLayer", "Flatten", "Reshape", "Permute", "Dropout", "GaussianNoise", "Masking"),
    *("SpatialDropout1D", "SpatialDropout2D", "GaussianDropout", "ZeroPadding1D", "ZeroPadding2D"),
    *("Cropping2D", "RepeatVector", "Concatenate", "Identity", "AlphaDropout", "Cropping1D"),
)


def scales_itself(facts: AuditFacts) -> bool:
    """Whether something between the input and the first weights changes the scale."""
    for layer in facts.model.layers:
        if layer.kind in SCALING_LAYERS:
            return True
        if layer.parameters:
            return False
        if layer.kind not in _PASSING and facts.model.first_input is None:
            return True  # a Lambda or a division that can't be looked into: no accusation
    return False


def is_grey(data: DataFacts) -> bool:
    """Whether these look like the grey levels of a flattened picture."""
    return data.minimum == 0 and data.maximum in GREY_MAXIMA


def sums_to_one(sums: tuple[float, float, float] | None) -> bool:
    """Whether the least, the median and the largest sum over the last axis are all 1."""
    return sums is not None and all(is_number(s) and abs(s - 1) < _NEAR_ONE for s in sums)


def scaling_for(data: DataFacts, *, bounded: bool) -> tuple[dict[str, object], str]:
    """Return the scaling that fits the data, as a change and in words."""
    if data.minimum >= 0 and data.maximum in GREY_MAXIMA:
        top = format_number(data.maximum)
        return (
            {"action": "scale_data", "scaling": "divide", "by": data.maximum},
            f"Divide inputs and targets by {top}, as float32.",
        )
    if bounded or (data.minimum >= 0 and len(data.shape) >= PICTURE_DIMENSIONS):
        return (
            {"action": "scale_data", "scaling": "minmax"},
            "Scale inputs and targets into [0, 1] by the training rows' range.",
        )
    return (
        {"action": "scale_data", "scaling": "standardise"},
        "Standardise each feature by the training rows' mean and standard deviation.",
    )
