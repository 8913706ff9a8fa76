"""`Watch` audits anyone's fit while it runs, says each finding once, and changes nothing."""

import keras
import numpy as np
import pytest

from truecopy.audit import callback
from truecopy.audit.callback import Watch, running_fit
from truecopy.errors import UnknownName

X = np.random.default_rng(0).uniform(size=(96, 6)).astype("float32")
# Standard scores under a sigmoid: out of its reach, which is an error whatever the training.
BEYOND = ((X - X.mean()) * 9).astype("float32")


def build(activation="linear"):
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8, activation="tanh"),
            keras.layers.Dense(3, name="code"),
            keras.layers.Dense(6, activation=activation),
        ]
    )
    model.compile("adam", "mse")
    return model


def fit(model, *args, callbacks, **named):
    settings = {"verbose": 0, "batch_size": 32, "epochs": 2, **named}
    return model.fit(*args, callbacks=callbacks, **settings)


class Peek(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):  # noqa: ARG002 (Keras' signature)
        self.seen = running_fit(self.model)


def test_keras_fit_still_has_its_arguments_where_watch_looks_for_them():
    peek = Peek()

    fit(build(), X, X, callbacks=[peek], validation_split=0.25)

    np.testing.assert_array_equal(np.asarray(peek.seen["x"]), X[:72])
    assert len(peek.seen["validation_data"][0]) == 24
    assert peek.seen["batch_size"] == 32
    assert peek.seen["callbacks"] is not None


def test_outside_of_a_fit_there_is_nothing_to_see():
    assert running_fit(build()) == {}


def test_the_data_and_the_losses_of_the_fit_are_audited():
    watch = Watch(quiet=True)

    fit(build(), X, callbacks=[watch], validation_split=0.25, y=X)

    facts = watch.audit.facts
    assert facts.data.inputs.rows == 72
    assert facts.data.validation.rows == 24
    assert facts.data.identical
    assert (facts.training.steps, facts.training.planned_epochs) == (6, 2)
    assert facts.training.complete
    assert facts.fit_where.file == "tests/audit/test_callback.py" or facts.fit_where.line > 0


def test_a_finding_is_printed_once_and_findings_are_kept(capsys):
    watch = Watch()

    fit(build("sigmoid"), BEYOND, BEYOND, callbacks=[watch], epochs=3)

    told = capsys.readouterr().out
    assert "target-outside-output-range" in {finding.name for finding in watch.findings}
    assert told.count("TC202 target-outside-output-range") == 1
    assert len({finding.name for finding in watch.findings}) == len(watch.findings)


def test_training_is_stopped_on_an_error_when_asked_to():
    watch = Watch(stop_on_error=True, quiet=True)

    history = fit(build("sigmoid"), BEYOND, BEYOND, callbacks=[watch], epochs=50)

    assert len(history.epoch) == 1


def test_rules_are_chosen_as_in_an_audit():
    watch = Watch(quiet=True, ignore=("TC2",))

    fit(build("sigmoid"), BEYOND, BEYOND, callbacks=[watch])

    assert not [finding for finding in watch.findings if finding.code.startswith("TC2")]
    with pytest.raises(UnknownName, match="'ignore' argument of Watch"):
        Watch(ignore=("TC999",))


def test_a_watched_training_gives_the_same_weights():
    alone, watched = build(), build()

    fit(alone, X, X, callbacks=[])
    fit(watched, X, X, callbacks=[Watch(quiet=True)])

    for one, other in zip(alone.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def generator():
    while True:
        yield X[:32], X[:32]


def test_of_a_stream_that_is_read_once_only_structure_and_losses_are_known():
    watch = Watch(quiet=True)

    fit(build(), generator(), callbacks=[watch], batch_size=None, steps_per_epoch=3)

    assert watch.audit.facts.data is None
    assert watch.audit.facts.training.steps == 6
    assert any("give it some rows, Watch(x, y)" in note for note in watch.audit.facts.notes)


def test_rows_given_to_watch_stand_for_the_stream():
    watch = Watch(X, X, quiet=True)

    fit(build(), generator(), callbacks=[watch], batch_size=None, steps_per_epoch=3)

    assert watch.audit.facts.data.inputs.rows == 96


def test_audits_take_a_small_share_of_a_long_training(monkeypatch):
    audits = []
    probe = callback.probe
    monkeypatch.setattr(callback, "probe", lambda subject: audits.append(1) or probe(subject))

    fit(build(), X, X, callbacks=[Watch(quiet=True)], epochs=30)

    assert len(audits) < 10
