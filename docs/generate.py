"""Writes docs/metrics/*.md and docs/rules/*.md from the pages that `truecopy explain` prints.

Run `python docs/generate.py` after changing a docstring; a test fails while the pages are stale.
"""

from pathlib import Path
from textwrap import dedent

from truecopy.explain import SECTIONS, explain
from truecopy.metrics.catalogue import PAGES
from truecopy.rules.engine import all_rules

HERE = Path(__file__).parent
MADE_BY = "As `truecopy explain NAME` prints them; made by `docs/generate.py`.\n\n"
CODE = ("Bad", "Good")


def render_metrics() -> dict[str, str]:
    """Return the text of each metric's page by its file name."""
    pages = {f"{name}.md": f"# {name}\n\n{explain(name).text}\n" for name in PAGES}
    lines = [f"- [{name}]({name}.md): {explain(name).text.splitlines()[0]}" for name in PAGES]
    return pages | {"index.md": f"# Metrics\n\n{MADE_BY}" + "\n".join(lines) + "\n"}


def render_rules() -> dict[str, str]:
    """Return the text of each rule's page by its file name, and of the index."""
    rules = all_rules()
    pages = {f"{name}.md": _render_rule(name) for name in rules}
    lines = [
        f"- [{rule.code} {name}]({name}.md): {(rule.check.__doc__ or '').splitlines()[0]}"
        for name, rule in rules.items()
    ]
    return pages | {"index.md": f"# Rules\n\n{MADE_BY}" + "\n".join(lines) + "\n"}


def _render_rule(name: str) -> str:
    """Return a rule's page as Markdown: headings for its sections, fences for its code."""
    rule = all_rules()[name]
    first, *blocks = explain(name).text.split("\n\n")
    parts = [f"# {rule.code} {name}", first.removeprefix(f"{rule.code}: ")]
    section = ""
    for block in blocks:
        heading, _, rest = block.partition("\n")
        if heading in {*SECTIONS, "Explains"}:
            section, body = heading, dedent(rest)
            parts.append(f"## {heading}")
        else:  # a blank line within a section
            body = dedent(block)
        if body:
            parts.append(f"```python\n{body}\n```" if section in CODE else body)
    return "\n\n".join(parts) + "\n"


def render_all() -> dict[str, dict[str, str]]:
    """Return the pages of each folder."""
    return {"metrics": render_metrics(), "rules": render_rules()}


def main() -> None:
    """Write all pages, and remove those whose metric or rule is gone."""
    for folder, pages in render_all().items():
        (HERE / folder).mkdir(exist_ok=True)
        for stale in set((HERE / folder).glob("*.md")) - {HERE / folder / name for name in pages}:
            stale.unlink()
        for name, text in pages.items():
            (HERE / folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
