"""`truecopy.audit` is called, whatever was imported before."""

import subprocess
import sys

import pytest

CHECK = "; print(callable(truecopy.audit), truecopy.audit.__name__)"


@pytest.mark.parametrize(
    "statement",
    ["import truecopy", "import truecopy; import truecopy.audit.subject"],
)
def test_the_audit_is_a_function_and_a_package(statement):
    done = subprocess.run(
        [sys.executable, "-c", statement + CHECK], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["True", "truecopy.audit"]
