"""Setting what layers give to chosen numbers, and nothing else."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras

from truecopy.audit.trace import overriding


@dataclass(frozen=True, slots=True)
class Spot:
    """One tensor that a layer gives: the layer, and which of its flattened outputs."""

    layer: Any
    number: int = 0


@contextmanager
def setting(values: Mapping[Spot, Any]) -> Iterator[None]:
    """Let layers give chosen tensors while the block runs.

    Where a layer is called on rows of another number, say on random latents, it is left alone.
    """
    by_layer: dict[int, tuple[Any, dict[int, Any]]] = {}
    for spot, value in values.items():
        by_layer.setdefault(id(spot.layer), (spot.layer, {}))[1][spot.number] = value
    with overriding({layer: _replace(chosen) for layer, chosen in by_layer.values()}):
        yield


def _replace(chosen: Mapping[int, Any]) -> Callable[[Any], Any]:
    def replace(given: Any) -> Any:
        flat = keras.tree.flatten(given)
        changed = [
            _cast(chosen[i], tensor) if i in chosen and _same_shape(chosen[i], tensor) else tensor
            for i, tensor in enumerate(flat)
        ]
        return keras.tree.pack_sequence_as(given, changed)

    return replace


def _same_shape(value: Any, tensor: Any) -> bool:
    return tuple(value.shape) == tuple(getattr(tensor, "shape", ()))


def _cast(value: Any, tensor: Any) -> Any:
    """Return the value, with a gradient of 0 towards what the layer gave.

    Without any, a step of the user's would fail under TensorFlow and PyTorch.
    """
    nothing = 0 * keras.ops.nan_to_num(tensor)
    return keras.ops.cast(keras.ops.convert_to_tensor(value), tensor.dtype) + nothing
