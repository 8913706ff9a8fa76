"""Every rule fires and stays silent where its cases say so; one healthy run fires nothing."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from truecopy.explain import SECTIONS
from truecopy.rules.engine import all_rules, run_rules

CASES = Path(__file__).parent / "cases"
RULES = all_rules()
# What `truecopy.audit.change` can apply.
ACTIONS = {
    *("all", "set_output_activation", "set_loss", "set_from_logits", "scale_data"),
    *("set_learning_rate", "set_optimizer", "set_metrics", "set_activation", "set_momentum"),
    *("set_targets", "set_inputs", "scale_penalty", "remove_dropout", "set_latent"),
    *("set_output_channels", "scale_kl", "set_epochs", "draw_weights", "average_penalty"),
}


def read_cases():
    for path in sorted(CASES.glob("*.toml")):
        for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]:
            yield pytest.param(path.stem, case, id=f"{path.stem}: {case['why']}")


ALL_CASES = list(read_cases())


@pytest.fixture
def facts_of(changed_run):
    return lambda case: changed_run(case.get("set", {}), case.get("missing", ()))


def test_the_healthy_run_fires_nothing(changed_run):
    assert run_rules(changed_run({})) == ()


@pytest.mark.parametrize(("name", "case"), ALL_CASES)
def test_a_rule_says_what_its_case_says(name, case, facts_of):
    finding = RULES[name].check(facts_of(case))

    assert (finding is not None) == case["fires"]
    if finding is not None:
        assert finding.severity == case.get("severity", finding.severity)
        assert case.get("says", "") in finding.message
        assert finding.fix.change.get("action") == case.get(
            "action", finding.fix.change.get("action")
        )


@pytest.mark.parametrize("name", RULES)
def test_every_rule_has_cases_on_both_sides(name):
    sides = {case.values[1]["fires"] for case in ALL_CASES if case.values[0] == name}

    assert sides == {True, False}


def test_there_are_no_cases_without_a_rule():
    assert {path.stem for path in CASES.glob("*.toml")} == set(RULES)


@pytest.mark.parametrize(("name", "case"), [c for c in ALL_CASES if c.values[1]["fires"]])
def test_a_finding_has_numbers_a_fix_and_plain_evidence(name, case, facts_of):
    finding = RULES[name].check(facts_of(case))

    assert re.search(r"\d", finding.message), finding.message
    assert finding.message.endswith(".")
    assert "None" not in finding.message
    assert "nan" not in finding.message
    assert finding.fix.text.endswith((".", ")"))
    assert json.loads(finding.to_json())["evidence"]
    changes = [finding.fix.change, *finding.fix.change.get("changes", ())]
    assert {change["action"] for change in changes if change} <= ACTIONS
    assert finding.severity != "note" or finding.cost == 0


@pytest.mark.parametrize("name", RULES)
def test_a_page_has_its_sections_and_a_short_first_line(name):
    page = RULES[name].check.__doc__
    first = page.splitlines()[0]

    assert len(first) < 80
    places = [page.find(f"\n    {section}\n") for section in SECTIONS]
    assert -1 not in places
    assert places == sorted(places)
