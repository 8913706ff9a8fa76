"""An audit as a page: cards, pictures of what was measured, and names that can do nothing."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from truecopy.reports.audit_page import make_section, write_audit_page
from truecopy.reports.audit_pictures import (
    judge_losses,
    lay_out_losses,
    lay_out_proof,
    lay_out_ranges,
    show_sketches,
    show_training,
)
from truecopy.reports.html import render_page

HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "{{ 7 * 7 }}{% raw %}",
    "right\u202e \x1b[31m",
]
FACTS = {
    "model": {"output_bounds": [0.0, 1.0]},
    "data": {"targets": {"minimum": 0.0, "maximum": 255.0}},
    "behaviour": {"output": [0.25, 0.75]},
    "contract": {"perfect": 0.0, "mean": 4.0, "blank": 9.0, "unbounded": False},
    "training": {"losses": [5.0, 4.0, 3.5, 3.25], "validation_losses": [5.5, None, 4.0, 4.0]},
    "notes": ["Nothing more was measured."],
}


def finding(text="a name", *, severity="error", helped=True):
    return {
        "code": "TC202", "name": text, "severity": severity, "message": text,
        "evidence": {text: text, "share": 0.61}, "fix": {"text": text, "change": {text: text}},
        "where": {"file": text, "line": 3}, "echoes": [text],
        "proof": {
            "before": {"skill": -0.2}, "after": {"skill": 0.8}, "metric": "skill",
            "helped": helped, "sentence": text,
        },
    }  # fmt: skip


def audit(*findings, facts=FACTS, target="train.py"):
    return {"target": target, "findings": list(findings), "facts": facts}


class Tags(HTMLParser):
    """Collects the tags and attributes of a page, and whether all are closed."""

    VOID = frozenset({"meta", "img", "source", "br", "rect", "circle", "link"})

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.open = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def render(plain):
    return render_page("Audit", [make_section(plain)])


def test_a_page_shows_findings_fixes_proofs_and_pictures(tmp_path):
    write_audit_page(tmp_path / "a.html", audit(finding()), command="truecopy audit train.py")

    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    for text in (
        *("Audit of train.py", "1 finding: 1 error", "truecopy audit train.py", "<dd>0.6100</dd>"),
        *("Output range against target range", "What the loss charges", "skill 0.80"),
        *("The training that was watched", "Nothing more was measured.", "0.25"),
    ):
        assert text in page
    assert page.count("data:image/png;base64,") == 2  # light and dark
    assert not Tags(page).open


@pytest.mark.parametrize("text", HOSTILE)
def test_names_can_add_no_tag_and_no_attribute(text):
    facts = {**FACTS, "training": None}  # its picture has no names and takes long to draw
    harmless = Tags(render(audit(finding("harmless"), target="harmless", facts=facts)))

    page = render(audit(finding(text, severity="error"), target=text, facts=facts))

    hostile = Tags(page)
    assert hostile.tags == harmless.tags
    assert hostile.attributes == harmless.attributes
    assert "script" not in hostile.tags
    assert not re.search(r"[\u202e\x1b]", page)


def test_an_unknown_severity_is_no_class_name():
    page = render(audit(finding(severity='x" onclick="y'), facts={}))

    assert "onclick" not in Tags(page).attributes


def test_an_audit_without_findings_or_facts_is_a_page():
    page = render({"target": "model", "findings": [], "facts": None})

    assert "No findings." in page
    assert "Output range" not in page
    assert not Tags(page).open


def test_equal_audits_give_equal_pages():
    assert render(audit(finding())) == render(audit(finding()))


def test_ranges_lie_on_one_scale_and_unbounded_ones_go_to_the_edge():
    targets, reach, seen = lay_out_ranges(audit())

    assert (targets.kind, reach.kind, seen.kind) == ("wanted", "reach", "seen")
    assert targets.width == pytest.approx(100 / 1.12)
    assert reach.start == targets.start
    assert reach.width == pytest.approx(0.6)  # 1 of 255, but still to be seen
    assert seen.text == "0.2500 to 0.7500"
    free = {**FACTS, "model": {"output_bounds": [0.0, None]}}
    assert lay_out_ranges(audit(facts=free))[1].start == targets.start
    assert lay_out_ranges(audit(facts=free))[1].text == "0 to no bound"
    none = {**FACTS, "model": {"output_bounds": [None, None]}}
    assert lay_out_ranges(audit(facts=none))[1].text == "any value"
    assert lay_out_ranges(audit(facts={})) == ()


def test_losses_stand_in_order_with_the_perfect_copy_among_them():
    dots = lay_out_losses(audit())

    assert [(d.kind, round(d.place)) for d in dots] == [
        ("perfect", 0),
        ("mean", 44),
        ("blank", 100),
    ]
    assert lay_out_losses(audit(facts={"contract": {"mean": 1.0}})) == ()


@pytest.mark.parametrize(
    ("contract", "told"),
    [
        ({}, "A perfect copy is charged least, as it should be."),
        ({"blank": -1.0}, "Nothing but zeros is charged less than a perfect copy."),
        ({"unbounded": True}, "it has no minimum"),
        ({"better": -2.0, "better_at": "half the targets"}, "lowest at half the targets, not"),
    ],
)
def test_a_sentence_says_whether_the_loss_asks_for_a_copy(contract, told):
    facts = {"contract": {**FACTS["contract"], **contract}}

    assert told in judge_losses(audit(facts=facts))


def test_a_training_is_drawn_by_step_where_there_are_few_epochs():
    short = {"training": {"losses": [3.0], "step_losses": [5.0, 4.0, 3.0, 2.0]}}

    assert show_training(audit(facts=short)).alt == "Loss by step, from 5 to 2"
    assert show_training(audit()).alt == "Loss by epoch, from 5 to 3.250"
    assert show_training(audit(facts={"training": {"losses": [None, None]}})) is None
    assert show_training(audit(facts={})) is None


def test_a_floor_is_drawn_only_where_nothing_is_charged_less():
    sunk = {**FACTS, "contract": {**FACTS["contract"], "better": -1.0}}

    assert show_training(audit()).light != show_training(audit(facts=sunk)).light


def test_a_proof_is_drawn_from_nothing_learned_to_perfect():
    before, after = lay_out_proof(finding())

    assert (before.place, before.text) == (0, "skill -0.20")
    assert (after.place, after.text) == (80, "skill 0.80")
    diverged = {**finding(), "proof": {**finding()["proof"], "before": {"skill": None}}}
    assert lay_out_proof(diverged)[0].text == "diverged"
    assert lay_out_proof({"proof": None}) == ()


def sketched(shape):
    size = 1
    for length in shape:
        size *= length
    text = base64.b64encode(bytes(range(size))).decode()
    sketch = {"shape": list(shape), "target": text, "before": text, "after": text}
    return {**finding(), "proof": {**finding()["proof"], "sketches": [sketch]}}


def test_rows_before_and_after_the_fix_are_shown_as_pictures_or_lines():
    ((target, before, after),) = show_sketches(sketched((4, 5)))
    ((lines,),) = show_sketches(sketched((9,)))

    assert (target.label, before.label, after.label) == ("target", "before", "after")
    picture = np.asarray(Image.open(io.BytesIO(target.light)))
    np.testing.assert_array_equal(picture, np.arange(20).reshape(4, 5))
    assert lines.dark is not None
    assert show_sketches(finding()) == ()
    assert "<figcaption>before</figcaption>" in render(audit(sketched((4, 5)), facts={}))


def test_a_fix_that_did_not_help_is_not_called_proved():
    assert "Not proved:" in render(audit(finding(helped=False), facts={}))
