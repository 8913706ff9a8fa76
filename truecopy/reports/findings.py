"""Shows an audit as a linter does: where, what in one sentence with its numbers, and the fix.

Everything is read from the plain form of an audit (DESIGN section 7), so that an audit from a
file, from another process or of another version is shown the same way.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from truecopy.reports.terminal import clean
from truecopy.reports.wording import format_number

STYLES: Final = {"error": "bold red", "warning": "bold yellow", "note": "bold blue"}
# A finding is one sentence; more numbers than these are for the JSON form.
_EVIDENCE_SHOWN: Final = 4
_EVIDENCE_LONGEST: Final = 40
_ROUNDED: Final = 0.05  # a number in a sentence has two digits at least
_NUMBER: Final = re.compile(r"(-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?)( ?%)?")


def render_audit(plain: Mapping[str, Any]) -> RenderableType:
    """Show an audit in a terminal.

    Args:
        plain: The JSON form of an audit: target, findings, facts and, where there are some,
            notes (sentences on what could not be measured).
    """
    target = str(plain["target"])
    lines: list[RenderableType] = [_text(f"Audit of {target}", style="bold"), Text("")]
    for finding in fold_echoes(plain["findings"]):
        lines += [_head(finding, target), _body(finding), Text("")]
    lines.append(_text(summarise(plain), style="bold"))
    lines += [_text(note, style="dim") for note in list_notes(plain)]
    return Group(*lines)


def fold_echoes(findings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the findings with each echo under the first of them only: once is enough.

    Example:
        >>> [f["echoes"] for f in fold_echoes([{"echoes": ["a"]}, {"echoes": ["b", "a"]}])]
        [['a'], ['b']]
    """
    told: set[str] = set()
    folded: list[Mapping[str, Any]] = []
    for finding in findings:
        new = [name for name in finding.get("echoes") or () if name not in told]
        told.update(new)
        folded.append({**finding, "echoes": new})
    return folded


def summarise(plain: Mapping[str, Any]) -> str:
    """Count the findings in one line.

    Example:
        >>> summarise({"findings": [{"severity": "error"}, {"severity": "note"}]})
        '2 findings: 1 error, 1 note'
    """
    severities = [finding["severity"] for finding in plain["findings"]]
    if not severities:
        return "No findings"
    counts = {name: severities.count(name) for name in STYLES}
    told = ", ".join(_count(n, name) for name, n in counts.items() if n)
    return f"{_count(len(severities), 'finding')}: {told}"


def list_notes(plain: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the sentences on what could not be measured, each once."""
    facts = plain.get("facts") or {}
    return tuple(dict.fromkeys([*(plain.get("notes") or ()), *(facts.get("notes") or ())]))


def name_place(finding: Mapping[str, Any], target: str) -> str:
    """Return the finding's file and line, or what was audited where the line isn't known.

    Example:
        >>> name_place({"where": {"file": "/home/me/train.py", "line": 14}}, "train.py")
        'train.py:14'
    """
    where = finding.get("where")
    if not where:
        return target
    file = str(where["file"])
    # The user's own way of naming the script is shorter than where it lies.
    if PurePath(file).parts[-len(PurePath(target).parts) :] == PurePath(target).parts:
        file = target
    return f"{file}:{where['line']}"


def choose_evidence(finding: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the few figures of the evidence that the sentence doesn't have already."""
    message = str(finding["message"])
    shown = []
    for key, value in (finding.get("evidence") or {}).items():
        text = _spell(value)
        if text and not _says(message, value):
            shown.append((str(key).replace("_", " "), text))
    return tuple(shown[:_EVIDENCE_SHOWN])


def list_evidence(finding: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return all figures of the evidence that can be written in a line."""
    pairs = (finding.get("evidence") or {}).items()
    shown = ((str(key).replace("_", " "), _spell(value)) for key, value in pairs)
    return tuple((key, text) for key, text in shown if text)


def describe_proof(finding: Mapping[str, Any]) -> str:
    """Return what retraining showed; empty where nothing was proved."""
    proof = finding.get("proof")
    if not proof:
        return ""
    if proof.get("sentence"):
        return str(proof["sentence"])
    metric = proof["metric"]
    before, after = (format_number(proof[side].get(metric)) for side in ("before", "after"))
    return f"{metric} {before} -> {after}"


def _head(finding: Mapping[str, Any], target: str) -> Table:
    severity = str(finding["severity"])
    table = Table.grid(expand=True, padding=(0, 1, 0, 0))
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    name = f"{finding['code']} {finding['name']}"
    left = Text.assemble(
        (clean(name_place(finding, target)), "bold"), "  ", (clean(name), STYLES.get(severity, ""))
    )
    table.add_row(left, _text(severity, style=STYLES.get(severity, "")))
    return table


def _body(finding: Mapping[str, Any]) -> Table:
    table = Table.grid()
    table.add_column(width=2)
    table.add_column(overflow="fold")
    for text in _sentences(finding):
        table.add_row("", text)
    return table


def _sentences(finding: Mapping[str, Any]) -> Iterator[Text]:
    yield _text(str(finding["message"]))
    evidence = choose_evidence(finding)
    if evidence:
        yield _text(", ".join(f"{key} {text}" for key, text in evidence), style="dim")
    fix = (finding.get("fix") or {}).get("text")
    if fix:
        yield Text.assemble(("fix: ", "bold"), clean(str(fix)))
    if finding.get("echoes"):
        yield _text(f"also seen: {', '.join(finding['echoes'])}", style="dim")
    proved = describe_proof(finding)
    if proved:
        helped = finding["proof"].get("helped", True)
        label = "proved: " if helped else "not proved: "
        yield Text.assemble((label, "bold green" if helped else "bold yellow"), clean(proved))


def _spell(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int | float):
        return format_number(value)
    if isinstance(value, str):
        return value if len(value) <= _EVIDENCE_LONGEST else ""
    if isinstance(value, Sequence):
        text = f"[{', '.join(map(_spell, value))}]"
        return text if len(text) <= _EVIDENCE_LONGEST else ""
    return ""


def _says(message: str, value: Any) -> bool:
    """Whether the sentence has the value already, as number, as percent or as words."""
    if isinstance(value, list | tuple):
        return all(_says(message, item) for item in value)
    if isinstance(value, str):
        return value in message
    told = [
        float(number.replace(",", "")) / (100 if percent else 1)
        for number, percent in _NUMBER.findall(message)
    ]
    return any(math.isclose(n, value, rel_tol=_ROUNDED) for n in told)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _text(text: str, *, style: str = "") -> Text:
    return Text(clean(text), style=style, overflow="fold")
