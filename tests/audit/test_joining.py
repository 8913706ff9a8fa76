"""A program that fits a model more than once is judged by the last fit."""

import pytest

from truecopy.audit import script
from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Finding, Fix
from truecopy.rules.modelfacts import ModelFacts


def facts_of(name, note):
    model = ModelFacts(name=name, kind="Model", parameters=1, input_shape=(4,), output_shape=(4,))
    return AuditFacts(target="train.py", model=model, notes=(note,))


def finding_of(code, severity):
    fix = Fix(text="Mend it.")
    return Finding(
        code=code, name=code, severity=severity, message=code, evidence={}, fix=fix, cost=0.5
    )


@pytest.fixture
def joined(monkeypatch):
    """Return what is joined of fits given as (model, findings)."""

    def join(*fits):
        audited = [facts_of(name, str(number)) for number, (name, _) in enumerate(fits)]
        found = {id(facts): each for facts, (_, each) in zip(audited, fits, strict=True)}
        monkeypatch.setattr(script, "run_rules", lambda facts, **_: found[id(facts)])
        monkeypatch.setattr(script, "silence", lambda findings, *_: findings)
        return [f.code for f in script._join(audited, [], (), select=(), ignore=()).findings]  # noqa: SLF001

    return join


def test_warnings_of_an_earlier_fit_of_the_same_model_are_left_out(joined):
    noise, worse = finding_of("TC106", "warning"), finding_of("TC702", "warning")

    assert joined(("ae", (noise,)), ("ae", (worse,))) == ["TC702"]
    assert joined(("ae", (noise,)), ("other", (worse,))) == ["TC106", "TC702"]


def test_errors_of_an_earlier_fit_stay(joined):
    assert joined(("ae", (finding_of("TC203", "error"),)), ("ae", ())) == ["TC203"]
