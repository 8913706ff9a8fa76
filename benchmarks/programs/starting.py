"""How long it takes until something happens."""

import subprocess
import sys
import time

from benchmarks.programs.clock import read_mnist, scale

_ROWS = 1_000


def start(*, arguments: list[str], seed: int) -> dict[str, float]:
    """Start Python with these arguments, to its end."""
    del seed
    command = [sys.executable, *arguments]
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return {"seconds": time.perf_counter() - begun}


def take_truecopys_first_step(*, model: str, seed: int) -> dict[str, float]:
    """Import truecopy and fit, up to the end of the first training step."""
    begun = time.perf_counter()
    import truecopy

    watch = _first_step(begun)
    settings = {"model": model, "epochs": 1, "validation": 0.0, "quiet": True, "seed": seed}
    truecopy.Autoencoder(**settings).fit(read_mnist(_ROWS), callbacks=[watch])
    return watch.figures


def take_keras_first_step(*, model: str, seed: int) -> dict[str, float]:
    """Import Keras, build the seed model and fit, up to the end of the first training step."""
    begun = time.perf_counter()
    import keras

    from benchmarks.programs.keras_models import build_conv, build_dense

    keras.utils.set_random_seed(seed)
    network = build_dense() if model == "dense" else build_conv()
    watch = _first_step(begun)
    rows = scale(read_mnist(_ROWS)).reshape(_ROWS, *network.input_shape[1:])
    network.fit(rows, rows, batch_size=128, verbose=0, callbacks=[watch])
    return watch.figures


def _first_step(begun: float) -> object:
    import keras

    class FirstStep(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
        def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
            if batch == 0:
                float((logs or {})["loss"])  # JAX gives it before it is there: waits for it
                self.figures = {"seconds": time.perf_counter() - begun}

    return FirstStep()
