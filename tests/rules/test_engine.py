"""The engine puts the cause first, folds its symptoms under it, and knows the rules' names."""

import json

import pytest

from truecopy.errors import UnknownName
from truecopy.rules.engine import all_rules, fold_echoes, run_rules
from truecopy.rules.finding import Finding, Fix
from truecopy.rules.rule import RULES, Rule

# The second question's program: raw bytes, softmax, binary cross-entropy, trained.
AS_POSTED = {
    "data.both.maximum": 255.0,
    "data.both.mean": 33.4,
    "data.both.spread": 78.5,
    "data.both.dtype": "uint8",
    "data.validations.maximum": 255.0,
    "data.validations.mean": 33.1,
    "data.validations.spread": 78.2,
    "model.first_input": [0.0, 255.0],
    "data.target_sums": [5000.0, 25000.0, 60000.0],
    "model.output_activation": "softmax",
    "model.softmax_axis": -1,
    "model.compiled.loss": "binary_crossentropy",
    "contract.outside": 0.19,
    "contract.above_one": 0.19,
    "contract.unavoidable": 7300.0,
    "contract.unavoidable_share": 1.66,
    "contract.perfect": -4000.0,
    "contract.mean": -3000.0,
    "contract.better": -9000.0,
    "contract.unbounded": True,
    "behaviour.mse": 7300.0,
    "behaviour.mse_training": 7300.0,
    "behaviour.mse_mean": 4400.0,
    "behaviour.mse_blank": 7300.0,
    "behaviour.mse_pca": 1200.0,
    "behaviour.spread": 0.0001,
    "behaviour.one_batch": [-3000.0, -3000.0],
    "behaviour.one_batch_floor": -4000.0,
    "behaviour.one_batch_mean": -3000.0,
    "training.losses": [-3000.0, -3000.0, -3000.0],
    "training.validation_losses": [],
}


@pytest.fixture
def rules_of(monkeypatch):
    """A function that replaces all rules by some that only explain each other."""

    def install(explains):
        all_rules()
        made = {
            name: Rule(code=f"TC{k}", name=name, explains=symptoms, check=lambda _: None)
            for k, (name, symptoms) in enumerate(explains.items())
        }
        monkeypatch.setattr("truecopy.rules.engine.RULES", made)

    return install


def finding(name, severity="error", cost=0.5, code="TC000"):
    return Finding(
        code=code,
        name=name,
        severity=severity,
        message="A 1.",
        evidence={},
        fix=Fix(text="Do."),
        cost=cost,
    )


def test_the_second_question_has_three_findings_the_root_cause_first(changed_run):
    found = run_rules(changed_run(AS_POSTED))

    assert [f.name for f in found if f.severity != "note"] == [
        "softmax-reconstruction",
        "bce-target-outside-unit-interval",
        "unscaled-input",
    ]
    assert {"collapsed-to-mean", "worse-than-trivial"} <= set(found[0].echoes)


def test_the_first_question_has_nothing_at_error_level(changed_run):
    metric = {
        "asked": "accuracy",
        "resolves_to": "BinaryAccuracy",
        "counts": True,
        "blank": 0.8088,
        "perfect": 0.8155,
    }

    found = run_rules(
        changed_run(
            {
                "model.compiled.metrics": [metric],
                "model.compiled.loss": "binary_crossentropy",
                "contract.perfect": 0.073,
                "contract.mean": 0.26,
            }
        )
    )

    assert [(f.name, f.severity) for f in found] == [
        ("accuracy-on-reconstruction", "warning"),
        ("loss-floor-not-zero", "note"),
    ]
    assert (found[0].evidence["blank"], found[0].evidence["perfect"]) == (0.8088, 0.8155)


def test_a_symptom_of_a_symptom_is_folded_under_the_cause(rules_of):
    rules_of({"cause": ("middle",), "middle": ("end",), "end": ()})

    folded = fold_echoes([finding("end"), finding("middle"), finding("cause")])

    assert [(f.name, f.echoes) for f in folded] == [("cause", ("end", "middle"))]


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "b", "a"), ("b", "a", "c")])
def test_of_findings_that_explain_each_other_the_costliest_is_the_cause(rules_of, order):
    rules_of({"a": ("b",), "b": ("c",), "c": ("a",)})
    costs = {"a": 0.2, "b": 0.9, "c": 0.1}

    folded = fold_echoes([finding(name, cost=costs[name]) for name in order])

    assert [(f.name, f.echoes) for f in folded] == [("b", ("a", "c"))]


def test_two_causes_of_one_symptom_both_name_it(rules_of):
    rules_of({"one": ("end",), "two": ("end",), "end": ()})

    folded = fold_echoes([finding("end"), finding("one"), finding("two")])

    assert {f.name: f.echoes for f in folded} == {"one": ("end",), "two": ("end",)}


def test_a_cause_is_as_severe_and_costly_as_the_worst_it_explains(rules_of):
    rules_of({"cause": ("end",), "end": ()})

    (folded,) = fold_echoes([finding("cause", "warning", 0.1), finding("end", "error", 0.4)])

    assert (folded.severity, folded.cost) == ("error", 0.4)


def test_a_note_explains_no_fault(rules_of):
    rules_of({"cause": ("end", "hint"), "end": (), "hint": ()})

    folded = fold_echoes([finding("cause", "note"), finding("end"), finding("hint", "note")])

    assert [(f.name, f.echoes) for f in folded] == [("end", ()), ("cause", ("hint",))]


def test_notes_come_last_and_costs_decide_before_severity_and_code(rules_of):
    rules_of(dict.fromkeys(("note", "cheap", "dear", "warned"), ()))

    folded = fold_echoes(
        [
            finding("note", "note", 9.0),
            finding("cheap", cost=0.1),
            finding("warned", "warning", 0.7),
            finding("dear", cost=0.7),
        ]
    )

    assert [f.name for f in folded] == ["dear", "warned", "cheap", "note"]


def test_ignoring_a_cause_does_not_bring_its_symptoms_up(changed_run):
    found = run_rules(changed_run(AS_POSTED), ignore=("TC201", "TC1"))

    assert "unscaled-input" not in {f.name for f in found}
    assert "collapsed-to-mean" not in {f.name for f in found}


def test_selecting_a_symptom_shows_it(changed_run):
    found = run_rules(changed_run(AS_POSTED), select=("collapsed-to-mean",))

    assert [f.name for f in found] == ["collapsed-to-mean"]


@pytest.mark.parametrize("word", ["TC2", "TC201", "softmax-reconstruction"])
def test_rules_are_selected_by_code_name_or_the_beginning_of_a_code(changed_run, word):
    found = run_rules(changed_run(AS_POSTED), select=(word,))

    assert found[0].name == "softmax-reconstruction"
    assert all(f.code.startswith("TC2") for f in found)


@pytest.mark.parametrize(
    ("argument", "asked", "nearest"),
    [
        ("select", "softmax-reconstruktion", "softmax-reconstruction"),
        ("ignore", "TC999", "TC"),
        ("select", "", None),
    ],
)
def test_an_unknown_rule_is_refused_with_the_nearest_name(changed_run, argument, asked, nearest):
    with pytest.raises(UnknownName) as raised:
        run_rules(changed_run({}), **{argument: (asked,)})

    assert f"The '{argument}' argument of audit must be one of TC101, unscaled-input" in str(
        raised.value
    )
    assert nearest is None or f"Did you mean '{nearest}" in str(raised.value)


def test_codes_and_names_are_unique_and_in_order():
    rules = list(all_rules().values())

    codes = [r.code for r in rules]
    assert codes == sorted(set(codes))
    assert all(RULES[r.name] is r for r in rules)


def test_every_explained_name_is_a_rule_and_none_explains_itself():
    for r in all_rules().values():
        assert set(r.explains) <= set(RULES)
        assert r.name not in r.explains


def test_the_three_findings_of_the_second_question_never_fold_each_other():
    three = {"softmax-reconstruction", "bce-target-outside-unit-interval", "unscaled-input"}

    for name in three:
        assert not three & set(RULES[name].explains)


def test_findings_have_a_json_form_in_the_order_found(changed_run):
    found = run_rules(changed_run(AS_POSTED))

    plain = json.loads(json.dumps([f.to_dict() for f in found], allow_nan=False))

    assert [item["code"] for item in plain] == [f.code for f in found]
    assert set(plain[0]) >= {"code", "name", "severity", "message", "evidence", "fix", "where"}
