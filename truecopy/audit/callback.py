"""`Watch`: an audit while anyone's `fit` runs."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any, Final

from rich.console import Console

from truecopy.audit.audit import Audit
from truecopy.audit.feeding import Sample, sample_given
from truecopy.audit.lines import user_where
from truecopy.audit.probe import probe
from truecopy.audit.recorded_losses import Losses
from truecopy.audit.recording import Recorder
from truecopy.audit.session import DEFAULT_BATCH, Session, sample_validation, stops_early
from truecopy.rules.engine import check_names, run_rules
from truecopy.rules.finding import Finding

# Audits take at most this share of the training's time, but for the first and the last one.
_SHARE: Final = 0.25


class Watch(Recorder):
    """Audits the model before the first step and at epoch ends; says each finding once.

    Keras doesn't hand the data of `fit` to callbacks: they are read from the running call.
    Where that can't be done (a stream that can be read only once), give a sample here, or the
    audit speaks of the structure and the losses only.

    Args:
        x: Inputs as given to `fit`, or some rows of them.
        y: Their targets; None: the inputs.
        validation_data: (inputs, targets), as in `fit`.
        stop_on_error: Stop the training at a finding of severity error.
        select: Codes, names or beginnings of codes of the rules to run; empty: all.
        ignore: Those to leave out.
        quiet: Print nothing; the findings are in `findings`.

    Attributes:
        findings: What was found so far, each rule once.
        audit: The last audit.

    Example:
        >>> import keras, numpy as np
        >>> from truecopy.callbacks import Watch
        >>> x = np.random.default_rng(0).uniform(size=(64, 6)).astype("float32")
        >>> model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3),
        ...                           keras.layers.Dense(6)])
        >>> model.compile("adam", "mse")
        >>> watch = Watch(quiet=True)
        >>> _ = model.fit(x, x, epochs=1, verbose=0, callbacks=[watch])
        >>> watch.audit.facts.training.steps
        2
    """

    def __init__(
        self,
        x: Any = None,
        y: Any = None,
        *,
        validation_data: Any = None,
        stop_on_error: bool = False,
        select: tuple[str, ...] = (),
        ignore: tuple[str, ...] = (),
        quiet: bool = False,
    ) -> None:
        for argument, names in (("select", select), ("ignore", ignore)):
            check_names(argument, "Watch", tuple(names))
        self.findings: tuple[Finding, ...] = ()
        self.audit: Audit | None = None
        self.stop_on_error = stop_on_error
        self._rules = {"select": tuple(select), "ignore": tuple(ignore)}
        self._quiet = quiet
        self._given = (x, y, validation_data)
        self._session: Session | None = None
        self._audited_at = self._took = 0.0
        super().__init__(Losses())

    def on_train_begin(self, logs: Any = None) -> None:
        """Audit before the first step."""
        self._session, self.numbers = self._open(), {}
        super().on_train_begin(logs)
        self._session.initial_weights = self.initial_weights
        self._audit(trained=False)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Audit, unless that would take more than its share of the time."""
        super().on_epoch_end(epoch, logs)
        since = monotonic() - self._audited_at
        if epoch == 0 or self._took < _SHARE * since:
            self._audit(trained=True)

    def on_train_end(self, logs: Any = None) -> None:  # noqa: ARG002 (Keras' signature)
        """Audit what came of it."""
        if self._session is not None:
            self._session.complete = True
            self._audit(trained=True)

    def _open(self) -> Session:
        """Return what is known of the call of `fit` that runs."""
        call = running_fit(self.model)
        x, y, validation = self._given
        if x is None:
            x, y, validation = (call.get(name) for name in ("x", "y", "validation_data"))
        self.losses = Losses()
        self.losses.planned = int((self.params or {}).get("epochs") or 0)
        self.batch_size = call.get("batch_size")
        if self.batch_size is None and hasattr(x, "shape"):
            self.batch_size = DEFAULT_BATCH
        if x is None or isinstance(x, Iterator):
            told = "Watch could not see the data of fit: give it some rows, Watch(x, y)."
            sample = Sample(notes=(told,))
        else:
            sample = sample_given(x, y)
        self.rows = sample.rows if self._given[0] is None else None
        where = user_where(Path.cwd())
        session = Session(
            model=self.model, number=0, where=where, state=0, sample=sample, losses=self.losses
        )
        session.batch_size, session.complete = self.batch_size, False
        session.early_stopping = stops_early(call.get("callbacks"))
        if validation is not None:
            session.validation = sample_validation(validation)
        if where is not None:
            session.wheres["fit"] = where
        return session

    def _audit(self, *, trained: bool) -> None:
        if self._session is None:
            return
        started, self._session.numbers = monotonic(), self.numbers
        subject = self._session.subject(str(self.model.name))
        facts = probe(subject if trained else replace(subject, training=None))
        self.audit = Audit(facts, run_rules(facts, **self._rules))
        told = {finding.name for finding in self.findings}
        new = tuple(f for f in self.audit.findings if f.name not in told)
        self.findings += new
        if new and not self._quiet:
            self._print(new)
        if self.stop_on_error and any(f.severity == "error" for f in new):
            self.model.stop_training = True
        self._audited_at = monotonic()
        self._took = self._audited_at - started

    def _print(self, new: tuple[Finding, ...]) -> None:
        from truecopy.reports.findings import render_audit

        plain = {"target": str(self.model.name), "findings": [f.to_dict() for f in new]}
        console = Console()
        console.print()  # Keras' progress bar may stand in the line
        console.print(render_audit(plain))


def running_fit(model: Any) -> dict[str, Any]:
    """Return the arguments of the call of the model's `fit` that runs; empty where none does.

    Read from the frame of `fit`, whose local variables of these names are Keras' (3.15) public
    arguments: x, y and validation_data after a validation split, batch_size, callbacks.
    """
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 (documented; CPython's)
    while frame is not None:
        known = frame.f_locals
        if frame.f_code.co_name == "fit" and known.get("self") is model and "x" in known:
            return dict(known)
        frame = frame.f_back
    return {}
