"""One measured program: a process of its own, and what it used of the machine."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent
# The slowest sensible program, the denoising sample on Keras/JAX as it comes, stops itself after
# 30 minutes of training; what runs much longer hangs.
LIMIT_SECONDS: Final = 2_700.0
_LAST_LINES: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """What is measured: a function that is called in a process of its own.

    Attributes:
        name: What it is called in tables.
        call: `module:function`, below `benchmarks.programs`.
        settings: Its keyword arguments; `seed`, the number of the round, is added.
        backend: KERAS_BACKEND of the process; empty where it has no Keras.
        needs: Packages that must be importable.
        note: What a reader must know to compare it.
        makes: The path that it makes for programs with that path in their settings; it runs once
            before them, and isn't reported. Empty for what is measured.
    """

    name: str
    call: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    backend: str = ""
    needs: tuple[str, ...] = ()
    note: str = ""
    makes: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """The packages it needs that are not installed."""
        return tuple(name for name in self.needs if find_spec(name) is None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One run of a program.

    Attributes:
        wall: Seconds from the start of the process to its end.
        cpu: Seconds of all its threads, and of the processes it waited for.
        peak: The most memory it held at a time, in MiB.
        others: Cores kept busy by other processes meanwhile; near 0 on a quiet machine.
        figures: What the program measured itself.
        failure: Why there are no figures; empty where all went well.
    """

    wall: float
    cpu: float
    peak: float
    others: float
    figures: dict[str, Any] = field(default_factory=dict)
    failure: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the run as plain JSON."""
        return asdict(self)


def run_program(program: Program, *, seed: int, limit: float = LIMIT_SECONDS) -> Run:
    """Run a program once and return what it took; whatever goes wrong there is its failure."""
    environment = {**os.environ, "PYTHONPATH": _path_with_root(), "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment["KERAS_BACKEND"] = program.backend or "jax"
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        told, answer, log = (Path(folder, name) for name in ("told", "answer", "log"))
        told.write_text(json.dumps({**program.settings, "seed": seed}), encoding="utf-8")
        command = [sys.executable, "-m", "benchmarks.child", program.call, str(told), str(answer)]
        busy, begun = _busy_seconds(), time.perf_counter()
        with log.open("wb") as output:
            code, used = _wait_for(command, environment, folder, output, limit)
        wall = time.perf_counter() - begun
        cpu = used.ru_utime + used.ru_stime
        figures, failure = {}, ""
        if code == 0 and answer.exists():
            figures = json.loads(answer.read_text(encoding="utf-8"))
        else:
            failure = _explain(code, log, limit)
    return Run(
        wall=wall,
        cpu=cpu,
        peak=used.ru_maxrss / 1024,  # KiB on Linux
        others=max(0.0, (_busy_seconds() - busy - cpu) / wall),
        figures=figures,
        failure=failure,
    )


def _wait_for(
    command: list[str], environment: dict[str, str], folder: str, output: Any, limit: float
) -> tuple[int, Any]:
    """Return the exit code of a command and what it used, its children included.

    The peak memory of a process starts at that of its parent, which therefore stays small: it
    imports neither NumPy nor Keras.
    """
    process = subprocess.Popen(
        command, env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT
    )
    timer = threading.Timer(limit, process.kill)
    timer.start()
    try:
        _, status, used = os.wait4(process.pid, 0)
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used


def _explain(code: int, log: Path, limit: float) -> str:
    if code < 0:
        return f"ended by signal {-code}, memory may be short or {limit:.0f} s were over"
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return " / ".join(lines[-_LAST_LINES:]) or f"exit code {code}"


def _path_with_root() -> str:
    return os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])


def _busy_seconds() -> float:
    """Return the seconds that all cores have worked since the machine started; 0 if unknown."""
    try:
        first = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
    except OSError:
        return 0.0
    user, nice, system, _idle, _wait, irq, softirq, *_ = map(int, first.split()[1:])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
