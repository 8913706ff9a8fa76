"""A comment in the program silences the rule it names, where it stands."""

import pytest

from truecopy.audit.silence import read_comments, silence
from truecopy.errors import UnknownName
from truecopy.rules.finding import Finding, Fix
from truecopy.rules.modelfacts import Where
from truecopy.rules.rule import RULES, Rule

PROGRAM = """\
x = 1
model.compile(
    metrics=["accuracy"],{inside}
){end}
{above}
model.fit(x)
"""


@pytest.fixture(autouse=True)
def rules(monkeypatch):
    for code, name in (("TC991", "some-fault"), ("TC992", "other-fault")):
        rule = Rule(code=code, name=name, explains=(), check=lambda _: None)
        monkeypatch.setitem(RULES, name, rule)
    read_comments.cache_clear()


def finding(line, name="some-fault"):
    where = None if line is None else Where(file="train.py", line=line)
    return Finding(
        code=RULES[name].code, name=name, severity="error", message="", evidence={},
        fix=Fix(text=""), where=where,
    )  # fmt: skip


def left(tmp_path, line, name="some-fault", **comments):
    empty = dict.fromkeys(("inside", "end", "above"), "")
    (tmp_path / "train.py").write_text(PROGRAM.format(**{**empty, **comments}), encoding="utf-8")
    return len(silence([finding(line, name)], "train.py", tmp_path))


IGNORE = "  # truecopy: ignore[TC991]"


def test_without_comments_nothing_is_silenced(tmp_path):
    assert left(tmp_path, 2) == 1


@pytest.mark.parametrize("place", ["inside", "end"])
def test_a_comment_counts_for_its_whole_statement(tmp_path, place):
    assert left(tmp_path, 2, **{place: IGNORE}) == 0
    assert left(tmp_path, 6, **{place: IGNORE}) == 1


def test_a_comment_alone_on_its_line_counts_for_the_statement_below(tmp_path):
    assert left(tmp_path, 6, above=IGNORE) == 0
    assert left(tmp_path, 2, above=IGNORE) == 1


def test_a_comment_behind_the_statement_above_does_not_count(tmp_path):
    source = f"f(){IGNORE}\ng()\n"
    (tmp_path / "train.py").write_text(source, encoding="utf-8")

    assert len(silence([finding(2)], "train.py", tmp_path)) == 1


@pytest.mark.parametrize("asked", ["TC991", "some-fault", "TC99", "TC992, some-fault"])
def test_rules_are_named_by_code_name_or_beginning(tmp_path, asked):
    assert left(tmp_path, 6, above=f"# truecopy: ignore[{asked}]") == 0


def test_another_rule_is_left_alone(tmp_path):
    assert left(tmp_path, 6, name="other-fault", above=IGNORE) == 1


@pytest.mark.parametrize("line", [2, 6, None])
def test_a_comment_for_the_file_counts_everywhere(tmp_path, line):
    assert left(tmp_path, line, above="# truecopy: ignore-file[TC991]") == 0


def test_text_that_only_looks_like_a_comment_does_not_count(tmp_path):
    assert left(tmp_path, 6, above='note = "# truecopy: ignore-file[TC991]"') == 1


def test_a_comment_that_names_no_rule_is_an_error_with_its_line(tmp_path):
    with pytest.raises(UnknownName, match=r"'train.py:5: ignore'.*Did you mean 'some-fault'"):
        left(tmp_path, 6, above="# truecopy: ignore[some-faul]")
