"""Writes docs/metrics/*.md from the docstrings that `truecopy explain` prints.

Run `python docs/generate.py` after changing one; a test fails while the pages are stale.
"""

from pathlib import Path

from truecopy.explain import explain
from truecopy.metrics.catalogue import PAGES

FOLDER = Path(__file__).parent / "metrics"


def render_pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    pages = {f"{name}.md": f"# {name}\n\n{explain(name).text}\n" for name in PAGES}
    lines = [f"- [{name}]({name}.md): {explain(name).text.splitlines()[0]}" for name in PAGES]
    head = "# Metrics\n\nAs `truecopy explain NAME` prints them; made by `docs/generate.py`.\n\n"
    return pages | {"index.md": head + "\n".join(lines) + "\n"}


def main() -> None:
    """Write all pages, and remove those whose metric is gone."""
    FOLDER.mkdir(exist_ok=True)
    pages = render_pages()
    for stale in set(FOLDER.glob("*.md")) - {FOLDER / name for name in pages}:
        stale.unlink()
    for name, text in pages.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
