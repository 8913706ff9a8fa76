"""Writes an audit as SARIF 2.1.0, which code-scanning services read.

The format: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0" (2020).
"""

import hashlib
import inspect
import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from truecopy.reports.findings import describe_proof
from truecopy.rules.engine import all_rules
from truecopy.rules.rule import Rule

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {"error": "error", "warning": "warning", "note": "note"}
_CODE: Final = frozenset({"Bad", "Good"})  # sections of a rule's page that are programs
# The name of our fingerprint: what it is made of may change, and then so must its number.
_FINGERPRINT: Final = "truecopy/v1"


def to_sarif(plain: Mapping[str, Any], *, root: str = "", version: str = "") -> dict[str, Any]:
    """Return an audit as a SARIF log.

    Args:
        plain: The JSON form of an audit.
        root: The folder that paths are relative to, as absolute path; files outside keep theirs.
        version: Of truecopy; left out where empty.

    Returns:
        A log with one run: every rule with its page, and a result for every finding.
    """
    rules = list(all_rules().values())
    driver: dict[str, Any] = {"name": "truecopy", "rules": [describe_rule(r) for r in rules]}
    if version:
        driver["semanticVersion"] = version
    places = {rule.code: place for place, rule in enumerate(rules)}
    target = str(plain["target"])
    results = [_to_result(f, target, places, root) for f in plain["findings"]]
    _number_twins(results)
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def dump_sarif(plain: Mapping[str, Any], *, root: str = "", version: str = "") -> str:
    """Return `to_sarif` as an indented JSON document."""
    return json.dumps(to_sarif(plain, root=root, version=version), indent=2, allow_nan=False)


def describe_rule(rule: Rule) -> dict[str, Any]:
    """Return a rule's entry: its first line in short, its whole page as help."""
    page = inspect.getdoc(rule.check) or rule.name.replace("-", " ")
    first, _, rest = page.partition("\n")
    sections = _read_sections(rest)
    entry: dict[str, Any] = {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": first.strip()},
        "help": {"text": page, "markdown": _write_markdown(first, sections)},
    }
    checked = " ".join(sections.get("What it checks", "").split())
    if checked:
        entry["fullDescription"] = {"text": checked}
    return entry


def _read_sections(text: str) -> dict[str, str]:
    """Return the sections of a rule's page: a heading, then lines that are indented."""
    sections: dict[str, list[str]] = {}
    heading = ""
    for line in text.splitlines():
        if line and not line.startswith(" "):
            heading = line.strip()
        elif heading:
            sections.setdefault(heading, []).append(line)
    return {name: textwrap.dedent("\n".join(lines)).strip("\n") for name, lines in sections.items()}


def _write_markdown(first: str, sections: Mapping[str, str]) -> str:
    parts = [first.strip()]
    for heading, text in sections.items():
        shown = f"```python\n{text}\n```" if heading in _CODE else text
        parts.append(f"### {heading}\n\n{shown}")
    return "\n\n".join(parts)


def to_uri(file: str, root: str) -> str:
    """Return a file's address: relative to `root` where it lies in it, with forward slashes."""
    path = PurePath(file)
    if root and path.is_absolute() and path.is_relative_to(root):
        path = path.relative_to(root)
    if path.is_absolute():
        return path.as_uri()
    return quote(path.as_posix())


def _to_result(
    finding: Mapping[str, Any], target: str, places: Mapping[str, int], root: str
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding["code"],
        "level": _LEVELS.get(str(finding["severity"]), "warning"),
        "message": {"text": _tell(finding)},
        "locations": [_locate(finding.get("where"), target, root)],
        "partialFingerprints": {_FINGERPRINT: _fingerprint(finding, target, root)},
        "properties": {
            "name": finding["name"],
            "evidence": finding.get("evidence") or {},
            "fix": finding.get("fix") or {},
            "echoes": list(finding.get("echoes") or ()),
        },
    }
    if finding["code"] in places:
        result["ruleIndex"] = places[finding["code"]]
    return result


def _tell(finding: Mapping[str, Any]) -> str:
    """Return message, fix and proof: what a SARIF `fix` could hold are exact edits only."""
    parts = [str(finding["message"])]
    fix = (finding.get("fix") or {}).get("text")
    if fix:
        parts.append(f"Fix: {fix}")
    proved = describe_proof(finding)
    if proved:
        parts.append(f"Proof: {proved}")
    return "\n".join(parts)


def _locate(where: Mapping[str, Any] | None, target: str, root: str) -> dict[str, Any]:
    if not where:
        return {"logicalLocations": [{"name": target, "kind": "object"}]}
    physical: dict[str, Any] = {
        "artifactLocation": {"uri": to_uri(str(where["file"]), root)},
        "region": {"startLine": max(1, int(where["line"]))},
    }
    return {"physicalLocation": physical}


def _fingerprint(finding: Mapping[str, Any], target: str, root: str) -> str:
    """Return what stays the same when lines move and numbers change: rule, file and action."""
    where = finding.get("where")
    place = to_uri(str(where["file"]), root) if where else target
    change = (finding.get("fix") or {}).get("change") or {}
    parts: Sequence[str] = (str(finding["code"]), place, str(change.get("action", "")))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _number_twins(results: Sequence[dict[str, Any]]) -> None:
    """Tell apart findings of one rule in one file, such as those of two fits."""
    seen: dict[str, int] = {}
    for result in results:
        prints = result["partialFingerprints"]
        number = seen.get(prints[_FINGERPRINT], 0)
        seen[prints[_FINGERPRINT]] = number + 1
        if number:
            prints[_FINGERPRINT] += f"-{number}"
