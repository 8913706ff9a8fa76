"""Comments that silence a rule: `# truecopy: ignore[TC301]` on the line that it speaks of.

The comment counts for the whole statement that it stands in, or, alone on its line, for the
statement below. `# truecopy: ignore-file[TC301]` counts for the whole program.
"""

import io
import re
import tokenize
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

from truecopy.audit.lines import statement_lines
from truecopy.rules.engine import check_names
from truecopy.rules.finding import Finding

_COMMENT: Final = re.compile(r"#\s*truecopy:\s*ignore(?P<file>-file)?\[(?P<names>[^\]]*)\]")


def silence(findings: Iterable[Finding], script: str, root: Path) -> tuple[Finding, ...]:
    """Return the findings that no comment of the program silences.

    Args:
        findings: What the rules found.
        script: The program, whose comments count for findings without a line too.
        root: The folder that files are named from.

    Raises:
        UnknownName: A comment names no rule.
    """
    return tuple(f for f in findings if not _is_silenced(f, script, root))


def _is_silenced(finding: Finding, script: str, root: Path) -> bool:
    for file in {script, finding.where.file if finding.where else script}:
        whole, by_line = read_comments(root / file)
        if finding.name in whole:
            return True
        if finding.where is None or file != finding.where.file:
            continue
        lines = statement_lines(_read(root / file), finding.where.line)
        counting = [-(lines.start - 1), *lines, *(-line for line in lines)]
        if any(finding.name in by_line.get(line, ()) for line in counting):
            return True
    return False


@lru_cache(maxsize=16)
def read_comments(path: Path) -> tuple[frozenset[str], dict[int, frozenset[str]]]:
    """Return the rules silenced in the whole file, and those by line.

    A comment alone on its line stands under the line's negative number.
    """
    whole: frozenset[str] = frozenset()
    by_line: dict[int, frozenset[str]] = {}
    source = _read(path)
    for token in tokenize.generate_tokens(io.StringIO(source).readline) if source else ():
        match = _COMMENT.search(token.string) if token.type == tokenize.COMMENT else None
        if match is None:
            continue
        line = token.start[0]
        asked = tuple(name.strip() for name in match["names"].split(","))
        names = check_names(f"{path.name}:{line}: ignore", "truecopy", asked)
        if match["file"]:
            whole |= names
        else:
            alone = token.line.lstrip().startswith("#")
            by_line[-line if alone else line] = names
    return whole, by_line


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
