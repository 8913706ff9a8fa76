"""The embedded data sets are the published ones."""

import hashlib

import numpy as np
import pytest

from truecopy.data.datasets import load_digits, load_mnist
from truecopy.errors import UnknownName

# Of the decoded bytes: all images, then all labels, training before test; the same as those
# of the arrays in Keras' mnist.npz.
MNIST_SHA256 = "c2069063c1105f2bf96266aef1ff68c6e13bdda7a54e37bf19c16f1db24efc83"


def test_mnist_is_the_published_mnist():
    train, train_labels = load_mnist("train")
    test, test_labels = load_mnist("test")

    digest = hashlib.sha256()
    for part in (train, test, train_labels, test_labels):
        digest.update(part.tobytes())

    assert digest.hexdigest() == MNIST_SHA256
    assert (train.shape, test.shape) == ((60000, 28, 28, 1), (10000, 28, 28, 1))
    assert train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert train.dtype == train_labels.dtype == np.uint8


def test_mnist_is_decoded_once_and_cannot_be_written():
    images, labels = load_mnist("test")

    assert np.shares_memory(images, load_mnist("test")[0])
    assert not images.flags.writeable
    assert not labels.flags.writeable


def test_another_split_of_mnist_is_refused():
    with pytest.raises(UnknownName) as error:
        load_mnist("tests")

    assert str(error.value) == (
        "The 'split' argument of load_mnist must be one of train, test. Got 'tests'. "
        "Did you mean 'test'?"
    )


def test_digits_are_whole_numbers_from_0_to_16():
    images, labels = load_digits()

    assert images.shape == (1797, 8, 8, 1)
    assert images.dtype == np.uint8
    assert (images.min(), images.max()) == (0, 16)
    assert labels[:5].tolist() == [0, 1, 2, 3, 4]
