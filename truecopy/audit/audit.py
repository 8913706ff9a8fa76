"""The audit of a model: what was measured, and what the rules find in it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from truecopy.audit.feeding import sample_given
from truecopy.audit.probe import probe
from truecopy.audit.subject import Subject
from truecopy.data.noise import check_seed
from truecopy.errors import ModelError
from truecopy.reports.result import Result
from truecopy.rules.engine import check_names, run_rules
from truecopy.rules.facts import AuditFacts, TrainingFacts
from truecopy.rules.finding import Finding


class Audit(Result):
    """What is wrong with a model on its data, the root cause first.

    Attributes:
        facts: What was measured.
        findings: What the rules find in it.
        subject: The model and the sampled rows, where they are at hand; None for a program's.
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

    def prove(self, *, seconds: float = 50.0, seed: int = 0) -> "Audit":
        """Return the audit with the proof of each fix: both trained again and compared.

        Args:
            seconds: What all trainings together may take.
            seed: Draws weights and order, the same in both.

        Raises:
            ModelError: The model is not at hand: this is the audit of a program.
        """
        from truecopy.audit.prove import prove_subject

        if self.subject is None:
            message = "A program's fixes are proved while it runs: truecopy audit --prove PROGRAM."
            raise ModelError(message)
        proved = prove_subject(self.subject, self.findings, seconds=seconds, seed=seed)
        return Audit(self._facts, proved, self.subject)

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
    return Audit(facts, findings, subject)


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


def read_history(logged: Any) -> TrainingFacts:
    """Return the training that Keras' logged values tell of."""
    losses = tuple(float(value) for value in logged.get("loss", ()))
    held = tuple(float(value) for value in logged.get("val_loss", ()))
    return TrainingFacts(losses=losses, validation_losses=held, planned_epochs=len(losses))
