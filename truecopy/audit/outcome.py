"""Says in words how a program ended: as an error where nothing was audited, else as notes."""

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from truecopy.errors import (
    AuditFailed,
    NothingFitted,
    ScriptCrashed,
    ScriptError,
    ScriptTimedOut,
)


def explain_failure(script: str, outcome: Mapping[str, Any], *, limit: float) -> ScriptError:
    """Return the error of a program of which nothing could be audited.

    Args:
        script: The program, as the user named it.
        outcome: What `truecopy.audit.child` wrote, or the exit status.
        limit: The seconds that it was given.
    """
    reason, seen = outcome["reason"], outcome.get("seen", {})
    failures = seen.get("failures", [])
    if reason == "crash":
        return ScriptCrashed(f"{_tell_crash(script, outcome)}{_advise(outcome)}")
    if failures:
        return AuditFailed(f"{script} fitted a model that could not be probed: {failures[0]}")
    if reason == "limit":
        message = (
            f"{script} fitted nothing within {limit:g} s. Give it longer with --limit, or less "
            "to do before its fit."
        )
        return ScriptTimedOut(message)
    if reason == "died":
        return ScriptCrashed(f"{script} {_tell_status(outcome['status'])} before its first fit.")
    end = f"called sys.exit({outcome['code']}) and" if reason == "exit" else "ran to its end and"
    return NothingFitted(f"{script} {end} fitted nothing. {_tell_seen(seen)}")


def note_outcome(
    script: str, outcome: Mapping[str, Any], *, fits: int, budget: float
) -> tuple[str, ...]:
    """Return sentences on how a program ended of which something was audited.

    Args:
        script: The program, as the user named it.
        outcome: What `truecopy.audit.child` wrote, or the exit status.
        fits: How many trainings were audited.
        budget: The seconds of training that it was given.
    """
    notes = [f"{fits} trainings were audited."] if fits > 1 else []
    notes += [
        f"Could not be probed: {told}" for told in outcome.get("seen", {}).get("failures", [])
    ]
    reason = outcome["reason"]
    if reason == "budget":
        notes.append(f"The program was ended after {budget:g} s of training (--budget).")
    elif reason == "enough":
        notes.append("The program was ended: it trains many models, and these were audited.")
    elif reason == "patience":
        notes.append("The program was ended: it had not trained for a while.")
    elif reason == "limit":
        notes.append("The program was ended: it took longer than --limit.")
    elif reason == "crash":
        notes.append(_tell_crash(script, outcome))
    elif reason == "died":
        notes.append(f"{script} {_tell_status(outcome['status'])}.")
    return tuple(notes)


def _tell_crash(script: str, outcome: Mapping[str, Any]) -> str:
    where = outcome.get("where")
    place = f"{where['file']}:{where['line']}" if where else script
    if outcome["kind"] == "EOFError":
        return f"{place} asks for input, which an audit can't give: {outcome['error']}."
    if outcome["kind"] == "KeyboardInterrupt":
        return f"{place} was interrupted."
    error = str(outcome["error"])
    return f"{place} failed with {error}{'' if error.endswith(('.', '!', '?')) else '.'}"


def _advise(outcome: Mapping[str, Any]) -> str:
    """Return what to do about a crash before the first fit, where that is known."""
    if outcome["kind"] == "EOFError":
        return " Pass what it needs as arguments, after --."
    missing = outcome.get("missing")
    if missing and not Path(str(missing)).is_absolute():
        return f" It looked in the current folder, {str(Path.cwd())!r}."
    return ""


def _tell_status(status: int) -> str:
    if status < 0:
        return f"was ended by signal {-status} ({signal.Signals(-status).name})"
    return f"ended its own process with status {status}"


def _tell_seen(seen: Mapping[str, Any]) -> str:
    """Say how far a program came that never called `fit`."""
    if seen.get("unwatched"):
        return f"Its Keras can't be watched: {seen['unwatched']}."
    if not seen.get("keras"):
        return "It never imported Keras."
    models, compiled = seen["models"], seen["compiled"]
    if not models:
        return "It imported Keras and built no model."
    told = f"It built {_list(models)}; compiled: {_list(compiled) if compiled else 'none'}."
    return f"{told} Training is seen in fit and train_on_batch."


def _list(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
