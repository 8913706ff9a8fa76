"""Training throughput of Keras' denoising sample on MNIST, batch 128, MSE, Adam, latent 16."""

from pathlib import Path
from typing import Any

from benchmarks.measure import Program

_KERAS = "keras_models:train"


def programs(*, quick: bool, scratch: Path) -> list[Program]:
    """Return truecopy and the peers that train convolutions."""
    del scratch
    # 50 steps an epoch: Keras/JAX as it comes takes more than half a minute for them.
    told: dict[str, Any] = {"rows": 256, "seconds": 0} if quick else {"rows": 6_400, "seconds": 10}
    told |= {"batch": 128, "model": "conv"}
    loop = "other_models:train_torch"
    return [
        Program(
            name="truecopy",
            call="keras_models:train_truecopy",
            settings=told,
            backend="jax",
            note="recipe:keras-denoising from uint8, scaled batch by batch",
        ),
        Program(
            name="Keras/JAX + accelerate",
            call=_KERAS,
            settings={**told, "accelerated": True},
            backend="jax",
            note="the plain Keras model after truecopy.accelerate(model)",
        ),
        Program(name="Keras/JAX", call=_KERAS, settings=told, backend="jax"),
        Program(
            name="Keras/TensorFlow",
            call=_KERAS,
            settings=told,
            backend="tensorflow",
            needs=("tensorflow",),
        ),
        Program(
            name="Keras/PyTorch", call=_KERAS, settings=told, backend="torch", needs=("torch",)
        ),
        Program(name="PyTorch loop", call=loop, settings=told, needs=("torch",)),
        Program(
            name="torch.compile",
            call=loop,
            settings={**told, "compiled": True},
            needs=("torch",),
            note="the same loop; needs a C++ compiler",
        ),
    ]
