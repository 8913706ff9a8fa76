"""The convolutional autoencoder: images from 8x8 up, any channels, and windows of 8 steps up.

Each encoder stage halves the sides, rounding up; the matching decoder stage doubles them and crops
what is too much, so the output has exactly the input's shape.
"""

import math
from typing import Any, Final, NamedTuple

import keras

from truecopy.errors import InvalidArgument
from truecopy.facts import PlanFacts
from truecopy.models.networks import HiddenLayers, Initializers, Networks, join

SMALLEST_SIDE: Final = 8
# By the number of sides. A time step has only neighbours before and after it.
_KERNELS: Final = {1: 5, 2: 3}
_HALVE_OR_DOUBLE: Final = {"strides": 2, "padding": "same"}
_GREY_RANK, _CHANNELS_RANK, _WINDOW_RANK = 2, 3, 2


class _Layers(NamedTuple):
    """Keras' layers for one or two sides."""

    down: Any
    up: Any
    crop: Any


_OF_SIDES: Final = {
    1: _Layers(keras.layers.Conv1D, keras.layers.Conv1DTranspose, keras.layers.Cropping1D),
    2: _Layers(keras.layers.Conv2D, keras.layers.Conv2DTranspose, keras.layers.Cropping2D),
}


class _Frame(NamedTuple):
    """What rows are: `sides[k]` are the lengths of the sides after k stages."""

    shape: tuple[int, ...]
    sides: tuple[tuple[int, ...], ...]
    channels: int
    as_sample: bool

    @property
    def image(self) -> tuple[int, ...]:
        return (*self.sides[0], self.channels)

    @property
    def layers(self) -> _Layers:
        return _OF_SIDES[len(self.sides[0])]

    @property
    def kernel(self) -> int:
        return _KERNELS[len(self.sides[0])]

    def crop(self, hidden: Any, stage: int) -> Any:
        """Return what was doubled to the sides at `stage` without the steps too many."""
        doubled = zip(self.sides[stage + 1], self.sides[stage], strict=True)
        surplus = tuple((0, after * 2 - before) for after, before in doubled)
        if not any(many for _, many in surplus):
            return hidden
        # One side takes a pair, two take a pair of pairs.
        told = surplus[0] if len(surplus) == 1 else surplus
        return self.layers.crop(told, name=f"crop_{stage}")(hidden)


def suits_conv(shape: tuple[int, ...], *, sequence: bool = False) -> bool:
    """Return whether the sides of rows of `shape` are 8 or longer.

    Args:
        shape: (H, W) or (H, W, channels); with `sequence`, (length, channels).
        sequence: Rows are windows of a time series.
    """
    if sequence:
        return len(shape) == _WINDOW_RANK and shape[0] >= SMALLEST_SIDE
    return len(shape) in {_GREY_RANK, _CHANNELS_RANK} and min(shape[:2]) >= SMALLEST_SIDE


def default_filters(*sides: int) -> tuple[int, ...]:
    """Return the filters per stage: stages halve the sides until one is at most 8.

    The first has 32 filters, the next ones 64: more cost time and gained nothing on MNIST.
    """
    side, stages = min(sides), 0
    while side > SMALLEST_SIDE:
        side, stages = -(-side // 2), stages + 1
    return (32, *[64] * (max(stages, 2 if len(sides) > 1 else 1) - 1))


def build_conv(
    shape: tuple[int, ...],
    *,
    latent: int,
    plan: PlanFacts,
    sequence: bool = False,
    filters: tuple[int, ...] | None = None,
    as_sample: bool = False,
    seed: int = 0,
    name: str = "conv",
) -> Networks:
    """Build strided convolutions down to a dense latent, and mirrored transposed ones up.

    Args:
        shape: The shape of one row: (height, width) or (height, width, channels); with
            `sequence`, (length, channels).
        latent: The width of the latent; it is linear, so that it can carry signs.
        plan: Gives the output activation.
        sequence: Rows are windows of a time series: convolve along their steps.
        filters: Filters of each halving stage, from the input on; None: `default_filters`.
        as_sample: As Keras' denoising sample has it: no batch normalisation, and all filters
            on the way up, with a further convolution at full size. Ours gives the same copies
            with a fifth of the sample's arithmetic there: docs/benchmarks.md.
        seed: Draws the initial weights.
        name: The name of the whole model.

    Raises:
        InvalidArgument: `shape` is not that of an image from 8x8 up or of a window of 8 steps or
            more, or the plan has a softmax output, which pixels of an image don't share.
    """
    if not suits_conv(shape, sequence=sequence):
        must_be = "'dense' for rows that are not images of at least 8x8 (height, width, channels)"
        if sequence:
            must_be = f"'dense' for windows of fewer than {SMALLEST_SIDE} steps (length, channels)"
        raise InvalidArgument("model", "Autoencoder", must_be, got=f"conv for rows of {shape}")
    if plan.output.value == "softmax":
        raise InvalidArgument("model", "Autoencoder", "'dense' for one-hot rows", got="conv")
    sides = [shape[:1] if sequence else shape[:2]]
    filters = filters or default_filters(*sides[0])
    for _ in filters:
        sides.append(tuple(-(-side // 2) for side in sides[-1]))
    channels = shape[-1] if len(shape) > len(sides[0]) else 1
    frame = _Frame(shape, tuple(sides), channels, as_sample)
    initializers = Initializers(seed)
    encoder = _build_encoder(frame, filters, latent, initializers)
    decoder = _build_decoder(frame, filters, latent, plan.output.value, initializers)
    return join(encoder, decoder, name=name)


def _build_encoder(
    frame: _Frame, filters: tuple[int, ...], latent: int, initializers: Initializers
) -> Any:
    hidden_layer = HiddenLayers(initializers, normalise=not frame.as_sample)
    rows = keras.Input(frame.shape, name="row")
    hidden = rows
    if frame.shape != frame.image:
        hidden = keras.layers.Reshape(frame.image, name="image")(rows)
    for number, width in enumerate(filters, start=1):
        name = f"encoder_{number}"
        down = hidden_layer(frame.layers.down, width, frame.kernel, name=name, **_HALVE_OR_DOUBLE)
        hidden = down(hidden)
    hidden = keras.layers.Flatten(name="flatten")(hidden)
    code = keras.layers.Dense(latent, kernel_initializer=initializers(), name="latent")(hidden)
    return keras.Model(rows, code, name="encoder")


def _build_decoder(
    frame: _Frame,
    filters: tuple[int, ...],
    latent: int,
    output: str,
    initializers: Initializers,
) -> Any:
    as_sample = frame.as_sample
    hidden_layer = HiddenLayers(initializers, normalise=not as_sample)
    codes = keras.Input((latent,), name="code")
    smallest = (*frame.sides[-1], filters[-1])
    if as_sample:
        expand = keras.layers.Dense(
            math.prod(smallest), kernel_initializer=initializers(), name="expand"
        )
    else:
        expand = hidden_layer(keras.layers.Dense, math.prod(smallest), name="expand")
    hidden = keras.layers.Reshape(smallest, name="smallest")(expand(codes))
    stage, kernel, transposed = len(filters), frame.kernel, frame.layers.up
    for number, width in enumerate(reversed(filters if as_sample else filters[:-1]), start=1):
        name = f"decoder_{number}"
        up = hidden_layer(transposed, width, kernel, name=name, **_HALVE_OR_DOUBLE)
        stage -= 1
        hidden = frame.crop(up(hidden), stage)
    hidden = transposed(
        frame.channels,
        kernel,
        strides=1 if as_sample else 2,
        padding="same",
        activation=output,
        kernel_initializer=initializers(),
        name="output",
    )(hidden)
    if not as_sample:
        hidden = frame.crop(hidden, 0)
    if frame.shape != frame.image:
        hidden = keras.layers.Reshape(frame.shape, name="row")(hidden)
    return keras.Model(codes, hidden, name="decoder")
