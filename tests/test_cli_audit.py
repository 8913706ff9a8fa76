"""`truecopy audit`: what it hands on, what it prints, and its exit codes."""

import json

import numpy as np
import pytest

from truecopy.audit import script
from truecopy.audit.audit import Audit
from truecopy.cli import execute
from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Finding, Fix
from truecopy.rules.modelfacts import ModelFacts, Where
from truecopy.rules.rule import RULES, Rule


def finding(severity="error"):
    return Finding(
        code="TC991",
        name="some-fault",
        severity=severity,
        message="Nothing fits: 61 % is out of reach.",
        evidence={"share": 0.61},
        fix=Fix(text="Change it."),
        where=Where(file="train.py", line=14),
    )


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """What `audit_script` was called with; it finds what `asked['findings']` says."""
    seen = {"findings": (finding(),)}

    def audit_script(path, argv, **settings):
        seen.update(path=path, argv=argv, **settings)
        model = ModelFacts(
            name="net", kind="Sequential", parameters=1, input_shape=(1,), output_shape=(1,)
        )
        return Audit(AuditFacts(target=str(path), model=model), seen["findings"])

    rule = Rule(code="TC991", name="some-fault", explains=(), check=lambda _: None)
    monkeypatch.setitem(RULES, "some-fault", rule)
    monkeypatch.setattr(script, "audit_script", audit_script)
    monkeypatch.chdir(tmp_path)
    return seen


def run(capsys, *arguments):
    code = execute(["audit", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_findings_are_printed_and_fail_the_command(capsys, asked):
    code, out, err = run(capsys, "train.py")

    assert (code, err) == (1, "")
    assert "train.py:14" in out
    assert "TC991 some-fault" in out
    assert "61 %" in out
    assert (asked["argv"], asked["budget"], asked["prove"]) == ([], 60.0, False)


@pytest.mark.parametrize(
    ("severity", "level", "code"),
    [
        ("error", "error", 1),
        ("warning", "error", 0),
        ("warning", "warning", 1),
        ("note", "warning", 0),
        ("note", "note", 1),
        ("error", "never", 0),
    ],
)
def test_the_level_decides_what_fails(capsys, asked, severity, level, code):
    asked["findings"] = (finding(severity),)

    assert run(capsys, "train.py", "--fail-on", level)[0] == code


def test_no_findings_are_no_failure(capsys, asked):
    asked["findings"] = ()

    assert run(capsys, "train.py", "--fail-on", "note")[0] == 0


@pytest.mark.usefixtures("asked")
def test_json_is_one_document_as_designed(capsys):
    code, out, _ = run(capsys, "train.py", "--json")

    document = json.loads(out)
    assert code == 1
    assert document["target"] == "train.py"
    assert document["findings"][0]["where"] == {"file": "train.py", "line": 14}
    assert document["facts"]["model"]["name"] == "net"


def test_quiet_prints_the_findings_alone(capsys, asked):
    assert run(capsys, "train.py", "--quiet") == run(capsys, "train.py")

    run(capsys, "train.py", "--quiet")
    assert asked["quiet"]


def test_what_follows_two_dashes_is_the_programs(capsys, asked):
    run(capsys, "train.py", "--budget", "5", "--", "--epochs", "3", "--quiet")

    assert asked["argv"] == ["--epochs", "3", "--quiet"]
    assert asked["budget"] == 5
    assert not asked["quiet"]


def test_the_command_line_overrules_pyproject(capsys, asked, tmp_path):
    settings = '[tool.truecopy]\nignore = ["TC991"]\nfail-on = "warning"\nbudget = 7\n'
    (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
    asked["findings"] = (finding("warning"),)

    assert run(capsys, "train.py")[0] == 1
    assert (asked["ignore"], asked["budget"]) == (("TC991",), 7)

    code = run(capsys, "train.py", "--ignore", "TC2,TC3", "--fail-on", "error")[0]
    assert code == 0
    assert asked["ignore"] == ("TC2", "TC3")


@pytest.mark.usefixtures("asked")
def test_files_are_written_beside_what_is_printed(capsys, tmp_path):
    run(capsys, "train.py", "--sarif", "a.sarif", "--out", "a.json")

    sarif = json.loads((tmp_path / "a.sarif").read_text(encoding="utf-8"))
    assert sarif["runs"][0]["results"][0]["ruleId"] == "TC991"
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["findings"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train.py", "--fail-on", "errors"], "one of error, warning, note, never"),
        (["train.py", "--target", "x.npy"], "The '--target' argument of truecopy audit"),
        (["train.py", "--out", "a.pdf"], "a name ending in .json, .html or .txt"),
        (["recipe:vanilla-dense"], "The 'DATA' argument of truecopy audit must be given"),
        (["recipe:no-such", "x.npy"], "no-such"),
        (["net.keras", "x.npy", "y.npy"], "must be one data set"),
    ],
)
def test_wrong_usage_is_refused_with_exit_code_2(capsys, asked, tmp_path, arguments, message):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).uniform(size=(9, 4)))

    code, out, err = run(capsys, *arguments)

    assert (code, out) == (2, "")
    assert message in " ".join(err.split())
    assert "path" not in asked


def test_a_program_that_is_not_there_is_an_error(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    code, _, err = run(capsys, "nothing.py")

    assert code == 2
    assert "There is no program 'nothing.py'." in err
