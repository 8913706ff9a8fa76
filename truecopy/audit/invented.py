"""Rows made up for a model that came without data, so that its structure can be seen."""

from typing import Any, Final

import keras
import numpy as np

# A free axis (steps, height, width) gets this length: enough for three poolings by two.
_FREE: Final = 32
_ROWS: Final = 8


def invent_rows(model: Any) -> Any:
    """Return rows that fit the model's inputs; None where it doesn't know them yet.

    Whole numbers are 0 and 1, which every table of embeddings has.
    """
    given = getattr(model, "inputs", None)
    if not given:
        return None
    generator = np.random.default_rng(0)

    def invent(spec: Any) -> Any:
        shape = (_ROWS, *(_FREE if n is None else n for n in spec.shape[1:]))
        kind = keras.backend.standardize_dtype(spec.dtype)
        if "float" in kind:
            return generator.uniform(size=shape).astype(kind if kind != "bfloat16" else "float32")
        return generator.integers(0, 2, shape).astype(kind)

    made = [invent(spec) for spec in keras.tree.flatten(given)]
    return made[0] if len(made) == 1 else keras.tree.pack_sequence_as(model.input, made)
