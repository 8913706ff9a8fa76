"""Corruption noise drawn afresh for every batch, inside the compiled training step.

A layer in front of the model during training only; it is never part of what is saved. Test
and validation rows are corrupted by `truecopy.data.noise.corrupt`, the same every time.
"""

from typing import Any, final

import keras

from truecopy.data.noise import Noise
from truecopy.training.grouping import Trainer


@final
class Corruption(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """Adds `noise` to its inputs in training mode, and passes them through otherwise."""

    def __init__(self, noise: Noise, *, seed: int) -> None:
        super().__init__(name="corruption", trainable=False)
        self._noise = noise
        self._seeds = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, *, training: bool = False) -> Any:
        """Return noisy inputs of the same shape, clipped to the noise's bounds."""
        if not training:
            return inputs
        noise, shape = self._noise, keras.ops.shape(inputs)
        if noise.kind == "gaussian":
            drawn = keras.random.normal(shape, noise.mean, noise.spread, seed=self._seeds)
            noisy = inputs + drawn
        else:
            drawn = keras.random.uniform(shape, seed=self._seeds)
            low, high = noise.bounds if noise.kind == "salt-pepper" and noise.bounds else (0, 0)
            hit_with = keras.ops.where(drawn < noise.rate / 2, float(high), float(low))
            noisy = keras.ops.where(drawn < noise.rate, hit_with, inputs)
        if noise.bounds is not None:
            noisy = keras.ops.clip(noisy, *noise.bounds)
        return noisy

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the inputs."""
        return input_shape


def build_trainer(model: Any, noise: Noise | None, *, seed: int) -> Any:
    """Return a model on the weights of `model`, to be compiled and fitted in its place.

    It corrupts its inputs while training if there is `noise`. `model` itself stays free of
    optimizer and loss, so what is saved holds nothing but the network.
    """
    rows = keras.Input(model.input_shape[1:], name="clean")
    seen = rows if noise is None else Corruption(noise, seed=seed)(rows)
    return Trainer(rows, model(seen), name="trainer")
