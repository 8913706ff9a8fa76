"""Proves a fix: both programs are trained alike, and judged by one scale-free score.

The score is the skill (R² against the mean of the training targets) on held-out rows, in one unit
and against the target that was meant; never a program's own loss, which is what is in question.
"""

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.audit.change import (
    Change,
    Program,
    change_program,
    open_program,
    sort_changes,
)
from truecopy.audit.preserve import unchanged
from truecopy.audit.rebuild import CannotRebuild
from truecopy.audit.rescale import Units
from truecopy.audit.retrain import ROWS, Score, Stopwatch, Trained, score, train
from truecopy.audit.sketch import draw_sketches
from truecopy.audit.subject import Subject
from truecopy.reports.wording import format_number
from truecopy.rules.finding import Finding, ProofFacts

Array = NDArray[Any]
Tell = Callable[[str], None]

SECONDS: Final = 36.0  # so that audit and proof together stay within a minute
_FIRST: Final = 0.35  # of the seconds are for the first training; the original takes as long
_ALONE: Final = 3  # findings whose own change is also tried without the others
# Two trainings of one program with other seeds can differ by about this share of their error.
_WORTH: Final = 0.1
_ERRORS: Final = 2.0  # standard errors of the rows' paired differences
_PATIENCE: Final = 2.0  # seconds
_MANY: Final = 1.5  # fewer epochs are told in steps
_NO_EFFECT: Final = frozenset({"set_metrics", "set_epochs"})  # on what is learned in one budget


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class _Trial:
    """A changed program beside the original one, trained alike; `changes` is what differs."""

    before: Score
    after: Score
    trained: Trained
    changes: int

    @property
    def helped(self) -> bool:
        return _is_better(self.before, self.after)


def prove_subject(
    subject: Subject,
    findings: Sequence[Finding],
    *,
    seconds: float = SECONDS,
    epochs: int | None = None,
    seed: int = 0,
    tell: Tell | None = None,
) -> tuple[Finding, ...]:
    """Return the findings, those whose fix was tried with their proof.

    The original and the program with all changes together are trained first, then those with
    the change of one of the leading findings alone.

    Args:
        subject: The live model and its data.
        findings: What the rules found, the root cause first.
        seconds: What all trainings may take together.
        epochs: How long each trains; None: as the user's, as far as the seconds allow.
        seed: Draws weights that are not known, the split and the order of rows.
        tell: Called with a few words on what is being done, and at the end with why a fix has
            no proof; None: standard error, once it takes more than two seconds.
    """
    tell = tell or Teller()
    proofs, notes = try_fixes(
        subject, findings, seconds=seconds, epochs=epochs, seed=seed, tell=tell
    )
    for note in notes:
        tell(note)
    return tuple(replace(f, proof=proofs.get(f.name, f.proof)) for f in findings)


def try_fixes(
    subject: Subject,
    findings: Sequence[Finding],
    *,
    seconds: float = SECONDS,
    epochs: int | None = None,
    seed: int = 0,
    tell: Tell | None = None,
) -> tuple[dict[str, ProofFacts], tuple[str, ...]]:
    """Return the proofs by the rule's name, and why others have none, in sentences.

    The arguments are those of `prove_subject`.
    """
    changes = {f.name: f.fix.change for f in findings if _trains_differently(f.fix.change)}
    if not changes:
        return {}, ()
    bench = _Bench(subject, seconds=seconds, epochs=epochs, seed=seed, tell=tell or Teller())
    with unchanged(subject.model):
        proofs = _try(bench, changes)
    return proofs, tuple(bench.notes)


def _try(bench: "_Bench", changes: Mapping[str, Change]) -> dict[str, ProofFacts]:
    """Return the proofs by the rule's name."""
    together = bench.attempt(list(changes.values()), "all changes together")
    proofs: dict[str, ProofFacts] = {}
    for place, (name, change) in enumerate(changes.items()):
        alone = together if len(changes) == 1 else None
        if alone is None and place < _ALONE:
            alone = bench.attempt([change], name)
        proof = _sum_up(alone, together, leads=place == 0)
        if proof is not None:
            # One picture is enough: it would be the same, or nearly.
            proofs[name] = replace(proof, sketches=()) if proofs else proof
    return proofs


class _Bench:
    """Trains changed programs beside the original one, which is trained once."""

    def __init__(
        self, subject: Subject, *, seconds: float, epochs: int | None, seed: int, tell: Tell
    ) -> None:
        self.notes: list[str] = []
        self._subject = _take_rows(subject, seed)
        self._seconds, self._watch = seconds, Stopwatch()
        self._seed, self._tell = seed, tell
        self._epochs = epochs
        self._steps: int | None = None
        self._longest = 0.0
        self._before: Trained | None = None
        self._tried: dict[str, _Trial | None] = {}

    def attempt(self, changes: list[Change], words: str) -> _Trial | None:
        """Train the program with these changes and the original; None where that can't be."""
        parts = sort_changes(changes)
        key = repr(parts)
        if key in self._tried:
            return self._tried[key]
        self._tried[key] = None
        try:
            self._tried[key] = self._compare(parts, words)
        except CannotRebuild as error:
            self.notes.append(f"Not proved ({words}): {error}.")
        except Exception as error:  # noqa: BLE001  (the user's model may do anything when trained)
            self.notes.append(f"Not proved ({words}): {type(error).__name__}: {error}.")
        return self._tried[key]

    def _compare(self, parts: list[Change], words: str) -> _Trial:
        before = open_program(self._subject, seed=self._seed)
        after = change_program(before, parts, self._subject, seed=self._seed)
        trained = self._train(after, f"with {words}")
        if self._before is None:
            self._before = self._train_original(before, trained)
        # Both are judged by the target that the changed program is meant to give.
        return _Trial(
            before=score(self._before, after.units, after),
            after=score(trained, Units(), after),
            trained=trained,
            changes=len(parts),
        )

    def _train_original(self, program: Program, changed: Trained) -> Trained:
        try:
            return self._train(program, "as it is")
        except Exception as error:  # noqa: BLE001  (PyTorch refuses targets that others take)
            told = str(error).partition("\n")[0]
            self.notes.append(f"As it is the program can't be trained: {told}")
            return replace(changed, copies=np.full_like(changed.copies, np.nan))

    def _train(self, program: Program, words: str) -> Trained:
        left = self._seconds - self._watch.elapsed()
        if self._before is not None and left < self._longest:
            raise CannotRebuild("the time was used up")
        self._tell(f"training {words}")
        program = program if self._epochs is None else replace(program, epochs=self._epochs)
        # The first training says how many steps there is time for; the others get as many.
        seconds = math.inf if self._steps or self._epochs else _FIRST * left
        trained = train(program, seconds=seconds, steps=self._steps, seed=self._seed)
        self._longest = max(self._longest, trained.seconds)
        self._steps = trained.steps
        return trained


def _take_rows(subject: Subject, seed: int) -> Subject:
    """Return the subject with at most `ROWS` rows, drawn alike from all its arrays."""
    if subject.inputs is None or subject.targets is None or len(subject.inputs) <= ROWS:
        return subject
    total = len(subject.inputs)
    drawn = np.sort(np.random.default_rng(seed).choice(total, ROWS, replace=False))
    inputs = subject.inputs[drawn]
    same = subject.targets is subject.inputs
    targets = inputs if same else subject.targets[drawn]
    spare = {name: rows[drawn] for name, rows in subject.spare.items() if len(rows) == total}
    return replace(subject, inputs=inputs, targets=targets, spare=spare)


def _trains_differently(change: Change) -> bool:
    parts = sort_changes([change])
    return any(part["action"] not in _NO_EFFECT for part in parts)


def _sum_up(alone: _Trial | None, together: _Trial | None, *, leads: bool) -> ProofFacts | None:
    """Choose what proves a finding: its own change, or all together where that is needed."""
    if together is alone or together is None:
        return None if alone is None else _to_proof(alone, _word(alone))
    everything = f"{_word(together)}, all {together.changes} changes together"
    if alone is None:
        return _to_proof(together, everything) if leads else None
    own = f"{_write(alone.before.skill)} -> {_write(alone.after.skill)}"
    if not alone.helped and together.helped:
        return _to_proof(together, f"{everything}; this one alone does not help: {own}")
    if leads and _is_better(alone.after, together.after):
        return _to_proof(together, f"{everything}; this one alone: {own}")
    return _to_proof(alone, _word(alone))


def _word(trial: _Trial) -> str:
    """Say in words what a trial showed."""
    trained = trial.trained
    length = f"{trained.steps:,} step{'' if trained.steps == 1 else 's'}"
    if trained.epochs > _MANY:
        length = f"{trained.epochs:.0f} epochs"
    budget = f"after {length} on {trained.kept.size:,} rows, judged on {trained.held.size:,} others"
    told = f"skill {_write(trial.before.skill)} -> {_write(trial.after.skill)} {budget}"
    return told if trial.helped else f"{told}: it does not help here"


def _write(skill: float) -> str:
    if not math.isfinite(skill):
        return "diverged"
    return format_number(skill, 2) if abs(skill) < 100 else format_number(skill)  # noqa: PLR2004


def _to_proof(trial: _Trial, sentence: str) -> ProofFacts:
    return ProofFacts(
        before=trial.before.figures,
        after=trial.after.figures,
        metric="skill",
        helped=trial.helped,
        sentence=sentence,
        sketches=draw_sketches(trial.after.meant, trial.before.copies, trial.after.copies),
    )


def _is_better(before: Score, after: Score) -> bool:
    """Whether the error fell by more than chance: over seeds, and over the held-out rows."""
    if not math.isfinite(after.skill):
        return False
    if not math.isfinite(before.skill):
        return after.skill > 0
    fell = before.errors - after.errors
    error = fell.std() / math.sqrt(max(1, fell.size))
    return bool(fell.mean() > max(_WORTH * before.errors.mean(), _ERRORS * error))


class Teller:
    """Says on standard error what is being done, once that takes long enough to wonder."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __call__(self, words: str) -> None:
        """Say it, unless the whole may be over before it is read."""
        if time.monotonic() - self._started > _PATIENCE:
            sys.stderr.write(f"truecopy: proving the fixes: {words}\n")
            sys.stderr.flush()
