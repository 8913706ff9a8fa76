"""MNIST, embedded: 70000 handwritten digits, so that a first run needs no download.

MNIST by Yann LeCun, Corinna Cortes and Christopher J.C. Burges, under CC BY-SA 3.0
(https://creativecommons.org/licenses/by-sa/3.0/). Recompressed; the pixels are unchanged.
`mnist.xz` holds the image bytes, 60000 for training and then 10000 for testing, followed
by the label bytes in the same order.
"""

import lzma
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from truecopy.errors import UnknownName

_ROWS = 70_000
_TRAIN_ROWS = 60_000
_SHAPE = (28, 28, 1)


def load_mnist(split: Literal["train", "test"]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Load the training or the test images of MNIST with their labels, read-only.

    Args:
        split: "train" for 60000 rows, "test" for 10000.

    Returns:
        The images, (rows, 28, 28, 1) uint8 from 0 to 255, and the digits they show, (rows,)
        uint8.

    Raises:
        UnknownName: `split` is neither "train" nor "test".

    Example:
        >>> images, labels = load_mnist("test")
        >>> images.shape, labels[0].item()
        ((10000, 28, 28, 1), 7)
    """
    if split not in ("train", "test"):
        raise UnknownName("split", "load_mnist", ["train", "test"], got=split)
    images, labels = _decode()
    if split == "train":
        return images[:_TRAIN_ROWS], labels[:_TRAIN_ROWS]
    return images[_TRAIN_ROWS:], labels[_TRAIN_ROWS:]


@cache
def _decode() -> tuple[NDArray[Any], NDArray[Any]]:
    """Decode all images and labels, once per process."""
    with lzma.open(Path(__file__).with_name("mnist.xz")) as stream:
        values = np.frombuffer(stream.read(), np.uint8)  # over bytes, so read-only
    return values[:-_ROWS].reshape(_ROWS, *_SHAPE), values[-_ROWS:]
