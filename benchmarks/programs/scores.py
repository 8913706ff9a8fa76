"""Scoring copies of MNIST: `truecopy.evaluate`, `predict`, and scikit-image with scikit-learn."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.programs.clock import now, read_mnist, scale

# Enough to compile; a full batch of what the programs use is no larger.
_WARM = 2_000


def write_run(*, folder: str, recipe: str, rows: int, seed: int) -> dict[str, float]:
    """Write the run folder that all others score: one epoch."""
    import truecopy

    autoencoder = truecopy.Autoencoder(model=recipe, epochs=1, quiet=True, seed=seed)
    autoencoder.fit(read_mnist(rows)).save(folder)
    return {}


def predict(*, folder: str, rows: int, seed: int) -> dict[str, float]:
    """Only copy the rows."""
    del seed
    model = _load(folder)
    images = scale(read_mnist(rows))
    return _time(lambda chosen: _copy(model, chosen), images)


def evaluate(*, folder: str, rows: int, seed: int) -> dict[str, float]:
    """Copy the rows and report every metric, with floor, PCA, ceiling and interval."""
    import truecopy

    autoencoder = truecopy.load(folder)
    return _time(lambda chosen: truecopy.evaluate(autoencoder, chosen, seed=seed), read_mnist(rows))


def score_with_peers(*, folder: str, rows: int, seed: int) -> dict[str, float]:
    """Copy the rows; report MSE, MAE, R2, PSNR and SSIM, without floors and intervals."""
    del seed
    model = _load(folder)
    return _time(lambda chosen: _score(model, chosen), scale(read_mnist(rows)))


def _score(model: Any, images: Any) -> list[float]:
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity
    from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

    copies = _copy(model, images)
    flat, flat_copies = images.reshape(len(images), -1), copies.reshape(len(images), -1)
    scores = [
        float(metric(flat, flat_copies))
        for metric in (mean_squared_error, mean_absolute_error, r2_score)
    ]
    pairs = list(zip(images[..., 0], copies[..., 0], strict=True))
    # As Wang et al. (2004) define it, and as truecopy computes it.
    how = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    ratios = [peak_signal_noise_ratio(x, y, data_range=1) for x, y in pairs]
    likeness = [structural_similarity(x, y, data_range=1, **how) for x, y in pairs]
    return [*scores, float(np.mean(ratios)), float(np.mean(likeness))]


def _load(folder: str) -> Any:
    import keras

    return keras.saving.load_model(f"{folder}/model.keras")


def _copy(model: Any, images: Any) -> Any:
    rows = images.reshape(len(images), *model.input_shape[1:])
    return model.predict(rows, batch_size=1_000, verbose=0).reshape(images.shape)


def _time(score: Callable[[Any], Any], images: Any) -> dict[str, float]:
    """Return wall and CPU seconds of scoring all images, once everything is compiled."""
    start, _ = now()
    score(images[:_WARM])
    begun, begun_cpu = now()
    score(images)
    ended, ended_cpu = now()
    return {
        "seconds": ended - begun,
        "cpu_seconds": ended_cpu - begun_cpu,
        "warm_up": begun - start,
    }
