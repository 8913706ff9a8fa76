"""Memory that XLA frees stays with the process for the next step.

XLA's CPU backend allocates the buffers of every step anew. The C library hands blocks of more than
32 MiB straight back to the system when they are freed, so each step takes its memory page by page
again: of the 168 ms of CPU time that a step of Keras' denoising sample took at batch 128, 40 ms
went there, and more into caches that start cold (2 cores, jaxlib 0.10.2, 16,000 page faults a
step; 120 ms without them).
"""

import ctypes
import sys
from typing import Any, Final

# From glibc's malloc.h; `man 3 mallopt` says what they do.
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_MMAP_MAX: Final = -4
_KEEP: Final = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1}
# Where glibc's thresholds, which move by themselves until they are set, end up on 64-bit systems.
_GIVE_BACK: Final = {_MMAP_MAX: 65_536, _MMAP_THRESHOLD: 2**25, _TRIM_THRESHOLD: 2**26}

_kept_by = 0


def keep_freed_memory() -> None:
    """Let freed memory stay with the process, where the C library is glibc.

    Each call is undone by one of `give_back_freed_memory`.
    """
    global _kept_by  # noqa: PLW0603 (the setting is the process' own)
    _kept_by += 1
    if _kept_by == 1:
        _set(_KEEP)


def give_back_freed_memory() -> None:
    """Let freed memory go back to the system again, what is free now first."""
    global _kept_by  # noqa: PLW0603
    _kept_by -= 1
    if _kept_by == 0:
        library = _set(_GIVE_BACK)
        if library is not None:
            library.malloc_trim(0)


def _set(options: dict[int, int]) -> Any:
    """Set glibc's options and return it; None where there is another C library."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return None
    for option, value in options.items():
        library.mallopt(option, value)
    return library
