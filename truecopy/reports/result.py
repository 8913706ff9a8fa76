"""What every public result has in common: a text form, a notebook form, JSON, and `save`.

A subclass says what its facts are and how a terminal shows them; the rest follows, so that
`print(result)`, a notebook cell, the command line and a saved file never disagree.
"""

import json
import os
from abc import ABC, abstractmethod
from os import PathLike
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from truecopy.errors import InvalidArgument, OutputFailed
from truecopy.facts import (
    DataFacts,
    EvaluationFacts,
    Examples,
    PlanFacts,
    Record,
    ReportSection,
    RunFacts,
    to_plain,
)
from truecopy.reports.terminal import to_text

_ENDINGS = (".json", ".html", ".txt")
_MUST_END = "a name ending in .json, .html or .txt"


def check_savable(path: str | PathLike[str]) -> None:
    """Refuse a file that `Result.save` could not write, before any work is done.

    Raises:
        InvalidArgument: The name doesn't end in .json, .html or .txt.
        OutputFailed: Its folder can't be written.
    """
    if Path(path).suffix.lower() not in _ENDINGS:
        raise InvalidArgument("--out", "truecopy", _MUST_END, got=str(path))
    folder = Path(path).resolve().parent
    if Path(path).is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        message = f"Can't write {str(path)!r}: its folder must exist and be writable."
        raise OutputFailed(message)


class Result(ABC):
    """Something computed that can be printed, shown in a notebook, and saved.

    `examples` are the rows that the saved page shows as pictures, where there are some.
    """

    examples: Examples | None = None

    @property
    @abstractmethod
    def facts(self) -> Record:
        """The plain numbers and strings of this result."""

    @abstractmethod
    def _render(self) -> RenderableType:
        """Show the facts in a terminal."""

    def _sections(self) -> tuple[ReportSection, ...]:
        """Lay out the saved page; a result that has pictures or a story says more here."""
        facts = self.facts
        heading = self._title()
        if isinstance(facts, DataFacts):
            return (ReportSection(heading=heading, data=facts),)
        if isinstance(facts, PlanFacts):
            return (ReportSection(heading=heading, plan=facts),)
        if isinstance(facts, RunFacts):
            return (ReportSection(heading=heading, run=facts),)
        if isinstance(facts, EvaluationFacts):
            return (ReportSection(heading=heading, evaluation=facts, examples=self.examples),)
        return (ReportSection(heading=heading, story=tuple(str(self).splitlines()[1:])),)

    def _title(self) -> str:
        return str(self).partition("\n")[0]

    def __str__(self) -> str:
        return to_text(self._render())

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._title()}>"

    def __rich__(self) -> RenderableType:
        return self._render()

    def _repr_html_(self) -> str:
        from truecopy.reports.html import to_fragment

        return to_fragment(self._render())

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as plain dicts, lists, numbers and strings."""
        return self.facts.to_dict()

    def to_json(self) -> str:
        """Return the facts as an indented JSON document."""
        return json.dumps(to_plain(self.to_dict()), indent=2, allow_nan=False)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the result to a file: JSON, a web page or text, by the name's ending.

        A file of that name is replaced, and only once the new one is complete.

        Args:
            path: a name that ends in .json, .html or .txt.

        Raises:
            InvalidArgument: the name ends otherwise.
            OutputFailed: the file can't be written.
        """
        from truecopy.reports.html import write_page, write_whole

        ending = Path(path).suffix.lower()
        if ending == ".json":
            write_whole(path, f"{self.to_json()}\n")
        elif ending == ".html":
            write_page(path, self._title(), self._sections())
        elif ending == ".txt":
            write_whole(path, f"{self}\n")
        else:
            owner = f"{type(self).__name__}.save"
            raise InvalidArgument("path", owner, _MUST_END, got=str(path))
