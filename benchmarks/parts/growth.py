"""How time and memory of `fit` (one epoch) and `evaluate` grow."""

from pathlib import Path
from typing import Any, Final

from benchmarks.measure import Program

# What each axis varies, and for which models; the others stay at `_USUAL`. The rows are few where
# something else grows, so that start and compilation don't hide under them, nor it under them.
_AXES: Final = {
    "rows": ((1_000, 10_000, 100_000, 1_000_000), ("dense",)),
    "side": ((8, 16, 32, 64, 128), ("dense", "conv")),
    "latent": ((4, 16, 64, 256), ("dense",)),
}
_QUICK: Final = {"rows": ((1_000,), ("dense",)), "side": ((8,), ("conv",))}
_USUAL: Final = {"rows": 5_000, "side": 28, "latent": 16}


def programs(*, quick: bool, scratch: Path) -> list[Program]:
    """Return a `fit` and an `evaluate` for each size of each axis, after what they read."""
    measured: list[Program] = []
    before: dict[str, Program] = {}
    for axis, (sizes, models) in (_QUICK if quick else _AXES).items():
        for size, model in ((size, model) for size in sizes for model in models):
            told = {**_USUAL, **({"rows": 1_000} if quick else {}), axis: size}
            path = str(scratch / f"{told['rows']}-{told['side']}.npy")
            folder = str(scratch / f"{axis}-{size}-{model}")
            latent = {"latent": told["latent"], "model": model, "path": path}
            rows = {"path": path, "rows": told["rows"], "side": told["side"]}
            before[path] = _program(f"writing {path}", "write_rows", rows, makes=path)
            run = {**latent, "folder": folder}
            before[folder] = _program(f"training {folder}", "write_run", run, makes=folder)
            # The words are axis, size, verb and model: the plots read them.
            measured += [
                _program(f"{axis} {size} fit {model}", "fit", latent),
                _program(
                    f"{axis} {size} evaluate {model}", "evaluate", {"folder": folder, "path": path}
                ),
            ]
    return [*before.values(), *measured]


def _program(name: str, function: str, settings: dict[str, Any], **more: str) -> Program:
    call = f"growing:{function}"
    return Program(name=name, call=call, settings=settings, backend="jax", **more)
