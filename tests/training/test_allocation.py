"""Freed memory stays while it is asked for, and goes back to the system afterwards."""

import gc
import subprocess
import sys

import keras
import pytest

from truecopy.training import allocation
from truecopy.training.acceleration import accelerate

# Takes and frees 64 MiB three times, in a process of its own; prints how many pages the system had
# to give: while memory is kept for two, for one, and for nobody any more.
COUNT = """
import resource
from truecopy.training.allocation import give_back_freed_memory, keep_freed_memory

def count():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(3):
        b"x" * 2**26
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

keep_freed_memory()
keep_freed_memory()
count()
print(count())
give_back_freed_memory()
print(count())
give_back_freed_memory()
print(count())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc is told to keep memory")
def test_kept_memory_is_taken_from_the_system_once_until_it_is_given_back():
    done = subprocess.run([sys.executable, "-c", COUNT], check=True, capture_output=True, text=True)

    kept_by_two, kept_by_one, given_back = map(int, done.stdout.split())

    assert max(kept_by_two, kept_by_one) < given_back / 10


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="only JAX is accelerated")
def test_memory_is_kept_while_a_model_is_accelerated_and_no_longer():
    before = allocation._kept_by  # noqa: SLF001
    first, second = (keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)]) for _ in range(2))
    handle = accelerate(first)
    accelerate(second)
    assert allocation._kept_by == before + 2  # noqa: SLF001

    handle.undo()
    handle.undo()
    del second
    gc.collect()

    assert allocation._kept_by == before  # noqa: SLF001


def test_elsewhere_nothing_is_set(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(allocation.ctypes, "CDLL", lambda _: pytest.fail("a library was asked for"))
    monkeypatch.setattr(allocation, "_kept_by", 0)

    allocation.keep_freed_memory()
    allocation.give_back_freed_memory()
