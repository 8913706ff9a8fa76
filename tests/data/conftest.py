"""What all tests of data share: a folder to write in, and the check of a whole message."""

import re

import pytest

from truecopy.data.sources import open_source
from truecopy.errors import TruecopyError


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refuses():
    """Check the whole message, wherever in opening or reading it comes."""

    def check(error, data, message, **options):
        with pytest.raises(error, match=f"^{re.escape(message)}$") as caught:
            list(open_source(data, **options).batches())
        assert isinstance(caught.value, TruecopyError)

    return check
