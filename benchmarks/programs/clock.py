"""Epochs by the clock: when each one ended, in wall and CPU seconds."""

import resource
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Clock:
    """Marks the ends of epochs, and says when there are enough of them.

    The first epoch is the warm-up: it compiles. Those after it are what is measured; there is at
    least one, and there are more until `seconds` have passed.
    """

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._marks = [now()]

    def mark(self) -> bool:
        """Note the end of an epoch; return whether that was the last one needed."""
        self._marks.append(now())
        measured = len(self._marks) - 2
        return measured >= 1 and self._marks[-1][0] - self._marks[1][0] >= self._seconds

    def summary(self, images: int) -> dict[str, float]:
        """Return images per second of wall and of CPU time, and what the start cost more.

        Args:
            images: How many an epoch has.
        """
        (start, _), (first, first_cpu), (last, last_cpu) = (self._marks[at] for at in (0, 1, -1))
        epochs = len(self._marks) - 2
        wall, cpu = (last - first) / epochs, (last_cpu - first_cpu) / epochs
        return {
            "images_per_second": images / wall,
            "images_per_cpu_second": images / cpu,
            "warm_up": max(0.0, first - start - wall),
            "epochs": epochs,
        }


def now() -> tuple[float, float]:
    """Return wall and CPU seconds; of CPU those of all threads and ended children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return time.perf_counter(), sum(each.ru_utime + each.ru_stime for each in used)


def read_mnist(rows: int, split: Any = "train") -> NDArray[np.uint8]:
    """Return the first rows of MNIST, (rows, 28, 28, 1) uint8."""
    from truecopy.data.datasets.mnist import load_mnist

    return np.ascontiguousarray(load_mnist(split)[0][:rows])


def scale(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return grey levels in [0, 1]."""
    return images.astype(np.float32) / 255
