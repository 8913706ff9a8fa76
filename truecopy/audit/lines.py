"""Which line of the user's program is running, and where it gave a name its value."""

import ast
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Final

from truecopy.rules.modelfacts import Where

# Whoever is in here is a library: Python's own, installed packages, and this one.
_LIBRARIES: Final = tuple(
    {
        str(Path(sysconfig.get_path(kind)).resolve())
        for kind in ("stdlib", "platstdlib", "purelib", "platlib")
    }
    | {str(Path(__file__).resolve().parents[1])}
)
_INSTALLED: Final = ("site-packages", "dist-packages")


def is_users(file: str) -> bool:
    """Tell whether a source file is the user's own rather than a library's."""
    if file.startswith("<"):  # <string>, <frozen importlib>
        return False
    path = Path(file).resolve()
    inside = any(path.is_relative_to(library) for library in _LIBRARIES)
    return not inside and not set(_INSTALLED) & set(path.parts)


def user_frames() -> Iterator[FrameType]:
    """Yield the frames of the user's program that are running, the innermost first."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 (documented, and only CPython's)
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            yield frame
        frame = frame.f_back


def user_where(root: Path) -> Where | None:
    """Return the user's line that is running; None where there is none.

    Args:
        root: The folder that files are named from.
    """
    frame = next(user_frames(), None)
    if frame is None:
        return None
    return Where(file=name_file(frame.f_code.co_filename, root), line=frame.f_lineno)


def name_file(file: str, root: Path) -> str:
    """Return a file's name as seen from the folder `root`; in full where it isn't in there."""
    path = Path(file)
    if not path.is_absolute():
        path = root / path
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def assigned_line(source: str, name: str, *, before: int) -> int | None:
    r"""Return the last line above `before` that gives `name` a value.

    Example:
        >>> assigned_line("x = load()\nnoisy = x + 1\nfit(x)", "noisy", before=3)
        2
    """
    found = [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Name)
        and node.id == name
        and isinstance(node.ctx, ast.Store)
        and node.lineno <= before
    ]
    return max(found, default=None)


def statement_lines(source: str, line: int) -> range:
    r"""Return the lines of the smallest statement that covers `line`.

    Of a compound statement (a loop, a function) only `line` itself counts.

    Example:
        >>> list(statement_lines("f(\n  1,\n)\ng()", 1))
        [1, 2, 3]
    """
    covering = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    if not covering:
        return range(line, line + 1)
    smallest = min(covering, key=lambda node: (node.end_lineno or node.lineno) - node.lineno)
    if hasattr(smallest, "body"):
        return range(line, line + 1)
    return range(smallest.lineno, (smallest.end_lineno or smallest.lineno) + 1)
