"""A user's program as text that can be edited: finds calls by their line, replaces segments.

Nothing but the segments asked for changes, so formatting and comments stay as they are.
"""

import ast
import io
import tokenize
from collections.abc import Iterator
from typing import Final

# Positional arguments of Keras' layers (3.15) that edits are made to, by their keyword.
_POSITIONS: Final = {
    "Dense": ("units", "activation"),
    "Activation": ("activation",),
    "Dropout": ("rate",),
    "SpatialDropout1D": ("rate",),
    "SpatialDropout2D": ("rate",),
    "GaussianDropout": ("rate",),
    "BatchNormalization": ("axis", "momentum"),
    "compile": ("optimizer", "loss", "loss_weights", "metrics"),
    "fit": ("x", "y", "batch_size", "epochs"),
}
_WIDE: Final = ("filters",)  # of convolutions
_RATED: Final = ("learning_rate",)  # of optimisers
_NO_CODE: Final = (
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
)


class Source:
    """A file of the user's and the edits to it.

    Args:
        text: The file's text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._tree = ast.parse(text)
        # Columns of the syntax tree count bytes.
        self._lines = [0]
        for line in text.encode().split(b"\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)
        self._edits: dict[tuple[int, int], bytes] = {}

    def find_call(self, name: str, line: int) -> ast.Call | None:
        """Return the one call of `name` (`layers.Dense(...)`: 'Dense') that runs at a line.

        None where there is none, or several that the line doesn't tell apart.
        """
        calls = [c for c in self._calls() if called_name(c) == name and _spans(c, line)]
        exact = [c for c in calls if line in {c.lineno, c.func.end_lineno}]
        nearest = exact or calls
        return nearest[0] if len(nearest) == 1 else None

    def find_value(self, expression: ast.expr) -> ast.expr:
        """Return what a name stands for where the file assigns it once, else the expression."""
        if not isinstance(expression, ast.Name):
            return expression
        values = [
            node.value
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == expression.id for t in node.targets)
        ]
        return values[0] if len(values) == 1 else expression

    def imports_keras(self) -> bool:
        """Say whether the file has the name `keras`."""
        imports = (node for node in ast.walk(self._tree) if isinstance(node, ast.Import))
        aliases = [alias for node in imports for alias in node.names]
        froms = (node for node in ast.walk(self._tree) if isinstance(node, ast.ImportFrom))
        aliases += [alias for node in froms for alias in node.names]
        return any((alias.asname or alias.name) == "keras" for alias in aliases)

    def segment(self, node: ast.expr) -> str:
        """Return the text of an expression."""
        start, end = self._span(node)
        return self.text.encode()[start:end].decode()

    def replace(self, node: ast.expr, text: str) -> bool:
        """Replace an expression; False where it would cross another edit."""
        return self._edit(*self._span(node), text)

    def set_argument(self, call: ast.Call, keyword: str, text: str) -> bool:
        """Give a call's argument another value, or add it as a keyword."""
        given = find_argument(call, keyword)
        if given is not None:
            return self.replace(given, text)
        place = self._end_of_arguments(call)
        separator = ", " if call.args or call.keywords else ""
        return self._edit(place, place, f"{separator}{keyword}={text}")

    def edited(self) -> str:
        """Return the text with all edits made."""
        data = self.text.encode()
        for (start, end), new in sorted(self._edits.items(), reverse=True):
            data = data[:start] + new + data[end:]
        return data.decode()

    def parses(self) -> bool:
        """Say whether the edited text is a program."""
        try:
            ast.parse(self.edited())
        except SyntaxError:
            return False
        return True

    def snapshot(self) -> dict[tuple[int, int], bytes]:
        """Return the edits so far, to go back to."""
        return dict(self._edits)

    def restore(self, edits: dict[tuple[int, int], bytes]) -> None:
        """Go back to the edits of a snapshot."""
        self._edits = dict(edits)

    def _end_of_arguments(self, call: ast.Call) -> int:
        """Return where the last argument ends: before a trailing comma, comments, the bracket."""
        first, last = self._span(call.func)[1], self._span(call)[1] - 1
        end = last
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            stop = self._offset(*token.end)
            if token.type not in _NO_CODE and token.string != "," and first <= stop <= last:
                end = stop
        return end

    def _offset(self, line: int, column: int) -> int:
        """Return the byte of a line (from 1) and a column in characters."""
        if line > len(self._lines) - 1:
            return self._lines[-1]
        data = self.text.encode()[self._lines[line - 1] : self._lines[line]]
        return self._lines[line - 1] + len(data.decode()[:column].encode())

    def _edit(self, start: int, end: int, text: str) -> bool:
        new = text.encode()
        for (other_start, other_end), other in self._edits.items():
            if (start, end) == (other_start, other_end) and new == other:
                return True
            inside = start < other_end and other_start < end
            if inside or (start, end) == (other_start, other_end):
                return False
        self._edits[start, end] = new
        return True

    def _span(self, node: ast.expr) -> tuple[int, int]:
        start = self._lines[node.lineno - 1] + node.col_offset
        end = self._lines[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        return start, end

    def _calls(self) -> Iterator[ast.Call]:
        return (node for node in ast.walk(self._tree) if isinstance(node, ast.Call))


def called_name(call: ast.Call) -> str:
    """Return the last part of what is called: 'Dense' of `keras.layers.Dense(3)`."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def find_argument(call: ast.Call, keyword: str) -> ast.expr | None:
    """Return the value that a call gives an argument, by keyword or by its position."""
    for given in call.keywords:
        if given.arg == keyword:
            return given.value
    name = called_name(call)
    known = _POSITIONS.get(name)
    if known is None:
        known = _WIDE if name.startswith(("Conv", "SeparableConv")) else _RATED
    if keyword in known:
        place = known.index(keyword)
        if place < len(call.args) and not any(isinstance(a, ast.Starred) for a in call.args):
            return call.args[place]
    return None


def _spans(call: ast.Call, line: int) -> bool:
    return call.lineno <= line <= (call.end_lineno or call.lineno)
