"""`fit` and `evaluate` on a file of rows, larger and larger."""

import numpy as np

from benchmarks.programs.clock import now, read_mnist


def write_rows(*, path: str, rows: int, side: int, seed: int) -> dict[str, float]:
    """Write MNIST's images, enlarged to `side` and repeated to `rows`, as a .npy file."""
    del seed
    images = read_mnist(min(rows, 60_000))[..., 0]
    nearest = np.arange(side) * 28 // side
    images = images[:, nearest][:, :, nearest]
    written = np.lib.format.open_memmap(path, "w+", np.uint8, (rows, side, side))
    for first in range(0, rows, len(images)):
        part = written[first : first + len(images)]
        part[:] = images[: len(part)]
    return {}


def write_run(*, folder: str, path: str, latent: int, model: str, seed: int) -> dict[str, float]:
    """Write a run folder for rows of this shape: how well it was trained costs nothing."""
    import truecopy

    rows = np.load(path, mmap_mode="r")[:1_000]
    autoencoder = truecopy.Autoencoder(latent, model=model, epochs=1, quiet=True, seed=seed)
    autoencoder.fit(rows).save(folder)
    return {}


def fit(*, path: str, latent: int, model: str, seed: int) -> dict[str, float]:
    """Fit one epoch from the file, start and compilation included."""
    import truecopy

    begun, begun_cpu = now()
    truecopy.Autoencoder(latent, model=model, epochs=1, quiet=True, seed=seed).fit(path)
    ended, ended_cpu = now()
    return {"seconds": ended - begun, "cpu_seconds": ended_cpu - begun_cpu}


def evaluate(*, folder: str, path: str, seed: int) -> dict[str, float]:
    """Score the rows of the file, start and compilation included."""
    import truecopy

    begun, begun_cpu = now()
    truecopy.evaluate(truecopy.load(folder), path, seed=seed)
    ended, ended_cpu = now()
    return {"seconds": ended - begun, "cpu_seconds": ended_cpu - begun_cpu}
