"""How a program ended, in words: an error where nothing was audited, else notes."""

import pytest

from truecopy import errors
from truecopy.audit.outcome import explain_failure, note_outcome

SEEN = {"keras": True, "models": [], "compiled": [], "failures": []}
CRASH = {
    "reason": "crash",
    "kind": "ValueError",
    "error": "ValueError: no such mode",
    "missing": None,
    "where": {"file": "train.py", "line": 7},
    "seen": SEEN,
}


@pytest.mark.parametrize(
    ("outcome", "kind", "message"),
    [
        (
            {"reason": "ended", "seen": SEEN},
            errors.NothingFitted,
            "train.py ran to its end and fitted nothing. It imported Keras and built no model.",
        ),
        (
            {"reason": "exit", "code": "2", "seen": {**SEEN, "models": list("abcdefg")}},
            errors.NothingFitted,
            (
                "train.py called sys.exit(2) and fitted nothing. It built a, b, c, d, e and 2 more"
                "; compiled: none. Training is seen in fit and train_on_batch."
            ),
        ),
        (CRASH, errors.ScriptCrashed, "train.py:7 failed with ValueError: no such mode."),
        (
            {**CRASH, "seen": {**SEEN, "failures": ["net: TypeError: odd"]}},
            errors.ScriptCrashed,
            "train.py:7 failed with ValueError: no such mode.",
        ),
        (
            {**CRASH, "kind": "EOFError", "error": "EOFError: EOF when reading a line"},
            errors.ScriptCrashed,
            (
                "train.py:7 asks for input, which an audit can't give: EOFError: EOF when reading "
                "a line. Pass what it needs as arguments, after --."
            ),
        ),
        (
            {"reason": "ended", "seen": {**SEEN, "failures": ["net (line 3): TypeError: odd"]}},
            errors.AuditFailed,
            "train.py fitted a model that could not be probed: net (line 3): TypeError: odd",
        ),
        (
            {"reason": "died", "status": -11},
            errors.ScriptCrashed,
            "train.py was ended by signal 11 (SIGSEGV) before its first fit.",
        ),
        (
            {"reason": "limit"},
            errors.ScriptTimedOut,
            (
                "train.py fitted nothing within 9 s. Give it longer with --limit, or less to do "
                "before its fit."
            ),
        ),
    ],
)
def test_a_program_of_which_nothing_was_audited_is_an_error(outcome, kind, message):
    error = explain_failure("train.py", outcome, limit=9)

    assert type(error) is kind
    assert str(error) == message


@pytest.mark.parametrize(
    ("outcome", "notes"),
    [
        ({"reason": "ended"}, ()),
        ({"reason": "exit", "code": "1"}, ()),
        (
            {"reason": "budget"},
            ("The program was ended after 5 s of training (--budget).",),
        ),
        (CRASH, ("train.py:7 failed with ValueError: no such mode.",)),
        ({"reason": "died", "status": 3}, ("train.py ended its own process with status 3.",)),
        ({"reason": "limit"}, ("The program was ended: it took longer than --limit.",)),
        ({"reason": "patience"}, ("The program was ended: it had not trained for a while.",)),
    ],
)
def test_how_an_audited_program_ended_is_a_note(outcome, notes):
    assert note_outcome("train.py", outcome, fits=1, budget=5) == notes


def test_several_trainings_are_told():
    assert note_outcome("train.py", {"reason": "ended"}, fits=3, budget=5) == (
        "3 trainings were audited.",
    )
