"""Runs the rules over the facts, folds symptoms under their cause, and puts the cause first."""

from dataclasses import replace
from importlib import import_module
from typing import Final

from truecopy.errors import UnknownName
from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Finding
from truecopy.rules.rule import RULES, Rule

_FAMILIES: Final = ("data", "output", "metric", "latent", "optimisation", "variational", "result")
SEVERITIES: Final = ("error", "warning", "note")


def all_rules() -> dict[str, Rule]:
    """Return every rule by name, in the order of the codes."""
    for family in _FAMILIES:
        import_module(f"truecopy.rules.{family}")
    return dict(sorted(RULES.items(), key=lambda item: item[1].code))


def check_names(argument: str, owner: str, names: tuple[str, ...]) -> frozenset[str]:
    """Return the names of the rules meant by codes, names or the start of a code ('TC2').

    Raises:
        UnknownName: There is no such rule; the message has the nearest name.
    """
    rules = all_rules()
    chosen: set[str] = set()
    for asked in names:
        meant = {r.name for r in rules.values() if asked == r.name or r.code.startswith(asked)}
        if not asked or not meant:
            known = [word for r in rules.values() for word in (r.code, r.name)]
            raise UnknownName(argument, owner, known, got=asked)
        chosen |= meant
    return frozenset(chosen)


def run_rules(
    facts: AuditFacts, *, select: tuple[str, ...] = (), ignore: tuple[str, ...] = ()
) -> tuple[Finding, ...]:
    """Return what the rules find in `facts`, the root cause first.

    Args:
        facts: What was measured.
        select: Codes, names or beginnings of codes to run; empty: all.
        ignore: Those to leave out.

    Raises:
        UnknownName: `select` or `ignore` names no rule.
    """
    rules = all_rules()
    wanted = check_names("select", "audit", select) or frozenset(rules)
    left_out = check_names("ignore", "audit", ignore)
    found = [made for r in rules.values() if (made := r.check(facts)) is not None]
    # Folded first and filtered then: ignoring a cause must not bring its symptoms up.
    folded = fold_echoes(found)
    kept = [f for f in folded if f.name in wanted and f.name not in left_out]
    return tuple(sorted(kept, key=_rank))


def fold_echoes(findings: list[Finding]) -> list[Finding]:
    """Return the findings without those that another one explains, named under it instead."""
    rules = all_rules()
    names = {finding.name for finding in findings}
    # A symptom that explains further ones hands them on to its own cause.
    explained = {n: _explained_by(n, names, rules) for n in names}
    kept = [f for f in findings if not explained[f.name]]
    return [
        replace(f, echoes=tuple(sorted(n for n in names if f.name in explained[n]))) for f in kept
    ]


def _explained_by(name: str, names: set[str], rules: dict[str, Rule]) -> set[str]:
    """Return the findings, themselves unexplained, whose rule explains `name`."""
    causes = {n for n in names if name in rules[n].explains and n != name}
    roots: set[str] = set()
    for cause in causes:
        above = _explained_by(cause, names - {name}, rules)
        roots |= above or {cause}
    return roots


def _rank(finding: Finding) -> tuple[bool, float, int, str]:
    """Order: notes last; then by what cannot be learned, by severity, and by code."""
    return (
        finding.severity == "note",
        -round(min(finding.cost, 10.0), 3),
        SEVERITIES.index(finding.severity),
        finding.code,
    )
