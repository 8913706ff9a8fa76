"""No rule raises, whatever is missing, not finite or absurd in the facts."""

import dataclasses
import json
import math
import tomllib
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from truecopy.rules.engine import all_rules, run_rules
from truecopy.rules.facts import AuditFacts

CASES = Path(__file__).parent / "cases"
WORDS = st.sampled_from(
    [
        *("", "relu", "sigmoid", "softmax", "tanh", "linear", "custom", "adam", "adadelta", "sgd"),
        *("mean_squared_error", "binary_crossentropy", "categorical_crossentropy", "none", "mine"),
        *("autoencoder", "several-inputs", "classifier", "latent", "output", "encoder", "neither"),
        *("target", "input", "noisy-copy", "cleaner-copy", "Dropout", "Dense", "std", "Rescaling"),
    ]
)
FLOATS = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 0.5, 255.0, 1e-30, 1e30, math.nan, math.inf, -math.inf]),
    st.floats(-10, 10),
)
PLAIN = {
    float: FLOATS,
    int: st.integers(-1, 1000),
    bool: st.booleans(),
    str: WORDS,
}


def values_of(hint, *, optional=True):
    """Draw any value that an annotation allows."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        kinds = [values_of(kind) for kind in inner if kind is not type(None)]
        return st.one_of(st.none(), *kinds) if optional else st.one_of(*kinds)
    if origin is tuple and inner[-1] is Ellipsis:
        return st.lists(values_of(inner[0]), max_size=6).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values_of, inner))
    if origin is Mapping:
        return st.dictionaries(WORDS, values_of(inner[1]), max_size=2)
    if dataclasses.is_dataclass(hint):
        return records_of(hint)
    return PLAIN[hint]


def records_of(kind):
    hints = get_type_hints(kind)
    return st.builds(
        kind, **{field.name: values_of(hints[field.name]) for field in dataclasses.fields(kind)}
    )


def paths_of(record, prefix=()):
    """Return the path of every field that holds a number or may be None."""
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        path = (*prefix, field.name)
        if dataclasses.is_dataclass(value):
            yield from paths_of(value, path)
        hint = get_type_hints(type(record))[field.name]
        if hint is float or type(None) in get_args(hint):
            yield path, hint


def put(record, path, value):
    head, *rest = path
    inner = put(getattr(record, head), rest, value) if rest else value
    return dataclasses.replace(record, **{head: inner})


@settings(max_examples=60, deadline=None, suppress_health_check=[*HealthCheck], derandomize=True)
@given(records_of(AuditFacts))
def test_rules_judge_any_facts_without_raising(facts):
    found = run_rules(facts)

    json.dumps([f.to_dict() for f in found], allow_nan=False)
    assert all(0 <= f.cost < math.inf for f in found)
    assert "nan" not in " ".join(f.message for f in found).split()


def test_a_healthy_run_with_anything_missing_raises_nothing_and_blames_nobody(changed_run):
    healthy = changed_run({})

    for path, hint in paths_of(healthy):
        for value in (None, math.nan) if hint is not float else (math.nan, math.inf):
            if value is not None and float not in (hint, *get_args(hint)):
                continue
            found = run_rules(put(healthy, path, value))

            assert [f for f in found if f.severity == "error"] == [], (path, value)


@pytest.mark.parametrize("path", sorted(CASES.glob("*.toml")), ids=lambda path: path.stem)
def test_a_rule_that_fires_does_not_raise_when_any_one_number_is_missing(path, changed_run):
    check = all_rules()[path.stem].check
    cases = tomllib.loads(path.read_text(encoding="utf-8"))["case"]

    for case in (case for case in cases if case["fires"]):
        facts = changed_run(case["set"], case.get("missing", ()))
        for place, hint in paths_of(facts):
            for value in (math.nan,) if hint is float else (None,):
                found = check(put(facts, place, value))

                assert found is None or " nan" not in found.message, (place, found)
                assert found is None or "None" not in found.message, (place, found)


def test_a_model_alone_is_judged_by_its_structure(changed_run):
    missing = ("data", "contract", "behaviour", "training", "variational", "model.compiled")

    assert run_rules(changed_run({}, missing)) == ()
    found = run_rules(changed_run({"model.nonlinear": False}, missing))
    assert [f.name for f in found] == ["linear-network"]


def test_rules_are_pure_functions_of_the_facts(changed_run):
    facts = changed_run({"behaviour.mse": 0.0673, "behaviour.spread": 0.01})

    assert run_rules(facts) == run_rules(facts)
    assert len(all_rules()) == len({r.code for r in all_rules().values()})
