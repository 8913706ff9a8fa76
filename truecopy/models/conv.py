"""The convolutional autoencoder: any height and width from 8 up, any channels.

Each encoder stage halves height and width, rounding up; the matching decoder stage doubles
them and crops the row or column too many, so the output has exactly the input's shape.
With 28x28x1 rows, filters (32, 64) and latent 16 this is the Keras denoising sample.
"""

from typing import Any, Final

import keras

from truecopy.errors import InvalidArgument
from truecopy.facts import PlanFacts
from truecopy.models.networks import Initializers, Networks, join

SMALLEST_SIDE: Final = 8
_KERNEL: Final = 3
_GREY_RANK, _CHANNELS_RANK = 2, 3


def suits_conv(shape: tuple[int, ...]) -> bool:
    """Return whether rows of `shape` are images: (H, W) or (H, W, channels), 8x8 or larger."""
    return len(shape) in {_GREY_RANK, _CHANNELS_RANK} and min(shape[:2]) >= SMALLEST_SIDE


def default_filters(height: int, width: int) -> tuple[int, ...]:
    """Return the filters per stage: stages halve the image until a side is at most 8.

    The first has 32 filters, the next ones 64: more cost time and gained nothing on MNIST.
    """
    side, stages = min(height, width), 0
    while side > SMALLEST_SIDE:
        side, stages = -(-side // 2), stages + 1
    return (32, *[64] * (max(stages, 2) - 1))


def build_conv(
    shape: tuple[int, ...],
    *,
    latent: int,
    plan: PlanFacts,
    filters: tuple[int, ...] | None = None,
    seed: int = 0,
    name: str = "conv",
) -> Networks:
    """Build strided convolutions down to a dense latent, and mirrored transposed ones up.

    Args:
        shape: The shape of one row: (height, width) or (height, width, channels).
        latent: The width of the latent; it is linear, so that it can carry signs.
        plan: Gives the output activation.
        filters: Filters of each halving stage, from the input on; None: `default_filters`.
        seed: Draws the initial weights.
        name: The name of the whole model.

    Raises:
        InvalidArgument: `shape` is not that of an image from 8x8 up, or the plan has a
            softmax output, which pixels of an image don't share.
    """
    if not suits_conv(shape):
        must_be = "'dense' for rows that are not images of at least 8x8 (height, width, channels)"
        raise InvalidArgument("model", "Autoencoder", must_be, got=f"conv for rows of {shape}")
    if plan.output.value == "softmax":
        raise InvalidArgument("model", "Autoencoder", "'dense' for one-hot rows", got="conv")
    height, width = shape[:2]
    channels = shape[2] if len(shape) == _CHANNELS_RANK else 1
    filters = filters or default_filters(height, width)
    initializers = Initializers(seed)
    # sizes[k] is the (height, width) after k stages.
    sizes = [(height, width)]
    for _ in filters:
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    encoder = _build_encoder(shape, (height, width, channels), filters, latent, initializers)
    decoder = _build_decoder(shape, sizes, channels, filters, latent, plan, initializers)
    return join(encoder, decoder, name=name)


def _build_encoder(
    shape: tuple[int, ...],
    image: tuple[int, int, int],
    filters: tuple[int, ...],
    latent: int,
    initializers: Initializers,
) -> Any:
    rows = keras.Input(shape, name="row")
    hidden = rows if shape == image else keras.layers.Reshape(image, name="image")(rows)
    for number, width in enumerate(filters, start=1):
        hidden = keras.layers.Conv2D(
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
    sizes: list[tuple[int, int]],
    channels: int,
    filters: tuple[int, ...],
    latent: int,
    plan: PlanFacts,
    initializers: Initializers,
) -> Any:
    codes = keras.Input((latent,), name="code")
    smallest = (*sizes[-1], filters[-1])
    hidden = keras.layers.Dense(
        smallest[0] * smallest[1] * smallest[2], kernel_initializer=initializers(), name="expand"
    )(codes)
    hidden = keras.layers.Reshape(smallest, name="smallest")(hidden)
    for stage in range(len(filters) - 1, -1, -1):
        number = len(filters) - stage
        hidden = keras.layers.Conv2DTranspose(
            filters[stage],
            _KERNEL,
            strides=2,
            padding="same",
            activation="relu",
            kernel_initializer=initializers(),
            name=f"decoder_{number}",
        )(hidden)
        surplus = tuple(
            (0, after * 2 - before)
            for after, before in zip(sizes[stage + 1], sizes[stage], strict=True)
        )
        if surplus != ((0, 0), (0, 0)):
            hidden = keras.layers.Cropping2D(surplus, name=f"crop_{number}")(hidden)
    outputs = keras.layers.Conv2DTranspose(
        channels,
        _KERNEL,
        padding="same",
        activation=plan.output.value,
        kernel_initializer=initializers(),
        name="output",
    )(hidden)
    if len(shape) == _GREY_RANK:
        outputs = keras.layers.Reshape(shape, name="row")(outputs)
    return keras.Model(codes, outputs, name="decoder")
