"""Seconds until something happens: imports, `--help`, the first training step."""

from pathlib import Path
from typing import Any, Final

from benchmarks.measure import Program

_BACKENDS: Final = {"JAX": "jax", "TensorFlow": "tensorflow", "PyTorch": "torch"}


def programs(*, quick: bool, scratch: Path) -> list[Program]:
    """Return what is started; a quick run is no different."""
    del quick, scratch
    started = [
        _start("python -c pass", ["-c", "pass"], "Python itself, in all rows below"),
        _start("import truecopy", ["-c", "import truecopy"]),
        _start("truecopy --help", ["-m", "truecopy", "--help"]),
        *(
            _start(f"import keras ({name})", ["-c", "import keras"], backend=backend)
            for name, backend in _BACKENDS.items()
        ),
    ]
    for model, recipe in (("dense", "recipe:vanilla-dense"), ("conv", "recipe:keras-denoising")):
        started.append(
            Program(
                name=f"first step, {model}: truecopy",
                call="starting:take_truecopys_first_step",
                settings={"model": recipe},
                backend="jax",
                note="1,000 images; from the import on, with profile and plan",
            )
        )
        started += [
            Program(
                name=f"first step, {model}: Keras/{name}",
                call="starting:take_keras_first_step",
                settings={"model": model},
                backend=backend,
                needs=(backend,),
                note="1,000 images; from the import on",
            )
            for name, backend in _BACKENDS.items()
        ]
    return started


def _start(name: str, arguments: list[str], note: str = "", backend: str = "jax") -> Program:
    told: dict[str, Any] = {"arguments": arguments}
    needs = (backend,)
    call = "starting:start"
    return Program(name=name, call=call, settings=told, backend=backend, needs=needs, note=note)
