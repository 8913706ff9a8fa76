"""What every architecture returns, and the last layers they share.

An autoencoder is three functional Keras models on the same weights: `model` is the encoder
followed by the decoder. Only Keras' own layers are used, so the saved file loads anywhere.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.facts import PlanFacts

# A model predicts so many rows at once, and fewer where the values of one layer would take more
# bytes than stay in a processor's cache: on 2 cores the convolutions of Keras' denoising sample
# (100 kB a row) copied 3,700 images a second 32 at a time and 1,400 at 512, when half of the time
# went into pages of fresh memory; small dense layers are at their best from 256 on.
_MOST_ROWS: Final = 512
_BYTES_OF_A_LAYER: Final = 4 * 2**20
# Keras' 0.99 remembers some 100 batches: more than a short training on few rows has.
_MOMENTUM: Final = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """An autoencoder's whole, encoder and decoder: Keras models that share their weights."""

    model: Any
    encoder: Any
    decoder: Any

    @property
    def latent(self) -> int:
        """The width of the vector between encoder and decoder."""
        return math.prod(self.encoder.output_shape[1:])


def predict(model: Any, rows: NDArray[Any]) -> NDArray[np.float32]:
    """Return the model's output for rows of shape (rows, ...), in fixed-size batches.

    Every batch has the same size, the last one padded: one compilation, and a row's result never
    depends on the rows it came with.
    """
    size = _rows_at_once(model)
    parts = []
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        padded = part
        if len(part) < size:
            padded = np.zeros((size, *rows.shape[1:]), rows.dtype)
            padded[: len(part)] = part
        parts.append(np.asarray(model.predict_on_batch(padded))[: len(part)])
    return np.concatenate(parts)


def values_per_row(model: Any) -> list[int]:
    """Return how many values each innermost layer gives for a row; 1 where Keras can't tell."""
    layers = model._flatten_layers(include_self=False)  # noqa: SLF001 (Keras 3.15 has no other)
    return [
        _count_values(layer)
        for layer in layers
        if not layer._flatten_layers(include_self=False)  # noqa: SLF001
    ]


def _rows_at_once(model: Any) -> int:
    """Return a power of two, so that blocks of all models fit into those of an evaluation."""
    rows = int(_BYTES_OF_A_LAYER / (4 * max(values_per_row(model), default=1)))
    return min(_MOST_ROWS, 1 << max(0, rows.bit_length() - 1))


def _count_values(layer: Any) -> int:
    try:
        output = layer.output
    except (AttributeError, ValueError):
        # Keras 3.15: a layer that was only called inside another one has no output of its own.
        return 1
    return max(math.prod(int(n or 1) for n in x.shape[1:]) for x in keras.tree.flatten(output))


class Initializers:
    """Draws one seed per layer, so that weights depend on our seed and nothing global."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn = 0

    def __call__(self) -> Any:
        """Return the next layer's initializer: Glorot uniform, Keras' default."""
        self._drawn += 1
        seed = np.random.SeedSequence([self._seed, self._drawn]).generate_state(1)[0]
        return keras.initializers.GlorotUniform(seed=int(seed))


class HiddenLayers:
    """Makes hidden layers: weights, batch normalisation where wanted, relu.

    Why normalise (Ioffe & Szegedy 2015): it allows Adam four times the rate, and the same network
    gets there in a fraction of the time. Denoising MNIST at latent 16, 8 epochs: a test MSE of
    0.0254 without (rate 0.001), 0.0165 with it (rate 0.004); docs/benchmarks.md has the curves.
    """

    def __init__(self, initializers: Initializers, *, normalise: bool) -> None:
        self._initializers = initializers
        self._normalise = normalise

    def __call__(self, kind: Any, width: int, *size: int, name: str, **settings: Any) -> Any:
        """Return a function from the layer before to `kind(width, *size)`, normalised, and relu."""
        layer = kind(
            width,
            *size,
            activation=None if self._normalise else "relu",
            # The normalisation shifts by itself.
            use_bias=not self._normalise,
            kernel_initializer=self._initializers(),
            name=name,
            **settings,
        )
        if not self._normalise:
            return layer
        normalised = keras.layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_normalised")
        relu = keras.layers.Activation("relu", name=f"{name}_relu")
        return lambda before: relu(normalised(layer(before)))


def join(encoder: Any, decoder: Any, *, name: str) -> Networks:
    """Connect an encoder and a decoder into one model named `name`."""
    inputs = keras.Input(encoder.input_shape[1:], name="rows")
    return Networks(keras.Model(inputs, decoder(encoder(inputs)), name=name), encoder, decoder)


def normalises(networks: Networks) -> bool:
    """Tell whether there is batch normalisation in the networks."""
    parts = (networks.encoder, networks.decoder)
    kind = keras.layers.BatchNormalization
    return any(isinstance(layer, kind) for part in parts for layer in part.layers)


def list_blocks(plan: PlanFacts) -> list[tuple[str, int]]:
    """Return activation and width of each part of the output; empty where it is all one."""
    if plan.columns:
        blocks: list[tuple[str, int]] = []
        for column in plan.columns:
            if blocks and column.output == blocks[-1][0] != "softmax":
                blocks[-1] = (column.output, blocks[-1][1] + column.width)
            else:
                blocks.append((column.output, column.width))
        return blocks
    if plan.output.value == "softmax" and len(plan.groups) > 1:
        return [("softmax", width) for width in plan.groups]
    return []


def dense_output(
    hidden: Any, shape: tuple[int, ...], plan: PlanFacts, initializers: Initializers
) -> Any:
    """Return the dense layer, with the plan's activation, that gives rows of `shape`.

    With several one-hot groups each has a softmax of its own, side by side; so has each
    categorical column of a table, while neighbours of one activation share a layer.
    """
    features = math.prod(shape)
    blocks = list_blocks(plan)
    if len(blocks) > 1:
        parts = [
            keras.layers.Dense(
                width,
                activation=activation,
                kernel_initializer=initializers(),
                name=f"output_{number}",
            )(hidden)
            for number, (activation, width) in enumerate(blocks)
        ]
        outputs = keras.layers.Concatenate(name="output")(parts)
    else:
        outputs = keras.layers.Dense(
            features,
            activation=blocks[0][0] if blocks else plan.output.value,
            kernel_initializer=initializers(),
            name="output",
        )(hidden)
    if shape == (features,):
        return outputs
    return keras.layers.Reshape(shape, name="row")(outputs)
