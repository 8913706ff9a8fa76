"""`Watch` audits anyone's fit while it runs, says each finding once, and changes nothing."""

import keras
import numpy as np
import pytest

from truecopy.audit import callback
from truecopy.audit.callback import Watch, running_fit
from truecopy.errors import UnknownName
from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Finding, Fix
from truecopy.rules.modelfacts import ModelFacts

X = np.random.default_rng(0).uniform(size=(96, 6)).astype("float32")


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


@pytest.fixture
def probed(monkeypatch):
    """The subjects that were probed, and the findings that the rules are said to make of each."""
    seen = {"subjects": [], "findings": [[]], "asked": []}

    def probe(subject):
        seen["subjects"].append(subject)
        model = ModelFacts(name="net", kind="", parameters=1, input_shape=(6,), output_shape=(6,))
        return AuditFacts(target=subject.target, model=model, training=subject.training)

    def run_rules(_, **asked):
        seen["asked"].append(asked)
        last = len(seen["findings"]) - 1
        return tuple(seen["findings"][min(len(seen["subjects"]) - 1, last)])

    monkeypatch.setattr(callback, "probe", probe)
    monkeypatch.setattr(callback, "run_rules", run_rules)
    return seen


def finding(name, severity="error"):
    return Finding(
        code="TC991", name=name, severity=severity, message="It is so.", evidence={},
        fix=Fix(text="Change it."),
    )  # fmt: skip


def test_the_data_and_the_losses_of_the_fit_are_audited(probed):
    fit(build(), X, X, callbacks=[Watch(quiet=True)], validation_split=0.25)

    before, *_, after = probed["subjects"]
    np.testing.assert_array_equal(before.inputs, X[:72])
    np.testing.assert_array_equal(before.targets, X[:72])
    np.testing.assert_array_equal(before.validation[0], X[72:])
    assert before.training is None
    assert (after.training.steps, after.training.planned_epochs) == (6, 2)
    assert len(after.training.losses) == 2
    assert after.training.complete
    assert after.where("fit").file.endswith("test_callback.py")


def test_weights_before_the_first_step_are_known(probed):
    model = build()
    start = model.get_weights()

    fit(model, X, X, callbacks=[Watch(quiet=True)])

    for known, weight in zip(probed["subjects"][-1].initial_weights, start, strict=True):
        np.testing.assert_array_equal(known, weight)


def test_a_finding_is_printed_once_and_all_are_kept(probed, capsys):
    one, two = finding("some-fault"), finding("other-fault", "warning")
    probed["findings"] = [[one], [one, two], [two]]
    watch = Watch()

    fit(build(), X, X, callbacks=[watch])

    told = capsys.readouterr().out
    assert watch.findings == (one, two)
    assert told.count("TC991 some-fault") == told.count("TC991 other-fault") == 1


@pytest.mark.parametrize(
    ("stop_on_error", "severity", "epochs"),
    [(True, "error", 1), (True, "warning", 9), (False, "error", 9)],
)
def test_training_is_stopped_on_an_error_when_asked_to(probed, stop_on_error, severity, epochs):
    probed["findings"] = [[], [finding("some-fault", severity)]]
    watch = Watch(stop_on_error=stop_on_error, quiet=True)

    history = fit(build(), X, X, callbacks=[watch], epochs=9)

    assert len(history.epoch) == epochs


def test_rules_are_chosen_as_in_an_audit(probed):
    fit(build(), X, X, callbacks=[Watch(quiet=True, ignore=["TC2"])])

    assert probed["asked"][0] == {"select": (), "ignore": ("TC2",)}
    with pytest.raises(UnknownName, match="'ignore' argument of Watch"):
        Watch(ignore=("TC999",))


def generator():
    while True:
        yield X[:32], X[:32]


def test_of_a_stream_that_is_read_once_only_structure_and_losses_are_known(probed):
    fit(build(), generator(), callbacks=[Watch(quiet=True)], batch_size=None, steps_per_epoch=3)

    after = probed["subjects"][-1]
    assert after.inputs is None
    assert after.training.steps == 6
    assert any("give it some rows, Watch(x, y)" in note for note in after.notes)


def test_rows_given_to_watch_stand_for_the_stream(probed):
    watch = Watch(X, -X, quiet=True)

    fit(build(), generator(), callbacks=[watch], batch_size=None, steps_per_epoch=3)

    np.testing.assert_array_equal(probed["subjects"][0].inputs, X)
    np.testing.assert_array_equal(probed["subjects"][0].targets, -X)


def test_audits_take_a_small_share_of_a_long_training(probed, monkeypatch):
    clock = [0.0]
    probe = callback.probe

    def slow(subject):
        clock[0] += 10
        return probe(subject)

    class Tick(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):  # noqa: ARG002 (Keras' signature)
            clock[0] += 3

    monkeypatch.setattr(callback, "probe", slow)
    monkeypatch.setattr(callback, "monotonic", lambda: clock[0])

    fit(build(), X, X, callbacks=[Tick(), Watch(quiet=True)], epochs=30)

    # First and last, after the first epoch, and then whenever 40 s have gone by: at 43 s and 86 s.
    assert len(probed["subjects"]) == 5


def test_a_watched_training_gives_the_same_weights():
    alone = build()
    fit(alone, X, X, callbacks=[])

    watched = build()  # seeds again, as the order of rows is drawn
    fit(watched, X, X, callbacks=[Watch(quiet=True)])

    for one, other in zip(alone.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
