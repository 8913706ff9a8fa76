"""The page: complete, the same each time, and unmoved by whatever the names in it contain."""

import base64
import functools
import hashlib
import json
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from rich.text import Text

from truecopy.errors import InvalidArgument, OutputFailed
from truecopy.facts import (
    Choice,
    DataFacts,
    EvaluationFacts,
    Example,
    Examples,
    NonFinite,
    PlanFacts,
    ReportSection,
    RunFacts,
    ScoreFacts,
    Spectrum,
)
from truecopy.reports.html import lay_out, render_page, to_fragment, write_page
from truecopy.reports.result import Result
from truecopy.reports.terminal import render_data, render_evaluation, render_plan, render_run

HARMLESS = "harmless"
HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "' onmouseover='alert(1)",
    "</style><style>*{display:none}",
    "</pre></details><a href=https://example.com>x</a>",
    "{{ 7 * 7 }}{% raw %}&amp;&lt;",
    "https://example.com/x javascript:alert(1)",
    "two\nlines\r\x00\x1b[31m",
    "left \u202eright\u202c \u2028 \udcff",
    "$x$ %s \\ {0}",
]


def score(name):
    baselines = {"blank": 0.1012, "mean": 0.06747, "pca": 0.02686, "copy_input": 0.1131}
    return ScoreFacts(
        value=0.00967, perfect=0.0, floor=0.06747, floor_from=name, skill=0.8567,
        ci95=(0.00959, 0.00975), higher_is_better=False, baselines={**baselines, name: 0.05},
        resolves_to=name,
    )  # fmt: skip


def evaluation(name):
    return EvaluationFacts(
        model=name, data=name, rows=10_000, shape=(8, 8), data_range=(0.0, 1.0), latent=16,
        noise=name, baselines_from=name, explain={name: {name: name}}, notes=(name,),
        scores={"mse": score("mean"), f"a {name}": score(name)},
    )  # fmt: skip


def data(name):
    return DataFacts(
        name=name, shape=(8, 8), dtype=name, rows=60_000, minimum=0.0, maximum=255.0,
        mean=33.318421, spread=78.56749, share_zero=0.80879, share_maximum=0.0067,
        share_inside_unit=0.81, integers=True, binary=False, levels=256,
        non_finite=NonFinite(), constant_features=0, first_constant=(), tails=12.3, groups=(),
        row_sums=(4342.0, 79483.0),
        spectrum=Spectrum(widths=(2, 16), kept=(0.168, 0.594), rows=20_000, exact=True),
    )  # fmt: skip


def plan(name):
    choice = Choice(value=name, reason=name, alternatives=(name,))
    return PlanFacts(
        kind=name, because=name, scaling=choice, output=choice, loss=choice, target_range=None
    )


def run(name):
    return RunFacts(
        model=name, latent=16, parameters=235_920, rows=55_000, validation_rows=5_000, epochs=2,
        best_epoch=2, batch_size=128, optimizer=name, learning_rate=0.001, noise=name, seed=7,
        stopped=name, seconds=61.44, loss_floor=0.0583633, versions={name: name},
        history={"loss": (0.3, 0.2), name: (0.1, 0.1)},
    )  # fmt: skip


def examples(name, shape=(8, 8), *, count=2):
    rng = np.random.default_rng(0)
    arrays = [rng.random(shape, dtype=np.float32) for _ in range(3 * count)]
    rows = []
    for i in range(count):
        original, noisy, copy = arrays[3 * i : 3 * i + 3]
        rows.append(
            Example(
                title=name, row=i, error=0.1, original=original, noisy=noisy, reconstruction=copy
            )
        )
    return Examples(rows=tuple(rows), mean_error=rng.random(shape))


def section(name, **changes):
    facts = {
        "heading": name,
        "story": (name, name),
        "data": data(name),
        "plan": plan(name),
        "run": run(name),
        "evaluation": evaluation(name),
        "examples": examples(name),
    }
    return ReportSection(**{**facts, **changes})


@functools.cache
def page(name):
    return render_page(f"About {name}", [section(name), section(name, run=None)], command=name)


class Tags(HTMLParser):
    """Lists every tag with its attributes, and every address."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.names, self.addresses, self.images, self.text = [], [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.names += [name for name, _ in attrs]
        self.addresses += [
            value for name, value in attrs if name in {"href", "src", "srcset", "id", "class"}
        ]
        if tag == "img":
            self.images.append(dict(attrs))

    def handle_endtag(self, tag):
        self.tags.append(f"/{tag}")

    def handle_data(self, data):
        self.text.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


class Card(Result):
    """The smallest result."""

    def __init__(self, facts, pictures=None):
        self._facts = facts
        self.examples = pictures

    @property
    def facts(self):
        return self._facts

    def _render(self):
        return render_evaluation(self._facts)


@pytest.fixture(scope="module")
def harmless():
    return page(HARMLESS)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_string_creates_an_element_an_attribute_or_an_address(name, harmless):
    hostile = page(name)

    assert Tags(hostile).tags == Tags(harmless).tags
    assert Tags(hostile).addresses == Tags(harmless).addresses
    hostile.encode("utf-8")


@pytest.mark.parametrize("name", HOSTILE)
def test_no_string_controls_or_reorders_the_text(name):
    assert all(char.isprintable() or char == "\n" for char in page(name))


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("part", ["data", "plan", "run", "evaluation", "text", "string"])
def test_no_string_creates_an_element_in_a_notebook(part, name):
    def render(text):
        renderers = {
            "data": lambda: render_data(data(text)),
            "plan": lambda: render_plan(plan(text)),
            "run": lambda: render_run(run(text)),
            "evaluation": lambda: render_evaluation(evaluation(text)),
            "text": lambda: Text(text.replace("\n", " ")),
            "string": lambda: text,
        }
        return to_fragment(renderers[part]())

    assert Tags(render(name)).tags == Tags(render(HARMLESS)).tags
    assert all(char.isprintable() or char == "\n" for char in render(name))


def test_there_is_no_script_and_no_handler(harmless):
    tags = Tags(harmless)

    assert not {tag[0] for tag in tags.tags} & {"script", "iframe", "object", "base", "form"}
    assert not [name for name in tags.names if name.startswith("on") or name == "style"]


def test_the_page_loads_nothing(harmless):
    sources = re.findall(r'(?:src|srcset|href)="([^"]*)"', harmless)

    assert sources
    assert all(s.startswith(("data:image/png;base64,", "#section-")) for s in sources)
    assert "url(" not in harmless
    assert "@import" not in harmless


def test_the_policy_allows_only_the_pages_own_style_and_pictures(harmless):
    style = re.search(r"<style>(.*?)</style>", harmless, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', harmless)[1]

    assert policy == f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'"
    assert harmless.index("Content-Security-Policy") < harmless.index("<style>")


def test_each_picture_says_in_words_what_it_shows(harmless):
    images, bars = Tags(harmless).images, re.findall(r"<svg[^>]*>", harmless)

    assert images
    assert bars
    assert all(image["alt"] for image in images)
    assert all('role="img"' in bar and 'aria-label="' in bar for bar in bars)


def test_equal_facts_give_equal_pages(harmless):
    assert page.__wrapped__(HARMLESS) == harmless


def test_the_page_says_how_good_the_copy_is():
    words = Tags(render_page("t", [section("x")], command="truecopy demo")).words

    assert "85.7 %" in words
    assert (
        "mse 0.00967 is 85.7 % of the way from the floor (the mean image, 0.06747) to a perfect "
        "copy (0). PCA of the same width gets 60.2 % of the way."
    ) in words
    assert "Made by truecopy demo" in words
    assert "No better than the floor: blank page 0.10120, noisy input 0.11310." in words


def test_several_copies_are_compared_at_a_glance():
    one, two = (render_page("t", [section("x")] * count) for count in (1, 2))

    assert "At a glance" not in one
    assert "At a glance" in two


def test_a_copy_worse_than_the_floor_is_called_so():
    bad = replace(score("mean"), value=0.0912, skill=-0.3517)
    card = replace(evaluation("x"), scores={"mse": bad})

    words = Tags(render_page("t", [ReportSection(heading="h", evaluation=card)])).words

    assert "below the floor" in words
    assert "mse 0.0912 is worse than the floor: the mean image scores 0.0675." in words


def test_a_section_named_like_the_page_repeats_no_heading():
    alone = [section("t", run=None, examples=None)]

    assert "<h2>" not in render_page("t", alone)


@pytest.mark.parametrize("part", ["data", "plan", "run", "evaluation", "examples"])
def test_a_section_needs_none_of_its_parts(part):
    without = section("x", **{part: None})
    alone = ReportSection(heading="x", **{part: getattr(section("x"), part)})

    assert render_page("t", [without, alone]).count("<h2>x</h2>") == 2


def test_all_facts_are_in_the_page_as_json():
    text = Tags(render_page("t", [section("x")])).text
    facts = json.loads(next(part for part in text if part.startswith('{\n "data"')))

    assert facts["evaluation"] == evaluation("x").to_dict()
    assert facts["run"] == run("x").to_dict()


@pytest.mark.parametrize(("shape", "copies"), [((256, 256, 3), 3), ((5000,), 1)])
def test_a_page_of_large_rows_stays_small_enough_for_an_email(shape, copies):
    large = section("x", examples=examples("x", shape, count=9), run=None)

    assert len(render_page("t", [large] * copies)) < 1_500_000


def test_labels_below_a_bar_never_overlap():
    baselines = dict(zip("abcdefgh", np.linspace(0.001, 0.066, 8), strict=True))
    crowded = replace(score("mean"), baselines=baselines)
    letter = 100 * 6.5 / 330  # percent of a bar on a phone

    lanes = {}
    for mark in lay_out(crowded).marks:
        width = len(mark.text) * letter
        start = mark.place - {"start": 0, "middle": width / 2, "end": width}[mark.anchor]
        lanes.setdefault(mark.lane, []).append((start, start + width))

    for spans in lanes.values():
        spans.sort()
        assert all(one[1] < two[0] for one, two in pairwise(spans))
        assert spans[0][0] >= -1e-9
        assert spans[-1][1] <= 100 + 1e-9


def test_a_page_is_written_whole_and_readable_by_others(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    mask = os.umask(0o022)
    try:
        write_page(path, "t", [section("x")])
    finally:
        os.umask(mask)

    assert path.read_text(encoding="utf-8") == render_page("t", [section("x")])
    assert path.stat().st_mode & 0o777 == 0o644
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OutputFailed, match=r"Could not write .*: No space left on device"):
        write_page(path, "t", [])

    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_a_missing_folder_is_said_in_one_sentence(tmp_path):
    path = tmp_path / "nowhere" / "report.html"

    with pytest.raises(OutputFailed, match=r"^Could not write .*: No such file or directory\.$"):
        write_page(path, "t", [])


def test_a_link_to_a_report_stays_a_link(tmp_path):
    (tmp_path / "real.html").write_text("old")
    (tmp_path / "link.html").symlink_to("real.html")

    write_page(tmp_path / "link.html", "t", [])

    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "real.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_result_is_saved_as_what_its_name_says(tmp_path):
    card = Card(evaluation("x"), examples("x"))

    for ending in ("json", "html", "txt"):
        card.save(tmp_path / f"card.{ending}")

    assert json.loads((tmp_path / "card.json").read_text()) == card.to_dict()
    assert (tmp_path / "card.txt").read_text(encoding="utf-8") == f"{card}\n"
    saved = Tags((tmp_path / "card.html").read_text(encoding="utf-8"))
    assert "Scorecard of x on x" in saved.words
    assert "Row 0: original" in [image["alt"] for image in saved.images]


def test_a_result_refuses_an_unknown_ending_and_writes_nothing(tmp_path):
    path = tmp_path / "card.pdf"

    with pytest.raises(InvalidArgument) as refused:
        Card(evaluation("x")).save(path)

    assert str(refused.value) == (
        "The 'path' argument of Card.save must be a name ending in .json, .html or .txt. "
        f"Got {str(path)!r}."
    )
    assert not list(tmp_path.iterdir())


def test_a_notebook_shows_the_scorecard_as_a_table():
    shown = Card(evaluation("x"))._repr_html_()

    assert ("table", ("style",)) in Tags(shown).tags
    assert "0.00967" in Tags(shown).words
