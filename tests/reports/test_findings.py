"""Findings in a terminal: like a linter's, on any width, and unmoved by what names contain."""

import pytest
from rich.console import Console

from truecopy.reports.findings import (
    choose_evidence,
    describe_proof,
    list_notes,
    name_place,
    render_audit,
    summarise,
)
from truecopy.reports.terminal import to_text

MESSAGE = (
    "The targets span [-2.1, 2.3] but a sigmoid output reaches only [0, 1]: 61 % of the values "
    "are out of reach, and no training can bring the MSE below 0.74."
)
FINDING = {
    "code": "TC202",
    "name": "target-outside-output-range",
    "severity": "error",
    "message": MESSAGE,
    "evidence": {
        "target_range": [-2.1, 2.3],
        "share_outside": 0.61,
        "unavoidable": 0.74,
        "loss_of_a_perfect_copy": 0.123456,
    },
    "fix": {"text": "use a linear output.", "change": {}},
    "where": {"file": "train.py", "line": 14},
    "echoes": ["worse-than-trivial", "collapsed-to-mean"],
    "proof": {
        "before": {"skill": -0.2},
        "after": {"skill": 0.81},
        "metric": "skill",
        "helped": True,
        "sentence": "skill -0.20 -> 0.81 after 2 epochs",
    },
}
BARE = {
    "code": "TC301",
    "name": "accuracy-on-reconstruction",
    "severity": "note",
    "message": "It counts.",
    "evidence": {},
    "fix": {"text": ""},
    "where": None,
    "proof": None,
}


def audit(*findings, **more):
    return {"target": "train.py", "findings": list(findings), "facts": {}, **more}


def test_an_audit_reads_like_a_linters_output():
    shown = to_text(render_audit(audit(FINDING, BARE, notes=["No validation data were given."])))

    assert shown.splitlines() == [
        "Audit of train.py",
        "",
        "train.py:14  TC202 target-outside-output-range                             error",
        "  The targets span [-2.1, 2.3] but a sigmoid output reaches only [0, 1]: 61 % of",
        "  the values are out of reach, and no training can bring the MSE below 0.74.",
        "  loss of a perfect copy 0.1235",
        "  fix: use a linear output.",
        "  also seen: worse-than-trivial, collapsed-to-mean",
        "  proved: skill -0.20 -> 0.81 after 2 epochs",
        "",
        "train.py  TC301 accuracy-on-reconstruction                                  note",
        "  It counts.",
        "",
        "2 findings: 1 error, 1 note",
        "No validation data were given.",
    ]


@pytest.mark.parametrize("width", [20, 36, 80, 200])
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(width):
    shown = to_text(render_audit(audit(FINDING)), width=width)

    assert max(map(len, shown.splitlines())) <= width
    joined = "".join(shown.split())
    for text in (MESSAGE, "use a linear output.", "error", "TC202", "train.py:14"):
        assert "".join(text.split()) in joined


def test_no_findings_say_what_could_not_be_looked_at():
    facts = {"notes": ["There are no data.", "There are no data."]}

    shown = to_text(render_audit(audit(facts=facts)))

    assert shown.splitlines() == [
        *("Audit of train.py", "", "No findings", "There are no data."),
    ]


def test_names_that_would_control_the_terminal_are_spelled_out():
    hostile = "\x1b[31mred\nline [bold]x[/bold]"
    finding = {
        **FINDING,
        "message": hostile,
        "name": hostile,
        "where": {"file": hostile, "line": 1},
    }

    shown = to_text(render_audit({**audit(finding), "target": hostile}))

    assert "\x1b" not in shown
    assert "\\x1b[31mred\\nline" in shown
    assert "[bold]x[/bold]" in shown


def test_colour_says_the_severity_and_nothing_else_depends_on_it():
    console = Console(force_terminal=True, width=80, color_system="standard", _environ={})
    with console.capture() as capture:
        console.print(render_audit(audit(FINDING)))

    assert "\x1b[1;31mTC202 target-outside-output-range\x1b[0m" in capture.get()


@pytest.mark.parametrize(
    ("severities", "told"),
    [
        ([], "No findings"),
        (["error"], "1 finding: 1 error"),
        (["note", "warning", "error", "error"], "4 findings: 2 errors, 1 warning, 1 note"),
    ],
)
def test_findings_are_counted(severities, told):
    assert summarise(audit(*({"severity": s} for s in severities))) == told


def test_evidence_is_shown_where_the_sentence_does_not_have_it():
    assert choose_evidence(FINDING) == (("loss of a perfect copy", "0.1235"),)


def test_evidence_that_says_little_or_too_much_is_not_shown():
    evidence = {"flag": True, "none": None, "long": "x" * 60, "many": list(range(90)), "map": {}}

    assert choose_evidence({**BARE, "evidence": evidence}) == ()


def test_at_most_four_figures_are_shown():
    evidence = {f"figure_{n}": n + 0.5 for n in range(9)}

    assert [name for name, _ in choose_evidence({**BARE, "evidence": evidence})] == [
        *("figure 0", "figure 1", "figure 2", "figure 3"),
    ]


@pytest.mark.parametrize(
    ("file", "target", "place"),
    [
        ("/home/me/train.py", "train.py", "train.py:3"),
        ("/home/me/models/net.py", "train.py", "/home/me/models/net.py:3"),
        ("src/train.py", "src/train.py", "src/train.py:3"),
        ("other/train.py", "src/train.py", "other/train.py:3"),
    ],
)
def test_a_script_is_named_as_the_user_named_it(file, target, place):
    assert name_place({"where": {"file": file, "line": 3}}, target) == place


def test_a_fix_that_did_not_help_is_not_called_proved():
    finding = {**FINDING, "proof": {**FINDING["proof"], "helped": False}}

    assert "\n  not proved: skill" in to_text(render_audit(audit(finding)))


def test_a_proof_without_a_sentence_shows_its_figure():
    proof = {"before": {"r2": None}, "after": {"r2": 0.5}, "metric": "r2", "helped": True}

    assert describe_proof({"proof": proof}) == "r2 - -> 0.5000"


def test_notes_are_named_once():
    assert list_notes({"notes": ["a", "b"], "facts": {"notes": ["b", "c"]}}) == ("a", "b", "c")
