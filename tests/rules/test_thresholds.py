"""No threshold of a rule can move by a third unseen: some case says otherwise."""

import sys
import tomllib
from pathlib import Path

import pytest

from truecopy.rules.engine import all_rules

RULES = all_rules()
CASES = Path(__file__).parent / "cases"
# These rank findings, are part of a fix, or are a bound of the facts' own.
NO_THRESHOLDS = {
    *("SYMPTOM", "_GOOD_MOMENTUM", "_MISLEADS", "_SMALLER", "_DEFAULT"),
    *("_BEFORE_ITS_ECHOES", "_FROM_THE_START", "_NEVER", "_AFTERWARDS"),
}


def find_thresholds():
    """Return the number constants of the rules' modules: name, value, and where each stands."""
    found = {}
    for module_name, module in sorted(sys.modules.items()):
        if not module_name.startswith("truecopy.rules."):
            continue
        for name, value in vars(module).items():
            if not name.isupper() or name in NO_THRESHOLDS or name.endswith("_COST"):
                continue
            if isinstance(value, int | float):
                home = module_name.rpartition(".")[2] if name.startswith("_") else "shared"
                found.setdefault(f"{home}.{name}", []).append(module)
    return found


THRESHOLDS = find_thresholds()


@pytest.fixture(scope="module")
def judged(changed_run):
    """All cases as facts, with what their rule must say."""
    return [
        (RULES[path.stem].check, changed_run(case.get("set", {}), case.get("missing", ())), case)
        for path in sorted(CASES.glob("*.toml"))
        for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
    ]


def all_hold(judged):
    for check, facts, case in judged:
        finding = check(facts)
        if (finding is not None) != case["fires"]:
            return False
        if finding is not None and finding.severity != case.get("severity", finding.severity):
            return False
    return True


@pytest.mark.parametrize("factor", [1.35, 1 / 1.35])
@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_a_moved_threshold_is_noticed(judged, monkeypatch, threshold, factor):
    name = threshold.rpartition(".")[2]
    value = getattr(THRESHOLDS[threshold][0], name)
    moved = value * factor if isinstance(value, float) else value + (1 if factor > 1 else -1)
    for module in THRESHOLDS[threshold]:
        monkeypatch.setattr(module, name, moved)

    assert not all_hold(judged)
