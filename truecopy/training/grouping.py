"""Several training steps in one compiled program: less bookkeeping between short steps.

After every execution Keras 3.15 on JAX hands the losses to a thread, turns them into Python floats
and calls the callbacks, and each step is dispatched from Python with all weights and the
optimizer's state, three arrays for each weight. With `steps_per_execution` it still dispatches
them one by one, in a Python loop; here they are a loop inside the program that XLA compiles.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, final

import jax
import keras
import numpy as np

# On 2 cores, vanilla dense model, batch 100: 43,700 images per CPU second dispatched one by one,
# 49,000 in groups of 15 or of 30.
_GROUP: Final = 16
# A step with less arithmetic takes some 20 ms at 100 GFLOP/s: longer ones hide the bookkeeping.
_SHORT_STEP: Final = 2e9
_MATRIX_RANK: Final = 2
_HOOKS: Final = tuple(
    f"on_{kind}batch_{edge}" for kind in ("", "train_", "test_") for edge in ("begin", "end")
)


def group_steps(model: Any, batch_size: int, callbacks: Sequence[Any]) -> int:
    """Return `steps_per_execution` for Keras' `compile`.

    More than one only where it gains something and nobody would miss anything: short steps of a
    dense model on JAX, and no callback that wants to be called after every batch.

    Args:
        model: A built model.
        batch_size: The rows of a step.
        callbacks: The user's callbacks.
    """
    weights = model.trainable_weights
    dense = all(len(weight.shape) <= _MATRIX_RANK for weight in weights)
    # A forward pass multiplies and adds once per weight and row; the gradients twice as much.
    work = 6 * batch_size * model.count_params()
    if keras.backend.backend() != "jax" or not dense or work > _SHORT_STEP:
        return 1
    return 1 if any(map(_watches_batches, callbacks)) else _GROUP


@final
class Trainer(keras.Model):  # type: ignore[misc]  # Keras ships no types
    """A functional model that is trained in place of another one, with nothing done in vain.

    On JAX its `steps_per_execution` steps are one program; its batches must all have one shape.
    Losses agree with those of single steps but for float rounding.

    While it trains only the loss is kept; metrics are for held-out rows. The mean squared error
    of a step that minimises cross-entropy takes a further pass over all values, and 7 % of the
    vanilla dense model's time.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._trains = False

    def train_step(self, *args: Any) -> Any:
        """Do Keras' own step of this backend, without metrics."""
        self._trains = True
        try:
            return super().train_step(*args)
        finally:
            self._trains = False

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return what Keras logs for a batch (3.15 asks for it in every step)."""
        if self._trains:
            return {"loss": self._loss_tracker.result()}
        return super().compute_metrics(x, y, y_pred, sample_weight)

    def get_metrics_result(self) -> Any:
        """Return what Keras logs for an epoch; metrics without any row have no result yet."""
        if self._compile_metrics is not None and not self._compile_metrics.built:
            return {"loss": self._loss_tracker.result()}
        return super().get_metrics_result()

    def make_train_function(self, force: bool = False) -> None:  # noqa: FBT001, FBT002  (Keras')
        """Compile the steps of a group; Keras' `fit` (3.15) calls this, then `train_function`."""
        if self.train_function is not None and not force:  # type: ignore[has-type]  # as above
            return
        super().make_train_function(force)
        jitted = self.jit_compile and not self.run_eagerly
        alone = keras.distribution.distribution() is None
        if self.steps_per_execution > 1 and jitted and alone and keras.backend.backend() == "jax":
            self.train_function = _run_together(self.train_step, self.steps_per_execution)


def _run_together(step: Callable[..., Any], most: int) -> Callable[..., Any]:
    """Return what takes the next `most` batches of an iterator through `step`, or what is left."""

    def run(state: Any, batches: Any, count: Any) -> tuple[Any, Any]:
        first = jax.tree.map(lambda arrays: arrays[0], batches)
        logs = jax.tree.map(
            lambda like: jax.numpy.zeros(like.shape, like.dtype),
            jax.eval_shape(step, state, first)[0],
        )

        def take(number: Any, done: tuple[Any, Any]) -> tuple[Any, Any]:
            made: tuple[Any, Any] = step(done[1], jax.tree.map(lambda each: each[number], batches))
            return made

        together: tuple[Any, Any] = jax.lax.fori_loop(0, count, take, (logs, state))
        return together

    compiled = jax.jit(run, donate_argnums=0)

    def take_group(state: Any, iterator: Iterator[Any]) -> tuple[Any, Any]:
        # The first `next` must raise StopIteration as Keras' own would: its `fit` catches that.
        group = [next(iterator), *itertools.islice(iterator, most - 1)]
        taken: tuple[Any, Any] = compiled(state, _stack(group, most), np.int32(len(group)))
        return taken

    return take_group


def _stack(group: list[Any], length: int) -> Any:
    """Return batches as one, filled up to `length`: one shape means one compilation."""
    filled = [*group, *[group[-1]] * (length - len(group))]
    # Targets that are the inputs themselves are stacked once.
    stacked: dict[tuple[int, ...], Any] = {}

    def stack(*arrays: Any) -> Any:
        same = tuple(map(id, arrays))
        if same not in stacked:
            whole = _find_whole(arrays)
            # Put there by name, aligned memory is taken as it is; an argument would be copied.
            stacked[same] = jax.device_put(np.stack(arrays) if whole is None else whole)
        return stacked[same]

    return jax.tree.map(stack, *filled)


def _find_whole(arrays: Sequence[Any]) -> Any:
    """Return the array whose parts are `arrays`, one after the other in memory, else None."""
    first = arrays[0]
    if not isinstance(first, np.ndarray) or not first.flags.c_contiguous or first.base is None:
        return None
    start = first.ctypes.data
    for number, each in enumerate(arrays):
        near = isinstance(each, np.ndarray) and each.base is first.base
        if not near or each.ctypes.data != start + number * first.nbytes:
            return None
    shape, strides = (len(arrays), *first.shape), (first.nbytes, *first.strides)
    return np.lib.stride_tricks.as_strided(first, shape, strides, writeable=False)


def _watches_batches(callback: Any) -> bool:
    """Tell whether a callback does anything at a batch's begin or end."""
    base = keras.callbacks.Callback
    return any(
        getattr(getattr(callback, hook), "__func__", None) is not getattr(base, hook)
        for hook in _HOOKS
    )
