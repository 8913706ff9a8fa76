"""Runs the rules over the facts, folds symptoms under their cause, and puts the cause first."""

from dataclasses import replace
from importlib import import_module
from typing import Final

from truecopy.errors import UnknownName
from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Finding
from truecopy.rules.rule import RULES, Rule

_FAMILIES: Final = (
    *("data", "columns", "pairing", "output", "probabilities", "loss", "metric", "latent"),
    *("units", "steps", "optimisation", "behaviour", "learning", "penalty"),
    *("variational", "sampling", "result"),
)
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
    found = [made for n, r in rules.items() if n in wanted and (made := r.check(facts)) is not None]
    # Folded first and left out then: ignoring a cause must not bring its symptoms up.
    return tuple(f for f in fold_echoes(found) if f.name not in left_out)


def fold_echoes(findings: list[Finding]) -> list[Finding]:
    """Return the findings, ranked, without those that another one explains.

    What is left out is named under its cause, which becomes as severe and as costly as the worst
    of it. A note explains only notes: it is too weak to account for a fault. Where findings
    explain each other, the one that ranks first is the cause.
    """
    ranked = sorted(findings, key=rank)
    reached = {f.name: _explained_by(f, findings) for f in findings}
    causes = [f for k, f in enumerate(ranked) if not _has_cause(f, ranked[:k], reached, ranked)]
    kept = {f.name for f in causes}
    return sorted((_gather(f, findings, reached[f.name] - kept) for f in causes), key=rank)


def _has_cause(
    finding: Finding, before: list[Finding], reached: dict[str, set[str]], all_of: list[Finding]
) -> bool:
    """Whether another finding explains this one and isn't merely explained by it in turn."""
    own = reached[finding.name]
    return any(
        finding.name in reached[other.name] and (other.name not in own or other in before)
        for other in all_of
        if other.name != finding.name
    )


def _explained_by(cause: Finding, findings: list[Finding]) -> set[str]:
    """Return the names of all findings that `cause` explains, also through others."""
    rules = all_rules()
    by_name = {f.name: f for f in findings}
    reached: set[str] = set()
    waiting = [cause]
    while waiting:
        finding = waiting.pop()
        for name in rules[finding.name].explains:
            symptom = by_name.get(name)
            if symptom is None or name in reached or name == cause.name:
                continue
            if finding.severity == "note" and symptom.severity != "note":
                continue
            reached.add(name)
            waiting.append(symptom)
    return reached


def _gather(cause: Finding, findings: list[Finding], names: set[str]) -> Finding:
    """Return the cause with its echoes, as severe and costly as the worst of them."""
    echoes = [f for f in findings if f.name in names]
    worst = min((cause, *echoes), key=lambda f: SEVERITIES.index(f.severity))
    return replace(
        cause,
        severity=worst.severity,
        cost=max(f.cost for f in (cause, *echoes)),
        echoes=tuple(sorted(names)),
    )


def rank(finding: Finding) -> tuple[bool, float, int, str]:
    """Order: notes last; then by what cannot be learned, by severity, and by code."""
    return (
        finding.severity == "note",
        -round(min(finding.cost, 10.0), 3),
        SEVERITIES.index(finding.severity),
        finding.code,
    )
