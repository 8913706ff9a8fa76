"""Every test runs without the user's Keras settings, and on one thread of its own seed."""

import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")

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
