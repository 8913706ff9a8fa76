"""Seconds until the copy is good: test figures after every epoch, off the clock."""

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from benchmarks.programs.clock import read_mnist, scale
from benchmarks.programs.keras_models import build_conv

NOISE: Final = "gaussian:0.5,0.5"
_BATCH: Final = 1_000


def time_truecopy(
    *, task: str, target: float, limit: float, rows: int, seed: int, **settings: Any
) -> dict[str, Any]:
    """Fit `Autoencoder` as it comes, but for what the task prescribes and `settings`."""
    import truecopy

    measure, images = _task(task), read_mnist(rows)
    noise = NOISE if task == "denoise" else None
    watch = _watch(measure, target, limit)
    autoencoder = truecopy.Autoencoder(noise=noise, seed=seed, quiet=True, **settings)
    autoencoder.fit(images, callbacks=[watch])
    return _summarize(watch)


def time_keras(
    *, task: str, target: float, limit: float, rows: int, seed: int, latent: int, epochs: int
) -> dict[str, Any]:
    """Fit Keras' denoising sample as published: noise drawn once, batch 128, MSE, Adam."""
    import keras

    keras.utils.set_random_seed(seed)
    measure, images = _task(task), scale(read_mnist(rows))
    watch = _watch(measure, target, limit)
    seen = images
    if task == "denoise":
        drawn = np.random.default_rng(seed).normal(0.5, 0.5, images.shape)
        seen = np.clip(images + drawn, 0, 1).astype(np.float32)
    how = {"batch_size": 128, "epochs": epochs, "verbose": 0, "callbacks": [watch]}
    build_conv(latent).fit(seen, images, **how)
    return _summarize(watch)


def _task(task: str) -> Callable[[Any], float]:
    """Return what measures a model on MNIST's test images.

    'denoise': the mean squared error of copies of noisy images, the same noise for everyone.
    'copy': the squared error of an image, summed over its pixels.
    """
    from truecopy.data.noise import corrupt, parse_noise

    clean = scale(read_mnist(10_000, "test"))
    seen, of_image = clean, 784
    if task == "denoise":
        seen, of_image = corrupt(clean, parse_noise(NOISE, bounds=(0, 1)), seed=0), 1

    def measure(model: Any) -> float:
        rows = seen.reshape(len(seen), *model.input_shape[1:])
        copies = model.predict(rows, batch_size=_BATCH, verbose=0).reshape(clean.shape)
        return float(np.square(copies - clean, dtype=np.float64).mean() * of_image)

    return measure


def _watch(measure: Callable[[Any], float], target: float, limit: float) -> Any:
    """Return a Keras callback that keeps the curve, and ends at the target or the limit."""
    import keras

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
        def __init__(self) -> None:
            super().__init__()
            self.target = target
            self.curve: list[tuple[float, float]] = []
            self._begun = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            del epoch, logs
            ended = time.perf_counter()
            self.curve.append((ended - self._begun, measure(self.model)))
            self._begun += time.perf_counter() - ended
            if self.curve[-1][1] <= target or self.curve[-1][0] > limit:
                self.model.stop_training = True

    return Watch()


def _summarize(watch: Any) -> dict[str, Any]:
    reached = [seconds for seconds, value in watch.curve if value <= watch.target]
    return {
        "seconds": reached[0] if reached else None,
        "best": min(value for _, value in watch.curve),
        "epochs": len(watch.curve),
        "curve": watch.curve,
    }
