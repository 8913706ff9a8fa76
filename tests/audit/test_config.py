"""Settings in pyproject.toml: the nearest file counts, and nothing unknown is skipped over."""

import pytest

from truecopy.audit.config import AuditSettings, check_level, read_settings
from truecopy.errors import InvalidArgument, UnknownName
from truecopy.rules.rule import RULES, Rule


@pytest.fixture(autouse=True)
def _rule(monkeypatch):
    rule = Rule(code="TC991", name="some-fault", explains=(), check=lambda _: None)
    monkeypatch.setitem(RULES, "some-fault", rule)


def write(folder, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def test_the_nearest_file_above_the_program_counts(tmp_path):
    write(tmp_path, "[tool.truecopy]\nbudget = 5\n")
    inner = write(
        tmp_path / "a",
        '[tool.truecopy]\nselect = ["TC9"]\nignore = ["some-fault"]\nfail-on = "warning"\n',
    )
    (inner / "b").mkdir()

    settings = read_settings(inner / "b" / "train.py")

    assert settings == AuditSettings(
        select=("TC9",), ignore=("some-fault",), fail_on="warning", budget=60.0
    )
    assert read_settings(tmp_path).budget == 5


def test_a_file_without_the_table_leaves_the_defaults(tmp_path):
    assert read_settings(write(tmp_path, "[project]\nname = 'x'\n")) == AuditSettings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("budgte = 5", r"Got 'budgte'\. Did you mean 'budget'\?"),
        ("budget = 0", r"The 'budget' argument of \[tool.truecopy\] in .* above 0\. Got 0"),
        ("budget = true", "Got True"),
        ('fail-on = "errors"', "one of error, warning, note, never"),
        ('ignore = "TC991"', "a list of codes or names of rules"),
        ("ignore = [1]", "a list of codes or names of rules"),
        ("ignore", "must be TOML"),
    ],
)
def test_a_setting_that_is_wrong_is_an_error_that_says_where(tmp_path, text, message):
    write(tmp_path, f"[tool.truecopy]\n{text}\n")

    with pytest.raises(InvalidArgument, match=message):
        read_settings(tmp_path)


def test_a_rule_that_does_not_exist_is_an_error_with_the_nearest(tmp_path):
    write(tmp_path, '[tool.truecopy]\nselect = ["some-faul"]\n')

    with pytest.raises(UnknownName, match="Did you mean 'some-fault'"):
        read_settings(tmp_path)


def test_every_severity_is_a_level():
    levels = ["error", "warning", "note", "never"]

    assert [check_level("--fail-on", "audit", level) for level in levels] == levels
