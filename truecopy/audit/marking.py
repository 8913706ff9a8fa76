"""Wraps Keras' methods while a program is watched, and keeps the lines that use them.

Methods are wrapped where they are defined, not on `keras.Model`, because Keras compares them
with those of its own classes (3.15: loading a model compiles it only where `compile` is the
trainer's own).
"""

import functools
import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
from keras.src.backend.common import global_state

from truecopy.audit.lines import user_where
from truecopy.rules.modelfacts import Where

Watch = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
# Where Keras 3.15 counts the layers of a kind, to call the next one dense_4.
_NAME_COUNTS = "object_name_uids"


class Marks:
    """The lines on which layers were made and models compiled, and who may be watched.

    Args:
        root: The folder that files are named from.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.models: list[weakref.ref[Any]] = []
        self._layers: weakref.WeakKeyDictionary[Any, Where] = weakref.WeakKeyDictionary()
        self._compiled: weakref.WeakKeyDictionary[Any, list[Where | None]] = (
            weakref.WeakKeyDictionary()
        )
        self._busy = 0
        self._process = os.getpid()

    @property
    def off(self) -> bool:
        """Whether what happens is ours or Keras' own, or in a worker process of the program's."""
        return bool(self._busy) or os.getpid() != self._process

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Let what runs inside go unwatched."""
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let what runs inside go unwatched, and layers made inside use up no names."""
        counts = global_state.get_global_attribute(_NAME_COUNTS)
        kept = None if counts is None else counts.copy()
        try:
            with self.busy():
                yield
        finally:
            global_state.set_global_attribute(_NAME_COUNTS, kept)

    def install(self) -> None:
        """Keep the lines of layers and `compile` from now on."""
        self.wrap("compile", self._on_compile)
        make = keras.layers.Layer.__new__

        def make_and_mark(kind: Any, *args: Any, **named: Any) -> Any:
            made = make(kind, *args, **named)
            if not self.off:
                self._on_new(made)
            return made

        keras.layers.Layer.__new__ = staticmethod(make_and_mark)

    def wrap(self, name: str, watch: Watch) -> None:
        """Let `watch(original, model, args, named)` stand for a method of `keras.Model`."""
        owner = next(kind for kind in keras.Model.__mro__ if name in vars(kind))
        original = vars(owner)[name]

        @functools.wraps(original)
        def wrapped(model: Any, *args: Any, **named: Any) -> Any:
            if self.off or not isinstance(model, keras.Model):
                return original(model, *args, **named)
            return watch(original, model, args, named)

        setattr(owner, name, wrapped)

    def compiled(self, model: Any) -> int:
        """Return how often the model was compiled."""
        return len(self._compiled.get(model, ()))

    def wheres(self, model: Any) -> dict[str, Where]:
        """Return the lines that made the model's layers and compiled it."""
        found = {
            f"layer {layer.name}": self._layers[layer]
            for layer in model._flatten_layers()  # noqa: SLF001 (nested ones are in no public list)
            if layer in self._layers
        }
        last = (self._compiled.get(model) or [None])[-1]
        return found if last is None else {**found, "compile": last}

    def _on_new(self, layer: Any) -> None:
        where = user_where(self.root)
        if where is not None:
            self._layers[layer] = where
        if isinstance(layer, keras.Model):
            self.models.append(weakref.ref(layer))

    def _on_compile(self, compile_: Any, model: Any, args: Any, named: Any) -> Any:
        self._compiled.setdefault(model, []).append(user_where(self.root))
        with self.busy():
            return compile_(model, *args, **named)
