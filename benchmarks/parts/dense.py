"""Training throughput of 784-128-64-28-64-128-784 on MNIST, batch 100, Adam."""

from pathlib import Path
from typing import Any

from benchmarks.measure import Program

_KERAS = "keras_models:train"


def programs(*, quick: bool, scratch: Path) -> list[Program]:
    """Return truecopy and all peers."""
    del scratch
    # Ten seconds hold at least one epoch of the slowest, several of the fastest.
    told: dict[str, Any] = (
        {"rows": 2_000, "seconds": 0} if quick else {"rows": 60_000, "seconds": 10}
    )
    told["batch"] = 100
    keras = {**told, "model": "dense"}
    squared = "squared error in place of BCE"
    return [
        Program(
            name="truecopy",
            call="keras_models:train_truecopy",
            settings=keras,
            backend="jax",
            note="recipe:vanilla-dense from uint8, scaled batch by batch",
        ),
        Program(name="Keras/JAX", call=_KERAS, settings=keras, backend="jax"),
        Program(
            name="Keras/TensorFlow",
            call=_KERAS,
            settings=keras,
            backend="tensorflow",
            needs=("tensorflow",),
        ),
        Program(
            name="Keras/PyTorch", call=_KERAS, settings=keras, backend="torch", needs=("torch",)
        ),
        Program(
            name="PyTorch loop", call="other_models:train_torch", settings=keras, needs=("torch",)
        ),
        Program(
            name="torch.compile",
            call="other_models:train_torch",
            settings={**keras, "compiled": True},
            needs=("torch",),
            note="the same loop; needs a C++ compiler",
        ),
        Program(
            name="scikit-learn MLPRegressor",
            call="other_models:train_sklearn",
            settings=told,
            note=f"{squared}, linear output",
        ),
        Program(
            name="rapidae AE",
            call="keras_models:train_rapidae",
            settings=told,
            backend="jax",
            needs=("rapidae",),
            note=f"on Keras/JAX; {squared}; its pipeline saves the best weights after an epoch",
        ),
        Program(
            name="PyOD AutoEncoder",
            call="other_models:train_pyod",
            settings=told,
            needs=("pyod", "torch"),
            note=f"{squared}, linear output; no batch normalisation, no dropout",
        ),
    ]
