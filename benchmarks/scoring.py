"""What a scorecard costs: CPU time beside `model.predict`, and memory as the rows grow.

    python benchmarks/scoring.py cpu        # 60,000 MNIST images, baselines fitted beforehand
    python benchmarks/scoring.py memory     # 60,000 and 600,000 rows from memory-mapped files

The bounds: CPU at most 3 times that of `model.predict` plus 20 s; the peak memory of 600,000
rows within 10 % of that of 60,000. Each memory figure is the peak of a process of its own.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "jax")

ROWS = 60_000


def train(folder: Path) -> None:
    """Write a run folder: one epoch of the dense network on MNIST's training images."""
    import truecopy

    truecopy.Autoencoder(model="recipe:vanilla-dense", epochs=1, quiet=True).fit("mnist").save(
        folder
    )


def measure_cpu(folder: Path) -> None:
    """Print the CPU seconds of one `predict` and of one `evaluate`."""
    import truecopy
    from truecopy.data.datasets.mnist import load_mnist

    autoencoder = truecopy.load(folder)
    images, labels = load_mnist("train")
    model = autoencoder.model_
    scaled = (images.astype(np.float32) / 255).reshape(ROWS, *model.input_shape[1:])
    begin = time.process_time()
    model.predict(scaled, verbose=0)
    predicted = time.process_time()
    truecopy.evaluate(autoencoder, images, labels=labels)
    evaluated = time.process_time()
    bound = 3 * (predicted - begin) + 20
    print(f"predict {predicted - begin:.1f} s, evaluate {evaluated - predicted:.1f} s of CPU time")
    print(f"bound {bound:.1f} s (3 x predict + 20 s)")


def measure_memory(folder: Path) -> None:
    """Print the peak memory of evaluating 60,000 and 600,000 rows, each in its own process."""
    from truecopy.data.datasets.mnist import load_mnist

    images = load_mnist("train")[0]
    peaks = {}
    for times in (1, 10):
        path = folder.with_name(f"rows{times}.npy")
        rows = np.lib.format.open_memmap(path, "w+", np.uint8, (times * ROWS, *images.shape[1:]))
        for copy in range(times):
            rows[copy * ROWS : (copy + 1) * ROWS] = images
        del rows
        command = [sys.executable, __file__, "peak", str(folder), str(path)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        peaks[times] = json.loads(told.splitlines()[-1])
        path.unlink()
        print(f"{times * ROWS:,} rows: {peaks[times] / 1024:,.0f} MiB")
    print(f"ratio {peaks[10] / peaks[1]:.3f} (bound 1.1)")


def print_peak(folder: Path, path: Path) -> None:
    """Print the peak memory, in KiB, of this process after evaluating the rows of a file."""
    import truecopy

    truecopy.evaluate(truecopy.load(folder), path)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def main() -> None:
    """Measure what the first argument names."""
    if sys.argv[1:2] == ["peak"]:
        print_peak(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    measure = {"cpu": measure_cpu, "memory": measure_memory}[sys.argv[1]]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "run"
        train(folder)
        measure(folder)


if __name__ == "__main__":
    main()
