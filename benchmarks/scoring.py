"""What a scorecard costs: CPU time beside `model.predict`, and memory as the rows grow.

    python benchmarks/scoring.py cpu        # 60,000 MNIST images, baselines fitted beforehand
    python benchmarks/scoring.py memory     # 60,000 and 600,000 rows from memory-mapped files

The bounds: CPU at most 3 times that of `model.predict` plus 20 s; the peak memory of 600,000
rows within 10 % of that of 60,000. Each memory figure is the peak of a process of its own.
"""

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


def train(folder: str) -> None:
    """Write a run folder: one epoch of the dense network on MNIST's training images."""
    import truecopy

    settings = {"model": "recipe:vanilla-dense", "epochs": 1, "quiet": True}
    truecopy.Autoencoder(**settings).fit("mnist").save(folder)


def write_rows(path: str, times: str) -> None:
    """Write MNIST's training images some times over to a .npy file."""
    from truecopy.data.datasets.mnist import load_mnist

    images = load_mnist("train")[0]
    shape = (int(times) * ROWS, *images.shape[1:])
    rows = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
    for copy in range(int(times)):
        rows[copy * ROWS : (copy + 1) * ROWS] = images


def print_cpu(folder: str) -> None:
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


def print_peak(folder: str, path: str) -> None:
    """Print the peak memory, in KiB, of this process after evaluating the rows of a file."""
    import truecopy

    truecopy.evaluate(truecopy.load(folder), path)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


PARTS = {part.__name__: part for part in (train, write_rows, print_cpu, print_peak)}


def start(part: str, *arguments: str) -> str:
    """Run a part in a process of its own, and return what it prints.

    Linux hands the peak memory of a process down to those it starts: this one stays small.
    """
    command = [sys.executable, __file__, part, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def measure_memory(folder: str) -> None:
    """Print the peak memory of evaluating 60,000 and 600,000 rows."""
    peaks = []
    for times in (1, 10):
        path = f"{folder}-{times}.npy"
        start("write_rows", path, str(times))
        peaks.append(int(start("print_peak", folder, path).splitlines()[-1]))
        print(f"{times * ROWS:,} rows: {peaks[-1] / 1024:,.0f} MiB")
    print(f"ratio {peaks[1] / peaks[0]:.3f} (bound 1.1)")


def main() -> None:
    """Measure what the first argument names."""
    what, *arguments = sys.argv[1:]
    if what in PARTS:
        PARTS[what](*arguments)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = str(Path(temporary) / "run")
        start("train", folder)
        if what == "cpu":
            print(start("print_cpu", folder), end="")
        else:
            measure_memory(folder)


if __name__ == "__main__":
    main()
