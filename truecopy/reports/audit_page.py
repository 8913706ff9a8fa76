"""Writes an audit as a section of a report, or as a page of its own."""

from collections.abc import Mapping
from os import PathLike
from typing import Any

from truecopy.facts import ReportSection
from truecopy.reports.html import write_page


def make_section(plain: Mapping[str, Any], *, heading: str | None = None) -> ReportSection:
    """Return the section of a report that shows an audit, from its plain form."""
    return ReportSection(heading=heading or f"Audit of {plain['target']}", audit=plain)


def write_audit_page(
    path: str | PathLike[str], plain: Mapping[str, Any], *, command: str | None = None
) -> None:
    """Write an audit as a web page of its own; the file appears only once it is complete.

    Args:
        path: The file.
        plain: The plain form of an audit.
        command: The one that made it, shown so that it can be repeated.

    Raises:
        OutputFailed: The file can't be written.
    """
    section = make_section(plain)
    write_page(path, section.heading, (section,), command=command)
