"""Audits what a user's program fits: runs it, unchanged, in a child process and reads the facts.

The child (`truecopy.audit.child`) probes each model where it lives, with the program's own
classes and data; what comes back is JSON.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, Final

import truecopy
from truecopy.audit.audit import Audit
from truecopy.audit.outcome import explain_failure, note_outcome
from truecopy.audit.silence import silence
from truecopy.backend import ASSUMED
from truecopy.errors import InvalidArgument, NotPython, ScriptNotFound, suggest
from truecopy.rules.engine import check_names, rank, run_rules
from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Finding
from truecopy.rules.reading import read_facts, read_finding

# -P keeps the current folder off the path: `python program.py` doesn't have it there either.
_START: Final = (
    "import sys; sys.path.insert(0, {package!r}); "
    "from truecopy.audit.child import main; sys.path.remove({package!r}); main()"
)
# What a program that is told to end may take for the audit of what it has trained: [s].
_AUDIT: Final = 60.0
_GRACE: Final = 3.0


def audit_script(
    path: str | PathLike[str],
    argv: Sequence[str] = (),
    *,
    budget: float = 60.0,
    limit: float = 900.0,
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    prove: bool = False,
    quiet: bool = False,
) -> Audit:
    """Run a program and audit every Keras model that it fits.

    The program runs as under `python PATH ARGV`, in the current folder, without input. It is
    ended once its fits have been watched for `budget` seconds. What it prints goes to standard
    error; files that it writes are written.

    Args:
        path: A Python program.
        argv: Its arguments.
        budget: Seconds of training to watch, over all its fits.
        limit: Seconds that the whole program may take.
        select: Codes, names or beginnings of codes of the rules to run; empty: all.
        ignore: Those to leave out.
        prove: Train the original and the changed program of each fix, in the same process.
        quiet: Hide what the program prints.

    Returns:
        The audit of the fit with the costliest finding, with the findings of all fits.

    Raises:
        ScriptError: The program is missing, isn't Python, crashes, never fits, or takes too
            long; the subclass says which.
        UnknownName: `select` or `ignore` names no rule.
    """
    script = _check_script(Path(path))
    for argument, value in (("budget", budget), ("limit", limit)):
        if not value > 0:
            raise InvalidArgument(argument, "audit_script", "a number of seconds", got=value)
    for argument, names in (("select", select), ("ignore", ignore)):
        check_names(argument, "audit_script", names)
    with tempfile.TemporaryDirectory(prefix="truecopy-") as folder:
        request = {
            "script": str(script.absolute()),
            "shown": str(path),
            "argv": list(argv),
            "root": str(Path.cwd()),
            "folder": folder,
            "budget": budget,
            "prove": {"select": select, "ignore": ignore} if prove else None,
            "backend_assumed": bool(os.environ.get(ASSUMED)),
        }
        status = _run_child(request, limit=limit, quiet=quiet)
        outcome = _read_outcome(Path(folder), status)
        audited = [read_facts(plain) for plain in _read_all(Path(folder), "audit-*.json")]
        proved = [read_finding(plain) for plain in _read_all(Path(folder), "proved-*.json")]
    if not audited:
        raise explain_failure(str(path), outcome, limit=limit)
    notes = note_outcome(str(path), outcome, fits=len(audited), budget=budget)
    return _join(audited, proved, notes, select=select, ignore=ignore)


def _join(
    audited: list[AuditFacts],
    proved: list[Finding],
    notes: tuple[str, ...],
    *,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
) -> Audit:
    """Return one audit of several fits: the facts of the costliest, each finding once."""
    root = Path.cwd()
    each = [
        (facts, silence(run_rules(facts, select=select, ignore=ignore), facts.target, root))
        for facts in audited
    ]
    found: dict[tuple[str, str], tuple[Finding, AuditFacts]] = {}
    last = {facts.model.name: facts for facts in audited}
    for facts, findings in each:
        for finding in findings:
            # A model that is fitted again, as to noisy rows after clean ones, is judged by its
            # last fit; what made an earlier one impossible is still worth a word.
            if last[facts.model.name] is not facts and finding.severity != "error":
                continue
            found.setdefault((finding.code, facts.model.name), (finding, facts))
    ranked = sorted(found.values(), key=lambda pair: rank(pair[0]))
    # Without findings: the autoencoder among the models that were fitted.
    autoencoders = [facts for facts in audited if facts.model.role == "autoencoder"]
    leading = ranked[0][1] if ranked else (*autoencoders, audited[0])[0]
    proofs = {(p.code, p.message): p.proof for p in proved}
    return Audit(
        replace(leading, notes=(*leading.notes, *notes)),
        tuple(replace(f, proof=proofs.get((f.code, f.message))) for f, _ in ranked),
    )


def _check_script(path: Path) -> Path:
    """Refuse what is not a Python program, before a process is started."""
    if not path.is_file():
        near = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise ScriptNotFound(f"There is no program {str(path)!r}.{suggest(path.name, near)}")
    if path.suffix == ".ipynb":
        message = (
            f"{str(path)!r} is a notebook. Save it as a program first: "
            f"jupyter nbconvert --to script {path}"
        )
        raise NotPython(message)
    try:
        compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        message = f"{path}:{error.lineno} is not Python {sys.version_info.major}: {error.msg}."
        raise NotPython(message) from error
    except (ValueError, UnicodeDecodeError) as error:  # null bytes
        raise NotPython(f"{str(path)!r} is not a Python program: {error}.") from error
    return path


def _run_child(request: dict[str, Any], *, limit: float, quiet: bool) -> int | None:
    """Run the program to its end; return its exit status, None where it took too long."""
    place = Path(request["folder"]) / "request.json"
    place.write_text(json.dumps(request), encoding="utf-8")
    start = _START.format(package=str(Path(truecopy.__file__).parents[1]))
    output = subprocess.DEVNULL if quiet else 2  # the program's words are not our result
    child = subprocess.Popen(  # noqa: S603 (running the user's program is what was asked)
        [sys.executable, "-P", "-c", start, str(place)],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env={"MPLBACKEND": "Agg", **os.environ},
        start_new_session=True,  # so that Ctrl-C reaches us alone, and we end it with its own
    )
    try:
        status = _wait(child, limit)
        if status is None and os.name == "posix":  # it may have trained in a loop of its own
            child.terminate()
            status = _wait(child, _AUDIT)
        return status
    finally:
        _end_group(child)


def _wait(child: "subprocess.Popen[bytes]", limit: float) -> int | None:
    try:
        return child.wait(timeout=limit)
    except subprocess.TimeoutExpired:
        return None


def _end_group(child: "subprocess.Popen[bytes]") -> None:
    """End the program and every process that it started."""
    if os.name == "posix":
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()
    with suppress(subprocess.TimeoutExpired):
        child.wait(timeout=_GRACE)


def _read_all(folder: Path, pattern: str) -> list[Any]:
    places = sorted(folder.glob(pattern))
    return [json.loads(place.read_text(encoding="utf-8")) for place in places]


def _read_outcome(folder: Path, status: int | None) -> dict[str, Any]:
    """Return what the child wrote of the program's end, or what its exit status says."""
    place = folder / "outcome.json"
    if place.exists():
        outcome: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
        return outcome
    return {"reason": "limit"} if status is None else {"reason": "died", "status": status}
