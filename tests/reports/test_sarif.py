"""SARIF: what the 2.1.0 schema and code-scanning services ask for."""

import json

import pytest

from truecopy.reports.sarif import describe_rule, dump_sarif, to_sarif, to_uri
from truecopy.rules.engine import all_rules

FINDING = {
    "code": "TC202",
    "name": "target-outside-output-range",
    "severity": "error",
    "message": "61 % of the values are out of reach.",
    "evidence": {"share": 0.61},
    "fix": {"text": "Use a linear output.", "change": {"action": "set_output_activation"}},
    "where": {"file": "/home/me/my src/train.py", "line": 14},
    "echoes": [],
    "proof": {
        "before": {}, "after": {}, "metric": "skill", "helped": True, "sentence": "skill 0 -> 1",
    },
}  # fmt: skip

# The properties that the schema allows, its required ones first; nothing else may be there.
SCHEMA = {
    "log": (("version", "runs"), ("$schema",)),
    "run": (("tool",), ("results", "columnKind")),
    "driver": (("name",), ("rules", "semanticVersion", "informationUri")),
    "rule": (("id",), ("name", "shortDescription", "fullDescription", "help")),
    "result": (
        ("message",),
        ("ruleId", "ruleIndex", "level", "locations", "partialFingerprints", "properties"),
    ),
    "location": ((), ("physicalLocation", "logicalLocations")),
    "physicalLocation": ((), ("artifactLocation", "region")),
    "region": ((), ("startLine",)),
    "text": (("text",), ("markdown",)),
}


def fits(part, name):
    required, allowed = SCHEMA[name]
    assert set(required) <= set(part) <= {*required, *allowed}, name


def check(log):
    """Check a log against the essentials of the SARIF 2.1.0 schema."""
    fits(log, "log")
    assert log["version"] == "2.1.0"
    for run in log["runs"]:
        fits(run, "run")
        driver = run["tool"]["driver"]
        fits(driver, "driver")
        for rule in driver["rules"]:
            fits(rule, "rule")
            for name in ("shortDescription", "fullDescription", "help"):
                if name in rule:
                    fits(rule[name], "text")
                    assert rule[name]["text"]
        ids = [rule["id"] for rule in driver["rules"]]
        assert len(ids) == len(set(ids))
        for result in run["results"]:
            check_result(result, ids)


def check_result(result, ids):
    fits(result, "result")
    fits(result["message"], "text")
    assert result["level"] in {"none", "note", "warning", "error"}
    assert ids[result["ruleIndex"]] == result["ruleId"]
    assert all(isinstance(value, str) for value in result["partialFingerprints"].values())
    for location in result["locations"]:
        fits(location, "location")
        physical = location.get("physicalLocation")
        if physical:
            fits(physical, "physicalLocation")
            fits(physical["region"], "region")
            assert physical["region"]["startLine"] >= 1
            assert "\\" not in physical["artifactLocation"]["uri"]


def audit(*findings):
    return {"target": "train.py", "findings": list(findings), "facts": {}}


def test_a_log_fits_the_schema():
    unplaced = {**FINDING, "code": "TC301", "where": None, "proof": None, "fix": {"text": ""}}

    log = to_sarif(audit(FINDING, unplaced), root="/home/me", version="1.2.3")

    check(log)
    assert json.loads(dump_sarif(audit(FINDING, unplaced), root="/home/me", version="1.2.3")) == log


def test_an_audit_without_findings_is_a_log_with_all_rules_and_no_result():
    log = to_sarif(audit())

    check(log)
    (run,) = log["runs"]
    assert run["results"] == []
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [
        rule.code for rule in all_rules().values()
    ]


def test_a_result_says_message_fix_and_proof_and_where():
    (result,) = to_sarif(audit(FINDING), root="/home/me")["runs"][0]["results"]

    assert result["message"]["text"] == (
        "61 % of the values are out of reach.\nFix: Use a linear output.\nProof: skill 0 -> 1"
    )
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "my%20src/train.py"},
        "region": {"startLine": 14},
    }
    assert (result["ruleId"], result["level"]) == ("TC202", "error")


@pytest.mark.parametrize(
    ("file", "root", "uri"),
    [
        ("/home/me/a.py", "/home/me", "a.py"),
        ("/home/me/a.py", "/home/you", "file:///home/me/a.py"),
        ("sub/a.py", "/home/me", "sub/a.py"),
        ("sub/ü.py", "", "sub/%C3%BC.py"),
    ],
)
def test_files_are_named_relative_to_the_root(file, root, uri):
    assert to_uri(file, root) == uri


def prints(*findings):
    results = to_sarif(audit(*findings), root="/home/me")["runs"][0]["results"]
    return [result["partialFingerprints"]["truecopy/v1"] for result in results]


def test_a_fingerprint_outlives_moved_lines_and_other_numbers():
    moved = {**FINDING, "where": {**FINDING["where"], "line": 99}, "message": "62 % of them."}

    assert prints(FINDING) == prints(moved)


def test_a_fingerprint_tells_rules_files_and_twins_apart():
    other_rule = {**FINDING, "code": "TC201"}
    other_file = {**FINDING, "where": {"file": "/home/me/b.py", "line": 14}}

    found = prints(FINDING, other_rule, other_file, FINDING)

    assert len(set(found)) == 4


def test_a_rules_page_becomes_its_help():
    entry = describe_rule(all_rules()["softmax-reconstruction"])

    assert entry["name"] == "SoftmaxReconstruction"
    assert entry["help"]["text"].startswith(entry["shortDescription"]["text"])
    assert "### What it checks\n\n" in entry["help"]["markdown"]
    assert "### Bad\n\n```python\n" in entry["help"]["markdown"]
    assert entry["fullDescription"]["text"]
