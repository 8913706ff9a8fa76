"""Settings of the audit in `[tool.truecopy]` of the nearest pyproject.toml."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from truecopy.errors import InvalidArgument, suggest
from truecopy.rules.engine import SEVERITIES, check_names

LEVELS: Final = (*SEVERITIES, "never")
_KEYS: Final = ("budget", "fail-on", "ignore", "select")


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditSettings:
    """What an audit was told: which rules to run, what counts as failed, and its time.

    `budget` are seconds of training to watch; `fail_on` the least severity that makes the
    command fail, or 'never'.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: str = "error"
    budget: float = 60.0


def read_settings(start: Path) -> AuditSettings:
    """Return the settings of the pyproject.toml nearest to `start`, its folder or one above.

    Args:
        start: The audited program, or a folder.

    Raises:
        InvalidArgument: The file isn't TOML, or has an unknown key or a value of another kind.
        UnknownName: `select` or `ignore` names no rule.
    """
    folder = start.resolve() if start.is_dir() else start.resolve().parent
    for place in (parent / "pyproject.toml" for parent in (folder, *folder.parents)):
        if place.is_file():
            return _read(place)
    return AuditSettings()


def check_level(argument: str, owner: str, level: Any) -> str:
    """Return a level of `--fail-on`.

    Raises:
        InvalidArgument: There is no such level.
    """
    if level not in LEVELS:
        hint = suggest(str(level), list(LEVELS)).lstrip()
        raise InvalidArgument(argument, owner, f"one of {', '.join(LEVELS)}", got=level, hint=hint)
    return str(level)


def _read(place: Path) -> AuditSettings:
    owner = f"[tool.truecopy] in {place}"
    try:
        tool = tomllib.loads(place.read_text(encoding="utf-8")).get("tool", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidArgument("file", owner, "TOML", got=str(error)) from error
    table = tool.get("truecopy", {})
    for key in table:
        if key not in _KEYS:
            hint = suggest(key, list(_KEYS)).lstrip()
            raise InvalidArgument("key", owner, f"one of {', '.join(_KEYS)}", got=key, hint=hint)
    names = {key: _read_names(table.get(key, []), key, owner) for key in ("select", "ignore")}
    budget = table.get("budget", AuditSettings().budget)
    if isinstance(budget, bool) or not isinstance(budget, int | float) or budget <= 0:
        raise InvalidArgument("budget", owner, "a number of seconds above 0", got=budget)
    fail_on = check_level("fail-on", owner, table.get("fail-on", AuditSettings().fail_on))
    return AuditSettings(fail_on=fail_on, budget=float(budget), **names)


def _read_names(names: Any, key: str, owner: str) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidArgument(key, owner, "a list of codes or names of rules", got=names)
    check_names(key, owner, tuple(names))
    return tuple(names)
