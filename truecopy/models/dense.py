"""The fully connected autoencoder: symmetric, for rows of any shape."""

import math

import keras

from truecopy.facts import PlanFacts
from truecopy.models.networks import HiddenLayers, Initializers, Networks, dense_output, join


def default_widths(features: int) -> tuple[int, int]:
    """Return hidden widths for rows with this many values.

    The first is the power of two next to the number of features, from 32 to 512; the second
    a quarter of it, from 16.
    """
    first = min(512, max(32, 2 ** round(math.log2(features))))
    return first, max(16, first // 4)


def build_dense(
    shape: tuple[int, ...],
    *,
    latent: int,
    plan: PlanFacts,
    widths: tuple[int, ...] | None = None,
    direct: bool = False,
    normalise: bool = False,
    seed: int = 0,
    name: str = "dense",
) -> Networks:
    """Build features - widths - latent - widths reversed - features, with relu between.

    With `direct` the latent also sees the row itself, and the output the latent itself, so that
    what is linear in the rows needs no relu units: `models.linear_start` puts PCA there.

    Args:
        shape: The shape of one row; flattened on the way in, restored on the way out.
        latent: The width of the latent; it is linear, so that it can carry signs.
        plan: Gives the output activation and its groups.
        widths: The encoder's hidden widths, from the input on; None: `default_widths`.
        direct: Connect row and latent, latent and output, past the hidden layers, too.
        normalise: Normalise what enters each relu over the batch: see `HiddenLayers`.
        seed: Draws the initial weights.
        name: The name of the whole model.
    """
    if widths is None:
        widths = default_widths(math.prod(shape))
    initializers = Initializers(seed)
    layer = HiddenLayers(initializers, normalise=normalise)

    rows = keras.Input(shape, name="row")
    hidden = rows if len(shape) == 1 else keras.layers.Flatten(name="flatten")(rows)
    for number, width in enumerate(widths, start=1):
        hidden = layer(keras.layers.Dense, width, name=f"encoder_{number}")(hidden)
    if direct:
        flat = rows if len(shape) == 1 else keras.layers.Flatten(name="flat_row")(rows)
        hidden = keras.layers.Concatenate(name="with_row")([flat, hidden])
    code = keras.layers.Dense(latent, kernel_initializer=initializers(), name="latent")(hidden)
    encoder = keras.Model(rows, code, name="encoder")

    codes = keras.Input((latent,), name="code")
    hidden = codes
    for number, width in enumerate(reversed(widths), start=1):
        hidden = layer(keras.layers.Dense, width, name=f"decoder_{number}")(hidden)
    if direct:
        hidden = keras.layers.Concatenate(name="with_code")([codes, hidden])
    outputs = dense_output(hidden, shape, plan, initializers)
    return join(encoder, keras.Model(codes, outputs, name="decoder"), name=name)
