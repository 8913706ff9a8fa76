"""The generated pages are those of today's docstrings."""

import doctest
import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.parametrize("folder", ["metrics", "rules"])
def test_the_pages_are_fresh(folder):
    pages = runpy.run_path(str(DOCS / "generate.py"))["render_all"]()[folder]

    written = {path.name: path.read_text(encoding="utf-8") for path in DOCS.glob(f"{folder}/*.md")}

    assert written == pages, "run: python docs/generate.py"


@pytest.mark.slow
def test_the_examples_run():
    results = doctest.testfile(str(DOCS / "examples.md"), module_relative=False)

    assert results.attempted > 10
    assert results.failed == 0
