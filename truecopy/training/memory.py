"""A batch that doesn't fit into memory is refused by its size, not by the system's killer."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from truecopy.errors import BatchTooLarge
from truecopy.models.networks import values_per_row

_FLOAT32: Final = 4
# What NumPy and the backends say: XLA and TensorFlow, PyTorch on a CPU, PyTorch on a GPU.
_SAID: Final = ("RESOURCE_EXHAUSTED", "can't allocate memory", "out of memory")


@contextmanager
def refuse_large_batches(model: Any, batch_size: int) -> Iterator[None]:
    """Train inside: what a step is sure not to have room for, or turns out not to, is named.

    Linux promises more memory than there is and ends the process that uses it, so a step whose
    layers' values alone exceed the machine's memory is refused beforehand.

    Args:
        model: A built model.
        batch_size: The rows of a step.

    Raises:
        BatchTooLarge: A step doesn't fit.
    """
    needed = batch_size * sum(values_per_row(model)) * _FLOAT32
    told = (
        f"A training step of {batch_size:,} rows doesn't fit into memory: the values of all layers "
        f"take {needed / 1e9:.3g} GB, and their gradients as much again. Lower 'batch_size'."
    )
    if needed > _physical_memory():
        raise BatchTooLarge(told)
    try:
        yield
    except Exception as error:
        if isinstance(error, MemoryError) or any(said in str(error) for said in _SAID):
            raise BatchTooLarge(told) from error
        raise


def _physical_memory() -> float:
    """Return the machine's memory in bytes; infinite where the system doesn't say."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return math.inf
