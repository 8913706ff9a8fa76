"""Seconds of training until a published figure, on MNIST's test images."""

from pathlib import Path
from typing import Any, Final

from benchmarks.measure import Program

# What Keras' denoising sample ends at after its 30 epochs.
DENOISED: Final = 0.01548
# Hinton & Salakhutdinov (2006), Science 313:504, figure 2B: squared error of a test image.
COPIED: Final = 3.00


def programs(*, quick: bool, scratch: Path) -> list[Program]:
    """Return truecopy's defaults and Keras' sample on each backend, for both tasks."""
    del scratch
    # Keras/JAX as it comes needs minutes for an epoch of the sample: half an hour is enough of it.
    told: dict[str, Any] = {"rows": 60_000, "limit": 1_800}
    if quick:
        told = {"rows": 256, "limit": 0}
    denoise = {**told, "task": "denoise", "target": DENOISED, "latent": 16}
    copy = {**told, "task": "copy", "target": COPIED, "latent": 30}
    return [
        _ours("denoise: truecopy conv", {**denoise, "model": "conv"}),
        _ours("denoise: truecopy dense", {**denoise, "model": "dense"}),
        _sample("denoise: Keras/TensorFlow", denoise, "tensorflow", "tensorflow"),
        _sample("denoise: Keras/PyTorch", denoise, "torch", "torch"),
        _sample("denoise: Keras/JAX", denoise, "jax", "jax"),
        _ours(
            "copy: truecopy conv",
            {**copy, "model": "conv", "epochs": 30},
            "30 epochs: 20, as it comes, end at 3.03, 25 at 3.002",
        ),
        _ours("copy: truecopy dense", {**copy, "model": "dense"}),
        _ours(
            "copy: truecopy hinton-2006",
            {**copy, "model": "recipe:hinton-2006"},
            "the paper's architecture; its own training settings are the recipe's",
        ),
        _sample("copy: Keras/TensorFlow", copy, "tensorflow", "tensorflow"),
    ]


def _ours(name: str, settings: dict[str, Any], note: str = "all else as it comes") -> Program:
    call = "quality:time_truecopy"
    return Program(name=name, call=call, settings=settings, backend="jax", note=note)


def _sample(name: str, settings: dict[str, Any], backend: str, needs: str) -> Program:
    return Program(
        name=name,
        call="quality:time_keras",
        settings={**settings, "epochs": 30},
        backend=backend,
        needs=(needs,),
        note="Keras' denoising sample: 30 epochs at most",
    )
