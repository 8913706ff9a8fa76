"""Freed memory stays while it is asked for, and goes back to the system afterwards."""

import sys

import pytest

from truecopy.training import allocation

resource = pytest.importorskip("resource", reason="Windows counts no page faults")


def count_faults():
    """Take and free 64 MiB three times; return how many pages the system had to give."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(3):
        b"x" * 2**26
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc is told to keep memory")
def test_kept_memory_is_taken_from_the_system_once_until_it_is_given_back():
    allocation.keep_freed_memory()
    allocation.keep_freed_memory()
    count_faults()
    kept = count_faults()
    allocation.give_back_freed_memory()
    kept_by_one = count_faults()
    allocation.give_back_freed_memory()

    given_back = count_faults()

    assert max(kept, kept_by_one) < given_back / 10


def test_elsewhere_nothing_is_set(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(allocation.ctypes, "CDLL", lambda _: pytest.fail("a library was asked for"))

    allocation.keep_freed_memory()
    allocation.give_back_freed_memory()
