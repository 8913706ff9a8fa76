"""What a rule gives: the fault in one sentence, its numbers, and the change that mends it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from truecopy.facts import Record
from truecopy.rules.modelfacts import Where

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fix(Record):
    """What to do, as an imperative sentence and, where it can be applied, as a change.

    `change` has an 'action' and its arguments; `truecopy.audit.change` has the list of actions.
    Empty where only the user can mend it.
    """

    text: str
    change: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sketch(Record):
    """One held-out row and what both programs make of it, small enough for a JSON document.

    Each of `target`, `before` and `after` is a row of `shape` in 256 levels from the lowest to
    the highest value of the target, as base64 of one byte a value; what lies outside is clipped.
    """

    shape: tuple[int, ...]
    target: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ProofFacts(Record):
    """Both programs retrained with the same seed, rows and budget, on a scale-free score.

    `before` and `after` map figures ('skill', 'r2', 'mse') to their values on held-out rows;
    `metric` is the one that decides; `helped` says whether it rose by more than chance.
    `sketches` are a few rows as pictures.
    """

    before: Mapping[str, float]
    after: Mapping[str, float]
    metric: str
    helped: bool
    sentence: str
    sketches: tuple[Sketch, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding(Record):
    """One fault of a model, its data or its training.

    `cost` ranks it: the share of what there is to learn (the mean target's squared error) that
    is
    out of reach while the fault stands, 0 where nothing is. `echoes` are names of rules that
    fired too
    and say the same again.
    """

    code: str
    name: str
    severity: Severity
    message: str
    evidence: Mapping[str, Any]
    fix: Fix
    cost: float = 0.0
    where: Where | None = None
    echoes: tuple[str, ...] = ()
    proof: ProofFacts | None = None
