"""One healthy run as facts, and runs that differ from it in some values."""

import tomllib
from copy import deepcopy
from pathlib import Path

import pytest

from truecopy.rules.reading import read_facts

HERE = Path(__file__).parent
_RAW = tomllib.loads((HERE / "healthy.toml").read_text(encoding="utf-8"))


def healthy_plain():
    """Return the healthy run in its JSON form."""
    plain = deepcopy(_RAW)
    rows = plain.pop("rows")
    for name in ("inputs", "targets", "validation", "validation_targets"):
        plain["data"][name] = deepcopy(rows)
    return plain


def _change_run(differences, missing=()):
    """Return the facts of the healthy run with these differences.

    A key is a path with dots; a layer or metric is found by its name or place; 'data.both' and
    'data.validations' stand for inputs and targets. A value that is a table is completed from
    what was there; where a path ends in '.runs', the value lists pairs: a number, how often.
    `missing` are paths that become None.
    """
    plain = healthy_plain()
    for path, value in differences.items():
        for exact in _spell_out(path):
            if exact.endswith(".runs"):
                numbers = [number for number, times in value for _ in range(times)]
                _put(plain, exact.removesuffix(".runs").split("."), numbers)
            else:
                _put(plain, exact.split("."), value)
    for path in missing:
        for exact in _spell_out(path):
            _put(plain, exact.split("."), None)
    return read_facts(plain)


@pytest.fixture(scope="session")
def changed_run():
    """The function that gives the facts of the healthy run with some differences."""
    return _change_run


def _spell_out(path):
    if path.startswith("data.both."):
        return [path.replace("both", side, 1) for side in ("inputs", "targets")]
    if path.startswith("data.validations."):
        sides = ("validation", "validation_targets")
        return [path.replace("validations", side, 1) for side in sides]
    return [path]


def _put(place, keys, value):
    *parents, last = keys
    for key in parents:
        if isinstance(place, list):
            place = next(item for item in place if item["name"] == key)
        else:
            place = place[key]
    if isinstance(place, list):
        place[next(k for k, item in enumerate(place) if item["name"] == last)] = value
    else:
        place[last] = value
