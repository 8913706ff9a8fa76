"""Every test runs without the user's Keras settings, and on one thread of its own seed."""

import os
import shutil
import tempfile

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
_COMPILED = "JAX_COMPILATION_CACHE_DIR"


def pytest_configure(config):
    """What one test has compiled, no other worker, test or program compiles again."""
    if _COMPILED in os.environ:  # the user's own, or a worker's from the process that began it
        return
    folder = tempfile.mkdtemp(prefix="truecopy-compiled-")
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ[_COMPILED] = folder
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"


# Users' programs, which tests/audit/test_programs.py runs: importing one would train it.
collect_ignore = ["programs"]


@pytest.fixture(scope="session")
def blobs():
    """300 small grey pictures (8, 8, 1) of bright spots: quick to learn, not linear."""
    import numpy as np

    generator = np.random.default_rng(0)
    centres = generator.uniform(1, 7, (300, 2, 1, 1))
    grid = np.mgrid[0:8, 0:8]
    distance = ((grid - centres) ** 2).sum(axis=1)
    return np.round(255 * np.exp(-distance / 3))[..., None].astype(np.uint8)
