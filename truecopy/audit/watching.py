"""Audits each fit of a program that uses Keras; lives in the process of the program."""

import functools
import json
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from truecopy.audit.constants import read_numbers
from truecopy.audit.ending import Ender, TimeIsOver
from truecopy.audit.feeding import MOST_ROWS, Sample, sample_given, to_array
from truecopy.audit.lines import user_frames, user_where
from truecopy.audit.marking import Marks
from truecopy.audit.own_loops import OwnLoops
from truecopy.audit.recorded_losses import read_loss
from truecopy.audit.recording import Recorder, copy_weights
from truecopy.audit.retrain import ROWS
from truecopy.audit.session import FitCall, Session
from truecopy.audit.silence import silence
from truecopy.audit.spare import find_beside, find_sources, find_spare
from truecopy.audit.subject import Array
from truecopy.facts import Record
from truecopy.rules.engine import rank, run_rules
from truecopy.rules.modelfacts import Where

# A program that trains this many models shows its faults in the first ones.
_MOST_SESSIONS: Final = 8
# Once something was audited, a program that does not train for so long is ended: [s].
_PATIENCE: Final = 60.0


class Watcher:
    """Audits what the program fits.

    Args:
        target: What reports call the program.
        root: The folder that its files are named from.
        folder: Where audits are written, one JSON file per training.
        budget: Seconds of training to watch, over all fits.
        ender: Ends the program from another thread.
        prove: The rules ('select', 'ignore') whose fixes are tried at the end; None: none.
    """

    def __init__(
        self,
        *,
        target: str,
        root: Path,
        folder: Path,
        budget: float,
        ender: Ender,
        prove: dict[str, Any] | None = None,
    ) -> None:
        self.target, self.root, self.folder = target, root, folder
        self.marks = Marks(root)
        self.sessions: list[Session] = []
        self.failures: list[str] = []
        self._left = budget
        self._ender = ender
        self._loops = OwnLoops(self.marks, ender, budget)
        self._prove = prove

    def install(self) -> None:
        """Wrap Keras' methods."""
        self.marks.install()
        self.marks.wrap("fit", self._on_fit)
        self.marks.wrap("train_on_batch", self._on_train_on_batch)
        self._loops.install()

    def _on_fit(self, fit: Callable[..., Any], model: Any, args: Any, named: Any) -> Any:
        call = FitCall.read(fit, model, args, named)
        if call is None:
            return fit(model, *args, **named)
        with self.marks.busy():
            session, replacement = self._session_of(call, model)
            rows = session.sample.rows if hasattr(call["x"], "shape") else None
            recorder = Recorder(
                session.losses,
                deadline=time.monotonic() + self._left,
                rows=rows,
                batch_size=session.batch_size,
            )
            bound = call.with_recorder(recorder, replacement)
            with self._training(session):
                self._ender.in_fit = True
                try:
                    result = fit(*bound.args, **bound.kwargs)
                except TimeIsOver:
                    session.complete = False
                    result = model.history
                finally:
                    self._ender.in_fit = False
                    session.initial_weights = session.initial_weights or recorder.initial_weights
                    session.numbers = session.numbers or recorder.numbers
        self._after(session)
        return result

    def _session_of(self, call: FitCall, model: Any) -> tuple[Session, Any]:
        """Return the session that this call belongs to, and what to feed in place of a stream."""
        where = user_where(self.root)
        state = self.marks.compiled(model)
        if self.sessions and self.sessions[-1].is_same(model, where, state):
            call.note(self.sessions[-1])
            return self.sessions[-1], None
        session = call.open(
            functools.partial(self._new_session, model=model, where=where),
            user_frames(),
            self.root,
        )
        if self._prove is not None and session.sample.places is not None:
            wide = sample_given(call["x"], call["y"], share=call.share, most=ROWS)
            session.wide = wide
            session.wide_spare = find_spare(user_frames(), call.given, call["x"], wide)
        self.sessions.append(session)
        return session, session.sample.replacement

    def _new_session(self, *, sample: Sample, model: Any, where: Where | None) -> Session:
        session = Session(
            model=model,
            number=len(self.sessions),
            where=where,
            state=self.marks.compiled(model),
            sample=sample,
        )
        if where is not None:
            session.wheres["fit"] = where
        return session

    def _on_train_on_batch(
        self, train: Callable[..., Any], model: Any, args: Any, named: Any
    ) -> Any:
        call = FitCall.read(train, model, args, named)
        if call is None:
            return train(model, *args, **named)
        with self.marks.busy():
            session = self._batches_of(model, call)
            with self._training(session):
                result = train(model, *args, **named)
        loss = read_loss(result)
        if loss is not None:
            session.losses.steps.add(session.losses.steps.count, loss)
        if self._left <= 0:
            session.complete = False
            self._ender.finish("budget")
        return result

    def _batches_of(self, model: Any, call: FitCall) -> Session:
        """Return the session of a loop of the user's over batches, with this batch's rows."""
        state = self.marks.compiled(model)
        where = user_where(self.root)
        x, y = to_array(call["x"]), None if call["y"] is None else to_array(call["y"])
        for session in self.sessions:
            if session.is_same(model, where, state):
                if _add_rows(session, x, y):
                    _add_beside(session, find_beside(user_frames(), call.given, x))
                return session
        session = self._new_session(
            sample=Sample(inputs=x, targets=y, sampled="rows of the first batches"),
            model=model,
            where=where,
        )
        session.losses.steps.running = False
        session.initial_weights = copy_weights(model)
        session.numbers = read_numbers(model)
        session.batch_size = len(x)
        session.spare = find_beside(user_frames(), call.given, x)
        session.sources = find_sources(user_frames(), x)
        self.sessions.append(session)
        return session

    @contextmanager
    def _training(self, session: Session) -> Iterator[None]:
        """Count the time of a training."""
        self._ender.wait_on()
        session.audited, start = False, time.monotonic()
        try:
            yield
        finally:
            took = time.monotonic() - start
            session.spent += took
            self._left -= took

    def _after(self, session: Session) -> None:
        """Audit after a `fit`, unless a loop of short ones would spend its time on audits."""
        if session.audit_seconds == 0 or session.spent > session.audit_seconds:
            self.audit(session)
        enough = "enough" if len(self.sessions) >= _MOST_SESSIONS else ""
        reason = self._ender.reason or ("budget" if self._left <= 0 else enough)
        if reason:
            self._ender.finish(reason)
        self._ender.end_after(_PATIENCE, "patience")

    def audit(self, session: Session) -> None:
        """Probe what was fitted, and write the facts."""
        from truecopy.audit.probe import probe

        start = time.monotonic()
        self._ender.in_audit = True
        with self.marks.aside():
            try:
                session.wheres.update(self.marks.wheres(session.model))
                facts = probe(session.subject(self.target))
            except Exception as error:  # noqa: BLE001 (the program must go on; it is told)
                traceback.print_exc()
                line = "" if session.where is None else f" (line {session.where.line})"
                self.failures.append(f"{session.model.name}{line}: {type(error).__name__}: {error}")
                return
            finally:
                self._ender.in_audit = False
                session.audit_seconds = time.monotonic() - start
                session.audited, session.spent = True, 0.0
        session.facts = facts
        self._write(f"audit-{session.number:03}.json", facts)

    def _write(self, name: str, record: Record) -> None:
        """Write a record, whole or not at all."""
        part = self.folder / f"{name}.part"
        part.write_text(json.dumps(record.to_dict()), encoding="utf-8")
        part.replace(self.folder / name)

    def audit_rest(self) -> None:
        """Audit what was trained on since its last audit, and prove the fixes if asked to."""
        self._ender.wait_on()
        if not self.sessions:
            self._open_own_loops()
        for session in self.sessions:
            if not session.audited:
                self.audit(session)
        if self._prove is not None:
            with self.marks.aside():
                self._prove_leading()

    def _prove_leading(self) -> None:
        """Try the fixes of the training with the costliest finding."""
        from truecopy.audit.prove import prove_subject

        found = [
            (silence(run_rules(s.facts, **(self._prove or {})), self.target, self.root), s)
            for s in self.sessions
            if s.facts is not None
        ]
        found = [(findings, session) for findings, session in found if findings]
        if not found:
            return
        findings, session = min(found, key=lambda pair: rank(pair[0][0]))
        subject = session.subject(self.target, wide=True)
        for number, finding in enumerate(prove_subject(subject, findings)):
            self._write(f"proved-{number:03}.json", finding)

    def _open_own_loops(self) -> None:
        for model, sample in self._loops.models():
            session = self._new_session(sample=sample, model=model, where=None)
            session.targets_known = False
            told = "It is trained in a loop of its own: its loss and targets were not seen."
            session.notes = (told,)
            self.sessions.append(session)


def _add_rows(session: Session, x: Array, y: Array | None) -> bool:
    """Add a batch to the rows of a session until there are enough; return whether it was."""
    sample = session.sample
    if sample.inputs is None or len(sample.inputs) >= MOST_ROWS:
        return False
    session.sample = sample.joined(x, y, most=MOST_ROWS)
    return session.sample is not sample


def _add_beside(session: Session, beside: Mapping[str, Array]) -> None:
    """Add what stands beside a batch to what stood beside those before, by its name."""
    session.spare = {
        name: np.concatenate([rows, beside[name]])[:MOST_ROWS]
        for name, rows in session.spare.items()
        if name in beside
    }
