"""How well the audit finds the fault of known programs, and how quiet it is on healthy ones.

    python benchmarks/audit_quality.py tests/programs --jobs 2
    python benchmarks/audit_quality.py tests/programs --only softmax --budget 20

Two layouts of cases are read. A plain program says in its head comments what is meant: `# expects:
rule[, other]` (one of them must be among the first two findings), `# must not: rule` (no error or
warning of that name) and `# may: rule` (known and allowed); without `expects` it is healthy, and
every error or warning is a false alarm. A folder with `case.json` holds `buggy.py` and `fixed.py`,
and names what is accepted and what must not be reported.
"""

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FIRST = 2  # a root cause below the second finding is not seen by a reader in a hurry
ALARMS = ("error", "warning")  # notes are free


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A program and what an audit of it must say.

    `expects` is empty for a healthy program; `only_forbidden` says that errors and warnings
    outside `forbidden` are not held against it.
    """

    name: str
    path: Path
    expects: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    only_forbidden: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What the audit said of a case: findings in order, as (severity, name)."""

    case: Case
    findings: tuple[tuple[str, str], ...] = ()
    failure: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())

    @property
    def first(self) -> bool:
        """Whether the expected rule leads."""
        return bool(self.findings) and self.findings[0][1] in self.case.expects

    @property
    def found(self) -> bool:
        """Whether an expected rule is among the first two findings."""
        return any(name in self.case.expects for _, name in self.findings[:FIRST])

    @property
    def alarms(self) -> tuple[str, ...]:
        """Errors and warnings that must not be there."""
        loud = [name for severity, name in self.findings if severity in ALARMS]
        if self.case.expects or self.case.only_forbidden:
            return tuple(name for name in loud if name in self.case.forbidden)
        return tuple(name for name in loud if name not in self.case.allowed)

    @property
    def verdict(self) -> str:
        """One word for the table; 'ok' is what one wants."""
        if self.failure:
            return "FAILED"
        if self.case.expects and not self.found:
            return "MISSED"
        return "ALARM" if self.alarms else "ok"


def read_cases(folder: Path) -> Iterator[Case]:
    """Yield the cases of a folder, or of one program, in alphabetical order."""
    for path in [folder] if folder.is_file() else sorted(folder.rglob("*.py")):
        described = path.with_name("case.json")
        yield _described(path, described) if described.exists() else _commented(path)


def _described(path: Path, described: Path) -> Case:
    """Return the case of a `buggy.py` or `fixed.py` beside a `case.json`."""
    case = json.loads(described.read_text(encoding="utf-8"))
    buggy = path.stem == "buggy"
    return Case(
        name=f"{path.parent.name}/{path.stem}",
        path=path,
        expects=tuple(case["accept"]) if buggy else (),
        forbidden=() if buggy else tuple(case["fixed_must_not"]),
        only_forbidden=not buggy,
    )


def _commented(path: Path) -> Case:
    """Return the case that a program's head comments describe."""
    text = path.read_text(encoding="utf-8")

    def names(key: str) -> tuple[str, ...]:
        line = re.search(rf"^# {key}: *(.+)$", text, re.MULTILINE)
        return tuple(re.findall(r"[a-z][a-z0-9-]+", line.group(1))) if line else ()

    return Case(
        name=f"{path.parent.name}/{path.stem}",
        path=path,
        expects=names("expects"),
        forbidden=names("must not"),
        allowed=names("may"),
    )


def audit_case(case: Case, budget: float | None = None, *, prove: bool = False) -> Outcome:
    """Audit one program as `truecopy audit PROGRAM` does and return what was found."""
    from truecopy.audit.script import audit_script

    options: dict[str, Any] = {} if budget is None else {"budget": budget}
    begun = time.monotonic()
    try:
        audit = audit_script(case.path, quiet=True, prove=prove, **options)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this case's result
        failure = f"{type(error).__name__}: {error}".splitlines()[0]
        return Outcome(case=case, failure=failure, seconds=time.monotonic() - begun)
    return Outcome(
        case=case,
        findings=tuple((found.severity, found.name) for found in audit.findings),
        seconds=time.monotonic() - begun,
        notes=tuple(audit.facts.notes),
    )


def provide_mnist(folder: Path) -> None:
    """Set MNIST_NPZ, which the programs read, to the embedded MNIST as a file in `folder`."""
    if "MNIST_NPZ" in os.environ:
        return
    import numpy as np

    from truecopy.data.datasets.mnist import load_mnist

    path = folder / "truecopy-mnist.npz"
    if not path.exists():
        x_train, y_train = load_mnist("train")
        x_test, y_test = load_mnist("test")
        half = path.with_name(f"{os.getpid()}.npz")
        # As Keras' own mnist.npz has them: without an axis of channels.
        x_train, x_test = x_train.reshape(-1, 28, 28), x_test.reshape(-1, 28, 28)
        np.savez(half, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
        half.replace(path)
    os.environ["MNIST_NPZ"] = str(path)


def _line(outcome: Outcome) -> str:
    """Return one line of the table."""
    wanted = ",".join(outcome.case.expects) or "healthy"
    found = outcome.failure or " ".join(f"{s[0].upper()}:{name}" for s, name in outcome.findings)
    bad = f"  !{','.join(outcome.alarms)}" if outcome.alarms else ""
    head = f"{outcome.verdict:6} {outcome.seconds:5.1f}s {outcome.case.name:52}"
    return f"{head} [{wanted}]  {found or '-'}{bad}"


def _totals(outcomes: Sequence[Outcome]) -> str:
    """Return the summary: recall, first places, false alarms, failures."""
    done = [o for o in outcomes if not o.failure]
    buggy = [o for o in outcomes if o.case.expects]
    healthy = [o for o in outcomes if not o.case.expects]
    clean = [o for o in healthy if not o.failure and not o.alarms]
    alarms: dict[str, int] = {}
    for name in (name for o in healthy for name in o.alarms):
        alarms[name] = alarms.get(name, 0) + 1
    return "\n".join(
        [
            f"recall@{FIRST}    {sum(o.found for o in buggy)}/{len(buggy)}",
            f"first place {sum(o.first for o in buggy)}/{len(buggy)}",
            f"healthy     {len(clean)}/{len(healthy)} without an alarm",
            f"must not    {sum(bool(o.alarms) for o in buggy)}/{len(buggy)} buggy with one",
            f"failed      {len(outcomes) - len(done)}/{len(outcomes)}",
            f"alarms      {dict(sorted(alarms.items(), key=lambda item: -item[1]))}",
            f"seconds     {sum(o.seconds for o in outcomes) / max(len(outcomes), 1):.1f} each",
        ]
    )


def main() -> int:
    """Run the cases and print the table; the exit code is 1 where any is not ok."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="a part of the program's name")
    parser.add_argument("--budget", type=float, default=None, help="seconds of training watched")
    parser.add_argument("--notes", action="store_true", help="also what could not be measured")
    options = parser.parse_args()
    cases = [c for folder in options.folders for c in read_cases(folder) if options.only in c.name]
    provide_mnist(Path(tempfile.gettempdir()))
    outcomes = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for outcome in pool.map(lambda case: audit_case(case, options.budget), cases):
            outcomes.append(outcome)
            print(_line(outcome), flush=True)
            for note in outcome.notes if options.notes else ():
                print(f"         {note}")
    print(_totals(outcomes))
    return int(any(outcome.verdict != "ok" for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
