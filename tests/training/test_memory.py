"""A batch that is larger than memory is refused by name, before and while it is tried."""

import keras
import numpy as np
import pytest

import truecopy
from truecopy.errors import BatchTooLarge
from truecopy.training import memory


def network():
    return keras.Sequential([keras.Input((10,)), keras.layers.Dense(30), keras.layers.Dense(10)])


def test_a_step_that_has_no_room_is_refused_by_its_size(monkeypatch):
    rows = np.random.default_rng(0).uniform(size=(500, 10))
    # The layers' values, an input, 8, 4, 8 and 10 of them twice, and no room for the last row's.
    monkeypatch.setattr(memory, "_physical_memory", lambda: 4e4)

    with pytest.raises(BatchTooLarge, match=r"450 rows.* GB.*'batch_size'"):
        truecopy.Autoencoder(latent=4, batch_size=450, quiet=True, validation=0.1).fit(rows)


def test_a_step_that_just_fits_is_tried(monkeypatch):
    # Layers: the input's 10 values, 30 and 10.
    monkeypatch.setattr(memory, "_physical_memory", lambda: 4.0 * 100 * (10 + 30 + 10))

    with memory.refuse_large_batches(network(), 100):
        pass
    with (
        pytest.raises(BatchTooLarge, match="101 rows"),
        memory.refuse_large_batches(network(), 101),
    ):
        pass


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 7.2 TiB for an array"),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 800 bytes."),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    ],
)
def test_a_backend_without_memory_is_told_by_the_batch(error):
    with (
        pytest.raises(BatchTooLarge, match="7 rows") as caught,
        memory.refuse_large_batches(network(), 7),
    ):
        raise error
    assert caught.value.__cause__ is error


def test_other_errors_pass():
    with pytest.raises(ValueError, match="shapes"), memory.refuse_large_batches(network(), 7):
        raise ValueError("shapes don't match")
