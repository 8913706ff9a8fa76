"""Results on disk: one JSON file per part, complete after every single run."""

import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import Program, Run

_PACKAGES: Final = (
    "truecopy",
    "keras",
    "jax",
    "numpy",
    "scikit-learn",
    "scikit-image",
    "tensorflow-cpu",
    "torch",
    "pyod",
    "rapidae",
)


class Results:
    """The results of one part.

    A program's earlier runs are replaced by its first new one; those of the others stay, so
    that parts and programs can be measured at different times.
    """

    def __init__(self, folder: Path, part: str) -> None:
        self.path = folder / f"{part}.json"
        self.programs: dict[str, dict[str, Any]] = {}
        if self.path.exists():
            self.programs = json.loads(self.path.read_text(encoding="utf-8"))["programs"]
        self._renewed: set[str] = set()

    def add(self, program: Program, run: Run) -> None:
        """Add a run and write the file, in place of the older one once it is complete."""
        if program.name not in self._renewed:
            self._renewed.add(program.name)
            self.programs[program.name] = {
                "backend": program.backend,
                "settings": dict(program.settings),
                "note": program.note,
                "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
                "machine": describe_machine(),
                "versions": read_versions(),
                "runs": [],
            }
        self.programs[program.name]["runs"].append(run.to_dict())
        self._write()

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(f".{os.getpid()}")
        text = json.dumps({"part": self.path.stem, "programs": self.programs}, indent=1)
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(self.path)


def describe_machine() -> dict[str, Any]:
    """Return the processor, its cores and the memory; no name of the machine."""
    processor = platform.processor() or platform.machine()
    for line in _lines_of("/proc/cpuinfo"):
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
            break
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": processor,
        "cores": len(os.sched_getaffinity(0)),
        "memory": round(pages / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def read_versions() -> Mapping[str, str]:
    """Return the versions of what is installed among truecopy and its peers."""
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def _lines_of(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
