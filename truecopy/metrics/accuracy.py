"""What Keras reports for `metrics=["accuracy"]` on a reconstruction, and which class that is."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_THRESHOLD: Final = 0.5


def resolve_accuracy(
    output_shape: tuple[int, ...], target_shape: tuple[int, ...] | None = None
) -> str:
    """Return what "accuracy" means to Keras for outputs and targets of these row shapes.

    Keras 3.15.1 (`trainers/compile_utils.py`) looks at the last dimensions alone: 1 in the
    output gives BinaryAccuracy; 1 in the target alone, or a target with a dimension less,
    gives SparseCategoricalAccuracy, which takes the targets for class numbers; anything else
    CategoricalAccuracy.

    Args:
        output_shape: The shape of one row of the output.
        target_shape: That of the targets; None: the same.

    Example:
        >>> resolve_accuracy((28, 28, 1)), resolve_accuracy((784,))
        ('binary_accuracy', 'categorical_accuracy')
        >>> resolve_accuracy((28, 28, 3), (28, 28, 1))
        'sparse_categorical_accuracy'
    """
    target = output_shape if target_shape is None else target_shape
    if output_shape[-1] == 1:
        return "binary_accuracy"
    if len(target) < len(output_shape) or target[-1] == 1:
        return "sparse_categorical_accuracy"
    return "categorical_accuracy"


def keras_accuracy(target: NDArray[Any], prediction: NDArray[Any]) -> NDArray[np.float64]:
    """Keras' "accuracy": the share of values, or of rows, that it counts as right.

    Formula: for rows whose last dimension is 1, the share of values with
    target == (prediction > 0.5): a grey target can never be right, whatever is predicted.
    Otherwise the share of positions whose largest entry along the last dimension is in the
    same place: for 784 flat pixels, whether the brightest pixel is the same.

    This figure is exact; Keras' own is a float32 sum, off by up to 1e-5 on many rows. Beside
    it, `keras_float32` in the scorecard's explanation is what `model.evaluate` gives for the
    model, in batches of 32, to the last bit.

    Higher is better. On MNIST's training images (28, 28, 1) a blank page scores 0.8087977 and
    a perfect copy 0.8154789. It hides nearly everything about a reconstruction: use mse,
    exact_match or bce.

    Source: Keras 3.15.1 `binary_accuracy` and `categorical_accuracy`.

    Example:
        >>> pixels = np.array([[[0.0], [0.3], [1.0]]])
        >>> keras_accuracy(pixels, pixels).round(4)
        array([0.6667])
    """
    if target.shape[-1] == 1:
        right = target == (prediction > _THRESHOLD)
    else:
        right = target.argmax(axis=-1) == prediction.argmax(axis=-1)
    share: NDArray[np.float64] = right.reshape(len(right), -1).mean(axis=1)
    return share


def classic_accuracy(target: NDArray[Any], prediction: NDArray[Any]) -> NDArray[np.float64]:
    """The classic answer's accuracy: the share of values equal to the rounded prediction.

    Formula: mean(equal(y, round(p))), for any shape of rows.

    Higher is better. It is what `keras_accuracy` is on rows whose last dimension is 1, and
    what it was taken for on flat rows, where Keras compares the places of the maxima instead.
    It hides as much: a grey target can never be right.

    Source: Keras 1 and 2's `binary_accuracy`, K.mean(K.equal(y_true, K.round(y_pred))).

    Example:
        >>> classic_accuracy(np.array([[0.0, 0.3, 1.0]]), np.array([[0.2, 0.3, 0.8]])).round(4)
        array([0.6667])
    """
    right = (target == np.rint(prediction)).reshape(len(target), -1)
    share: NDArray[np.float64] = right.mean(axis=1)
    return share
