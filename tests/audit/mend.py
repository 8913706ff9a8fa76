"""A watched program whose leading fault is mended and audited again; run by test_programs.

Takes the place of `truecopy.audit.child`: instead of proving the fixes it applies the one of the
first rule in MEND_RULES to the program, trains that for a while and writes what the audit then
says to MEND_OUT.
"""

import json
import os
from dataclasses import replace
from pathlib import Path

from truecopy.audit import child

_SECONDS = 10.0


def mend_subject(subject, findings):
    """Write the findings before, and what the first wanted one's change left of them."""
    wanted = os.environ["MEND_RULES"].split(",")
    found = [f for f in findings if f.name in wanted and f.fix.change]
    report = {"before": [f.to_dict() for f in findings], "rule": None}
    if found:
        report |= {"rule": found[0].name, "change": found[0].fix.change}
        report |= _mend(subject, found[0].fix.change)
    Path(os.environ["MEND_OUT"]).write_text(json.dumps(report), encoding="utf-8")
    return findings


def _mend(subject, change):
    """Return the findings of the changed program once it was trained; or why it can't be."""
    from truecopy.audit.change import change_program, open_program
    from truecopy.audit.rebuild import CannotRebuild
    from truecopy.audit.retrain import HELD_OUT

    try:
        program = change_program(open_program(subject), [change], subject)
    except CannotRebuild as error:
        return {"refused": str(error)}
    kept = int(len(program.inputs) * (1 - HELD_OUT))
    rows = program.inputs[:kept], program.targets[:kept]
    held = program.inputs[kept:], program.targets[kept:]
    return {"after": [f.to_dict() for f in _train_and_audit(program, rows, held, subject)]}


def _train_and_audit(program, rows, held, subject):
    import keras

    from truecopy.audit.feeding import sample_given
    from truecopy.audit.probe import probe
    from truecopy.audit.session import Session
    from truecopy.rules.engine import run_rules

    model = program.compile()
    session = Session(model=model, number=0, where=None, state=1, sample=sample_given(*rows))
    session.batch_size, session.losses.planned = program.batch_size, program.epochs or 5
    session.validation = tuple(part[:1024] for part in held)
    session.spare = {k: v[: len(rows[0])] for k, v in subject.spare.items()}
    session.complete = _train(model, rows, held, session, keras)
    audited = session.subject(subject.target)
    return run_rules(probe(replace(audited, initial_weights=session.initial_weights)))


def _train(model, rows, held, session, keras):
    import time

    from truecopy.audit.ending import TimeIsOver
    from truecopy.audit.recording import Recorder

    keras.utils.set_random_seed(0)
    recorder = Recorder(
        session.losses,
        deadline=time.monotonic() + _SECONDS,
        rows=len(rows[0]),
        batch_size=session.batch_size,
    )
    try:
        model.fit(
            *rows,
            batch_size=session.batch_size,
            epochs=session.losses.planned,
            validation_data=held,
            callbacks=[recorder],
            verbose=0,
        )
    except TimeIsOver:
        return False
    finally:
        session.initial_weights = recorder.initial_weights
    return True


class Mending(child.Child):
    """Mends where another would prove; Keras is there by then, as the program wanted it."""

    def _watch(self):
        super()._watch()
        from truecopy.audit import prove

        prove.prove_subject = mend_subject


if __name__ == "__main__":
    child.Child = Mending
    child.main()
