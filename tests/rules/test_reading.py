"""Facts survive JSON: whatever a record holds, reading what it wrote gives it back."""

import json
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truecopy.errors import InvalidArgument
from truecopy.rules.facts import AuditFacts, TrainingFacts
from truecopy.rules.finding import Finding
from truecopy.rules.modelfacts import CompileFacts, ModelFacts, Where
from truecopy.rules.reading import read_facts, read_finding, read_record

TEXT = st.text(max_size=4)
PLAIN = {
    int: st.integers(-9, 9),
    float: st.floats(allow_nan=False, allow_infinity=False, width=32),
    bool: st.booleans(),
    str: TEXT,
    typing.Any: st.none() | TEXT | st.integers(-9, 9),
}


def values(hint):  # noqa: PLR0911 (a line for each kind of annotation)
    """Draw what a field annotated with `hint` may hold, written without the reader's code."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint in PLAIN:
        return PLAIN[hint]
    if hint is type(None):
        return st.none()
    if is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return st.builds(hint, **{f.name: values(hints[f.name]) for f in fields(hint)})
    if origin in {typing.Union, types.UnionType}:
        return st.one_of(*map(values, inner))
    if origin is typing.Literal:
        return st.sampled_from(inner)
    if origin is Mapping:
        return st.dictionaries(TEXT, values(inner[1]), max_size=2)
    if inner[-1] is Ellipsis:
        return st.lists(values(inner[0]), max_size=2).map(tuple)
    return st.tuples(*map(values, inner))


@settings(max_examples=25, deadline=None)
@given(values(AuditFacts))
def test_facts_survive_json(facts):
    assert read_facts(json.loads(facts.to_json())) == facts


@settings(max_examples=25, deadline=None)
@given(values(Finding))
def test_findings_survive_json(finding):
    assert read_finding(json.loads(finding.to_json())) == finding


def test_a_loss_that_was_not_finite_is_not_finite_again():
    facts = TrainingFacts(losses=(0.5, math.inf), diverged_at=7)

    back = read_record(TrainingFacts, json.loads(facts.to_json()))

    assert back.losses[0] == pytest.approx(0.5)
    assert math.isnan(back.losses[1])
    assert (back.diverged_at, back.batch_size) == (7, None)


def test_what_was_not_measured_stays_none():
    facts = CompileFacts(loss="mse", where=None, learning_rate=None)

    assert read_record(CompileFacts, facts.to_dict()) == facts


@pytest.mark.parametrize(
    ("kind", "plain", "message"),
    [
        (Where, {"file": "a.py", "line": "x"}, "'plain' argument of Where.line must be a value of"),
        (Where, {"file": "a.py", "lines": 1}, r"Got 'lines'\. Did you mean 'line'\?"),
        (Where, {"file": "a.py"}, "missing 1 required keyword-only argument: 'line'"),
        (Where, [1], r"argument of Where must be a mapping\. Got \[1\]"),
        (CompileFacts, {"loss": "mse", "steps": True}, "CompileFacts.steps must be a value of"),
        (CompileFacts, {"loss": "mse", "learning_rate": "x"}, "learning_rate must be a number"),
        (TrainingFacts, {"losses": 3}, "TrainingFacts.losses must be a list"),
        (ModelFacts, {"output_bounds": [1]}, "ModelFacts.output_bounds must be 2 values"),
    ],
)
def test_what_is_not_a_record_is_refused(kind, plain, message):
    with pytest.raises(InvalidArgument, match=message):
        read_record(kind, plain)
