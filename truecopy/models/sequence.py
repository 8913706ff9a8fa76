"""The convolutional autoencoder of windows of a time series: rows of (length, channels).

Each encoder stage halves the length, rounding up; the matching decoder stage doubles it and
crops the step too many, so the output has exactly the input's shape.
"""

from typing import Any, Final

import keras

from truecopy.errors import InvalidArgument
from truecopy.facts import PlanFacts
from truecopy.models.networks import Initializers, Networks, join

SHORTEST: Final = 8
# Wider than an image's: a step has only neighbours before and after it.
_KERNEL: Final = 5
_RANK: Final = 2


def suits_sequence(shape: tuple[int, ...]) -> bool:
    """Return whether windows of `shape`, (length, channels), are long enough to convolve."""
    return len(shape) == _RANK and shape[0] >= SHORTEST


def build_sequence(
    shape: tuple[int, ...], *, latent: int, plan: PlanFacts, seed: int = 0, name: str = "conv"
) -> Networks:
    """Build strided convolutions over time down to a dense latent, and mirrored ones up.

    Args:
        shape: The shape of one row: (length, channels).
        latent: The width of the latent; it is linear, so that it can carry signs.
        plan: Gives the output activation.
        seed: Draws the initial weights.
        name: The name of the whole model.

    Raises:
        InvalidArgument: `shape` is not that of a window of 8 steps or more, or the plan has a
            softmax output.
    """
    if not suits_sequence(shape):
        must_be = f"'dense' for windows of fewer than {SHORTEST} steps (length, channels)"
        raise InvalidArgument("model", "Autoencoder", must_be, got=f"conv for rows of {shape}")
    if plan.output.value == "softmax":
        raise InvalidArgument("model", "Autoencoder", "'dense' for one-hot rows", got="conv")
    # lengths[k] is the length after k stages: halved until it is at most 8.
    lengths, filters = [shape[0]], [32]
    while len(lengths) == 1 or lengths[-1] > SHORTEST:
        lengths.append(-(-lengths[-1] // 2))
    filters += [64] * (len(lengths) - 2)
    initializers = Initializers(seed)
    encoder = _build_encoder(shape, filters, latent, initializers)
    return join(
        encoder, _build_decoder(shape, lengths, filters, latent, plan, initializers), name=name
    )


def _build_encoder(
    shape: tuple[int, ...], filters: list[int], latent: int, initializers: Initializers
) -> Any:
    rows = keras.Input(shape, name="row")
    hidden = rows
    for number, width in enumerate(filters, start=1):
        hidden = keras.layers.Conv1D(
            width,
            _KERNEL,
            strides=2,
            padding="same",
            activation="relu",
            kernel_initializer=initializers(),
            name=f"encoder_{number}",
        )(hidden)
    hidden = keras.layers.Flatten(name="flatten")(hidden)
    code = keras.layers.Dense(latent, kernel_initializer=initializers(), name="latent")(hidden)
    return keras.Model(rows, code, name="encoder")


def _build_decoder(
    shape: tuple[int, ...],
    lengths: list[int],
    filters: list[int],
    latent: int,
    plan: PlanFacts,
    initializers: Initializers,
) -> Any:
    codes = keras.Input((latent,), name="code")
    hidden = keras.layers.Dense(
        lengths[-1] * filters[-1], kernel_initializer=initializers(), name="expand"
    )(codes)
    hidden = keras.layers.Reshape((lengths[-1], filters[-1]), name="smallest")(hidden)
    for stage in range(len(filters) - 1, -1, -1):
        number = len(filters) - stage
        hidden = keras.layers.Conv1DTranspose(
            filters[stage],
            _KERNEL,
            strides=2,
            padding="same",
            activation="relu",
            kernel_initializer=initializers(),
            name=f"decoder_{number}",
        )(hidden)
        surplus = lengths[stage + 1] * 2 - lengths[stage]
        if surplus:
            hidden = keras.layers.Cropping1D((0, surplus), name=f"crop_{number}")(hidden)
    outputs = keras.layers.Conv1D(
        shape[1],
        _KERNEL,
        padding="same",
        activation=plan.output.value,
        kernel_initializer=initializers(),
        name="output",
    )(hidden)
    return keras.Model(codes, outputs, name="decoder")
