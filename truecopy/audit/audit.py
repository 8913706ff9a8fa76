"""The audit of a model: what was measured, and what the rules find in it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from truecopy.audit.feeding import sample_given
from truecopy.audit.probe import probe
from truecopy.audit.prove import SECONDS, try_fixes
from truecopy.audit.retrain import ROWS
from truecopy.audit.subject import Subject
from truecopy.data.noise import check_seed
from truecopy.errors import ModelError
from truecopy.facts import ReportSection
from truecopy.reports.result import Result
from truecopy.rules.engine import check_names, run_rules
from truecopy.rules.facts import AuditFacts, TrainingFacts
from truecopy.rules.finding import Finding


class Audit(Result):
    """What is wrong with a model on its data, the root cause first.

    Attributes:
        facts: What was measured.
        findings: What the rules find in it.
        subject: The model and the rows that a proof may train on, where they are at hand; None
            for a program's.
    """

    def __init__(
        self, facts: AuditFacts, findings: tuple[Finding, ...], subject: Subject | None = None
    ) -> None:
        self._facts = facts
        self.findings = findings
        self.subject = subject

    @property
    def facts(self) -> AuditFacts:
        """What was measured."""
        return self._facts

    def to_dict(self) -> dict[str, Any]:
        """Return target, findings and facts as plain dicts, lists, numbers and strings."""
        return {
            "target": self._facts.target,
            "findings": [finding.to_dict() for finding in self.findings],
            "facts": self._facts.to_dict(),
        }

    def prove(
        self, *, seconds: float = SECONDS, epochs: int | None = None, seed: int = 0
    ) -> "Audit":
        """Return the audit with the proof of each fix: both trained again and compared.

        Args:
            seconds: What all trainings together may take.
            epochs: How long each of them is; None: as the user's, as far as the seconds allow.
            seed: Draws weights and order, the same in both.

        Raises:
            ModelError: The model is not at hand: this is the audit of a program.
        """
        if self.subject is None:
            message = "A program's fixes are proved while it runs: truecopy audit --prove PROGRAM."
            raise ModelError(message)
        proofs, notes = try_fixes(
            self.subject, self.findings, seconds=seconds, epochs=epochs, seed=seed
        )
        proved = tuple(replace(f, proof=proofs.get(f.name)) for f in self.findings)
        facts = replace(self._facts, notes=(*self._facts.notes, *notes))
        return Audit(facts, proved, self.subject)

    def diff(self) -> str:
        """Return the fixes as a unified diff of the program, where its lines are known."""
        from truecopy.audit.edit import diff

        return diff(self)

    def _sections(self) -> tuple[ReportSection, ...]:
        from truecopy.reports.audit_page import make_section

        return (make_section(self.to_dict()),)

    def _render(self) -> Any:
        from truecopy.reports.findings import render_audit

        return render_audit(self.to_dict())


def audit(
    model: Any,
    x: Any = None,
    y: Any = None,
    *,
    validation_data: Any = None,
    history: Any = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    seed: int = 0,
) -> Audit:
    """Say what is wrong with a Keras model on its data, with evidence and a fix.

    Everything of the model's is as before afterwards: weights, optimiser, seeds.

    Args:
        model: A Keras model, compiled as it is trained; or a fitted `Autoencoder`.
        x: What is given to `fit`: arrays, tensors, frames, a generator, `PyDataset`, `tf.data` or
            a PyTorch loader. At most 1,024 rows are looked at. None: only the structure is.
        y: The targets. None: the rows themselves, or what comes with them from `x`.
        validation_data: What is given to `fit` under this name.
        history: What `fit` returned, or its `history`.
        select: Codes, names or beginnings of codes of the rules to run; empty: all.
        ignore: Those to leave out.
        seed: Draws what the audit draws.

    Returns:
        The audit; print it, or read `audit.findings`.

    Raises:
        ModelError: `model` is no Keras model.
        UnknownName: `select` or `ignore` names no rule.
    """
    check_seed(seed, "audit")
    for argument, names in (("select", select), ("ignore", ignore)):
        check_names(argument, "audit", tuple(names))
    subject = _make_subject(model, x, y, validation_data, history, seed)
    facts = probe(subject)
    findings = run_rules(facts, select=tuple(select), ignore=tuple(ignore))
    return Audit(facts, findings, _widen(subject, x, y))


def _make_subject(model: Any, x: Any, y: Any, held: Any, history: Any, seed: int) -> Subject:
    if hasattr(model, "plan_") and hasattr(model, "model_"):
        scaling = model.plan_.scaling
        x = None if x is None else scaling.apply(model.open(x).array())
        y = None if y is None else scaling.apply(model.open(y).array())
        model = model.model_
    if not hasattr(model, "train_on_batch"):
        message = (
            "The 'model' argument of audit must be a Keras model or a fitted Autoencoder. "
            f"Got {type(model).__name__}."
        )
        raise ModelError(message)
    logged = getattr(history, "history", history)
    subject = Subject(
        model=model,
        target=model.name,
        history=logged,
        training=None if not logged else read_history(logged),
        seed=seed,
    )
    if x is None:
        return subject
    sample = sample_given(x, y)
    subject = replace(
        subject,
        inputs=sample.inputs,
        targets=sample.inputs if sample.targets is None else sample.targets,
        whole=sample.whole,
        rows=sample.rows or 0,
        sampled=sample.sampled,
        notes=sample.notes,
    )
    if held is None:
        return subject
    parts = held if isinstance(held, tuple | list) else (held,)
    checked = sample_given(*parts[:2])
    if checked.inputs is None:
        return subject
    targets = checked.inputs if checked.targets is None else checked.targets
    return replace(subject, validation=(checked.inputs, targets))


def _widen(subject: Subject, x: Any, y: Any) -> Subject:
    """Return the subject with as many rows as a proof trains on."""
    rows = subject.inputs
    if rows is None or subject.rows <= len(rows) or not hasattr(x, "shape"):
        return subject
    wide = sample_given(x, y, most=ROWS)
    targets = wide.inputs if wide.targets is None else wide.targets
    return replace(subject, inputs=wide.inputs, targets=targets)


def read_history(logged: Any) -> TrainingFacts:
    """Return the training that Keras' logged values tell of."""
    losses = tuple(float(value) for value in logged.get("loss", ()))
    held = tuple(float(value) for value in logged.get("val_loss", ()))
    return TrainingFacts(losses=losses, validation_losses=held, planned_epochs=len(losses))
