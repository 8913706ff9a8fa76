"""Models that a program trains in a loop of its own, without `fit` or `train_on_batch`.

Such a program calls the model, or its `stateless_call`, and computes loss and gradients
itself. What can be seen is the model and the rows that it is called on; under `jit` not even
the rows, so the program's arrays that fit the model's input are taken.
"""

import sys
import weakref
from typing import Any, Final

import keras
import numpy as np

from truecopy.audit.ending import Ender
from truecopy.audit.feeding import MOST_ROWS, Sample, sample_given, to_array
from truecopy.audit.marking import Marks
from truecopy.audit.subject import Array

# Of models called one after another, such as encoder and decoder, the first ones tell most.
_MOST_MODELS: Final = 3
_USES: Final = ("predict", "evaluate", "predict_on_batch", "test_on_batch")


class OwnLoops:
    """Keeps rows of what models are called on outside of Keras' own loops.

    Args:
        marks: Wraps Keras' methods.
        ender: Ends the program when it has trained for `budget` seconds.
        budget: Seconds from the first call of a model.
    """

    def __init__(self, marks: Marks, ender: Ender, budget: float) -> None:
        self._marks, self._ender, self._budget = marks, ender, budget
        self._rows: weakref.WeakKeyDictionary[Any, list[Array]] = weakref.WeakKeyDictionary()
        self._shapes: weakref.WeakKeyDictionary[Any, tuple[int, ...]] = weakref.WeakKeyDictionary()

    def install(self) -> None:
        """Wrap the calls of models."""
        self._marks.wrap("__call__", self._on_call)
        self._marks.wrap("stateless_call", self._on_stateless_call)
        for name in _USES:
            self._marks.wrap(name, self._on_use)

    def models(self) -> list[tuple[Any, Sample]]:
        """Return the models that were called and can be trained, with rows of their inputs."""
        called = [model for model in self._rows if model.built and model.trainable_weights]
        return [(model, self._sample(model)) for model in called[:_MOST_MODELS]]

    def _sample(self, model: Any) -> Sample:
        shape = self._shapes.get(model, ())
        rows = [batch for batch in self._rows[model] if batch.shape[1:] == shape]
        if rows:
            sampled = "rows that the model was called on"
            return Sample(inputs=np.concatenate(rows)[:MOST_ROWS], sampled=sampled)
        return sample_from_program(shape)

    def _on_call(self, call: Any, model: Any, args: Any, named: Any) -> Any:
        self._note(model, args[0] if args else next(iter(named.values()), None))
        with self._marks.busy():
            return call(model, *args, **named)

    def _on_stateless_call(self, call: Any, model: Any, args: Any, named: Any) -> Any:
        self._note(model, args[2] if len(args) > 2 else None)  # noqa: PLR2004 (after the states)
        with self._marks.busy():
            return call(model, *args, **named)

    def _on_use(self, use: Any, model: Any, args: Any, named: Any) -> Any:
        with self._marks.busy():
            return use(model, *args, **named)

    def _note(self, model: Any, x: Any) -> None:
        if isinstance(x, keras.KerasTensor):  # a model is being put together
            return
        if model not in self._rows:
            if not self._rows:
                self._ender.end_after(self._budget, "budget")
            self._rows[model] = []
        if len(getattr(x, "shape", ())) > 1:  # known while a graph is traced, too
            self._shapes.setdefault(model, tuple(x.shape)[1:])
        kept = self._rows[model]
        if sum(map(len, kept)) < MOST_ROWS:
            batch = read_rows(x)
            if batch is not None:
                kept.append(batch)


def read_rows(x: Any) -> Array | None:
    """Return rows as a NumPy array; None for what has no values, as while a graph is traced."""
    try:
        rows = to_array(x)
    except Exception:  # noqa: BLE001 (each backend has an error of its own for this)
        return None
    return rows if rows.ndim > 1 and rows.dtype.kind in "fiub" else None


def sample_from_program(shape: tuple[int, ...]) -> Sample:
    """Return rows of the program's largest array whose rows have this shape."""
    fitting = {
        name: value
        for name, value in vars(sys.modules["__main__"]).items()
        if isinstance(value, np.ndarray) and value.shape[1:] == shape
    }
    if not fitting or not shape:
        return Sample()
    name = max(fitting, key=lambda each: len(fitting[each]))
    told = f"The rows were taken from the program's array {name!r}, the largest that fits."
    sample = sample_given(fitting[name])
    return Sample(inputs=sample.inputs, rows=sample.rows, sampled=sample.sampled, notes=(told,))
