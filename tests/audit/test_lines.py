"""Lines of the user's program, told from those of libraries."""

import inspect
import json
from pathlib import Path

import keras
import numpy as np
import pytest

from truecopy.audit import lines
from truecopy.audit.lines import assigned_line, is_users, name_file, statement_lines, user_where

PROGRAM = """\
from helper import noisy

def load():
    return 1

x = load()
y = noisy(x)
for y in range(3):
    x += y
model.fit(
    x,
    y,
)
"""


def test_a_program_is_the_users_and_a_library_is_not(tmp_path):
    assert is_users(str(tmp_path / "train.py"))
    assert is_users(__file__)
    for library in (json.__file__, np.__file__, keras.__file__, lines.__file__):
        assert not is_users(library)
    assert not is_users("<string>")


def test_the_line_that_runs_is_the_users_even_below_a_library():
    found = []
    here = inspect.currentframe().f_lineno + 1
    json.loads("[1]", parse_int=lambda _: found.append(user_where(Path(__file__).parent)))

    assert (found[0].file, found[0].line) == ("test_lines.py", here)


def test_files_are_named_from_the_folder_the_program_was_started_in(tmp_path):
    assert name_file(str(tmp_path / "a" / "b.py"), tmp_path) == str(Path("a", "b.py"))
    assert name_file("b.py", tmp_path) == "b.py"
    assert name_file("/elsewhere/b.py", tmp_path) == "/elsewhere/b.py"


@pytest.mark.parametrize(
    ("name", "before", "line"),
    [("x", 13, 9), ("x", 8, 6), ("y", 7, 7), ("y", 13, 8), ("z", 9, None)],
)
def test_the_last_assignment_above_is_found(name, before, line):
    assert assigned_line(PROGRAM, name, before=before) == line


@pytest.mark.parametrize(
    ("line", "covered"),
    [(6, [6]), (10, [10, 11, 12, 13]), (12, [10, 11, 12, 13]), (8, [8]), (99, [99])],
)
def test_a_statement_has_all_its_lines_but_a_loop_only_its_own(line, covered):
    assert list(statement_lines(PROGRAM, line)) == covered
