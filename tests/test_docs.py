"""The generated pages are those of today's docstrings."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"


def test_the_pages_of_the_metrics_are_fresh():
    pages = runpy.run_path(str(DOCS / "generate.py"))["render_pages"]()

    written = {path.name: path.read_text(encoding="utf-8") for path in DOCS.glob("metrics/*.md")}

    assert written == pages, "run: python docs/generate.py"
