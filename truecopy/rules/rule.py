"""What a rule is: a named, documented function of the facts, and the register of all of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Finding, Fix, Severity
from truecopy.rules.modelfacts import Where

Check = Callable[[AuditFacts], "Finding | None"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A rule: its code, its name, what it explains, and the function that checks.

    `explains` are the names of rules that only say the same again when this one fires: symptoms,
    folded under it.
    """

    code: str
    name: str
    explains: tuple[str, ...]
    check: Check


RULES: Final[dict[str, Rule]] = {}


def rule(code: str, *, explains: tuple[str, ...] = ()) -> Callable[[Check], Check]:
    """Register a function of the facts as the rule `code`, named after the function.

    Its docstring is its page: What it checks, Why it matters, Bad, Good, When to ignore.
    """

    def register(check: Check) -> Check:
        name = check.__name__.replace("_", "-")
        RULES[name] = Rule(code=code, name=name, explains=explains, check=check)
        return check

    return register


def find(
    check: Check,
    severity: Severity,
    message: str,
    *,
    evidence: Mapping[str, Any],
    fix: str,
    change: Mapping[str, Any] | None = None,
    cost: float = 0.0,
    where: Where | None = None,
) -> Finding:
    """Return the finding of the rule whose function is `check`; a note costs nothing."""
    name = check.__name__.replace("_", "-")
    return Finding(
        code=RULES[name].code,
        name=name,
        severity=severity,
        message=message,
        evidence=evidence,
        fix=Fix(text=fix, change=change or {}),
        cost=0.0 if severity == "note" else cost,
        where=where,
    )
