"""Proofs: trained alike, judged alike, and honest where a fix does not help."""

import random
from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from truecopy.audit.change import open_program
from truecopy.audit.prove import prove_subject, try_fixes
from truecopy.audit.rebuild import CannotRebuild
from truecopy.audit.rescale import Units
from truecopy.audit.retrain import Trained, score, train
from truecopy.audit.subject import Subject
from truecopy.rules.facts import TrainingFacts
from truecopy.rules.finding import Finding, Fix

_GENERATOR = np.random.default_rng(0)
# Eight columns of mean 0 that two hidden numbers explain.
TABLE = np.tanh(_GENERATOR.normal(size=(300, 2)) @ _GENERATOR.normal(size=(2, 8))).astype("float32")
LINEAR = {"action": "set_output_activation", "activation": "linear"}
SIGMOID = {"action": "set_output_activation", "activation": "sigmoid"}


def make_subject(activation, *, rows=TABLE, targets=None, rate=0.01, epochs=20, **settings):
    model = keras.Sequential(
        [
            *(keras.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(2)),
            *(layers.Dense(16, activation="relu"), layers.Dense(8, activation=activation)),
        ]
    )
    model.compile(keras.optimizers.Adam(rate), loss=settings.pop("loss", "mse"))
    return Subject(
        model=model, target="test", inputs=rows, targets=rows if targets is None else targets,
        rows=len(rows),
        training=TrainingFacts(losses=(), planned_epochs=epochs, batch_size=32), **settings,
    )  # fmt: skip


def make_finding(change, name="a-rule"):
    return Finding(
        code="TC202", name=name, severity="error", message="", evidence={},
        fix=Fix(text="", change=change),
    )  # fmt: skip


def prove(subject, *changes, **settings):
    findings = [make_finding(change, f"rule-{n}") for n, change in enumerate(changes)]
    usual = {"seconds": 60.0, "epochs": None, "seed": 0, "tell": str}
    return try_fixes(subject, findings, **{**usual, **settings})


def test_an_output_that_reaches_the_targets_is_proved_to_help():
    subject = make_subject("sigmoid")
    before = [np.array(w) for w in subject.model.get_weights()]
    states = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002

    (finding,) = prove_subject(subject, [make_finding(LINEAR)])

    proof = finding.proof
    assert proof.helped
    assert proof.before["skill"] < 0.5
    assert proof.after["skill"] > 0.75
    assert proof.after["mse"] < proof.before["mse"]
    skills = f"skill {proof.before['skill']:.2f} -> {proof.after['skill']:.2f}"
    assert proof.sentence == f"{skills} after 20 epochs on 240 rows, judged on 60 others"
    # Nothing of the user's has changed.
    for now, then in zip(subject.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states  # noqa: NPY002


def test_a_fix_that_does_not_help_says_so():
    proofs, _ = prove(make_subject("linear"), SIGMOID)

    assert not proofs["rule-0"].helped
    assert proofs["rule-0"].sentence.endswith("it does not help here")


def test_two_fixes_that_need_each_other_are_proved_together():
    scale = {"action": "scale_data", "scaling": "divide", "by": 255.0}
    rows = (255 * (TABLE - TABLE.min()) / (TABLE.max() - TABLE.min())).astype("float32")
    subject = make_subject("softmax", rows=rows, loss="binary_crossentropy")

    proofs, notes = prove(subject, SIGMOID, scale)

    leading = proofs["rule-0"]
    if keras.backend.backend() == "torch":  # it refuses targets outside of [0, 1]
        assert notes[0].startswith("As it is the program can't be trained: ")
        assert leading.sentence.startswith("skill diverged -> ")
        return
    assert notes == ()
    assert leading.before["skill"] < 0
    assert leading.after["skill"] > 0.6
    assert "all 2 changes together; this one alone does not help: " in leading.sentence
    assert proofs["rule-1"].helped


def test_both_programs_are_judged_in_the_units_of_the_changed_one():
    rows = (TABLE * np.array([1000.0, *[1.0] * 7])).astype("float32")
    proofs, _ = prove(
        make_subject("linear", rows=rows), {"action": "scale_data", "scaling": "standardise"}
    )

    # In its own units, the one large column is all there is and is copied well already.
    assert proofs["rule-0"].before["skill"] < 0.3
    assert proofs["rule-0"].after["skill"] > 0.7
    assert proofs["rule-0"].after["mse"] < 0.3


def test_a_denoiser_is_judged_by_the_clean_rows():
    noisy = TABLE + np.random.default_rng(1).normal(0, 0.5, TABLE.shape).astype("float32")
    subject = make_subject("linear", rows=noisy, spare={"clean": TABLE})

    proofs, _ = prove(subject, {"action": "set_targets", "to": "array clean"})

    # 0.25 is what the noise alone costs: against the noisy rows no copy could be below it.
    assert proofs["rule-0"].after["mse"] < 0.2
    assert proofs["rule-0"].helped


def test_a_program_that_diverges_and_is_mended_says_so():
    subject = make_subject("linear", rate=1e30, loss="mse")

    proofs, _ = prove(subject, {"action": "set_learning_rate", "learning_rate": 0.01})

    assert proofs["rule-0"].helped
    assert proofs["rule-0"].sentence.startswith("skill diverged -> 0.")
    assert proofs["rule-0"].to_dict()["before"]["skill"] is None


def test_changes_of_what_is_only_shown_are_not_tried():
    assert prove(make_subject("linear"), {"action": "set_metrics", "metrics": ["mse"]}, {}) == (
        {},
        (),
    )


def test_what_cannot_be_proved_is_noted():
    subject = make_subject("linear")

    proofs, notes = prove(subject, {"action": "set_momentum", "momentum": 0.9})
    none, few = prove(replace(subject, inputs=TABLE[:8], targets=TABLE[:8]), LINEAR)

    assert (proofs, none) == ({}, {})
    assert notes == ("Not proved (all changes together): there is no BatchNormalization layer.",)
    assert few == (
        "Not proved (all changes together): 8 rows are too few to train on and to judge by.",
    )


@pytest.mark.slow
def test_the_seconds_end_a_training_and_the_other_gets_as_many_steps():
    told = []
    subject = make_subject("sigmoid", epochs=100_000)

    proofs, _ = prove(subject, LINEAR, seconds=4.0, tell=told.append)

    assert "epochs on 240 rows" in proofs["rule-0"].sentence
    assert told == ["training with all changes together", "training as it is"]


def test_trainings_are_repeated_to_the_digit():
    trainings = [
        train(
            open_program(make_subject("linear", initial_weights=None), seed=7),
            seconds=60,
            steps=30,
            seed=7,
        )
        for _ in range(2)
    ]

    np.testing.assert_allclose(trainings[0].copies, trainings[1].copies, rtol=1e-5, atol=1e-6)
    assert [t.steps for t in trainings] == [30, 30]
    assert not set(trainings[0].held) & set(trainings[0].kept)


def test_skill_is_r_squared_against_the_mean_of_the_training_targets():
    from sklearn.metrics import r2_score

    program = open_program(make_subject("linear"))
    held, kept = np.arange(60), np.arange(60, 300)
    program = replace(
        program,
        targets=TABLE
        - np.vstack(
            [np.tile(TABLE[held].mean(0), (60, 1)), np.tile(TABLE[kept].mean(0), (240, 1))]
        ),
    )
    copies = 0.9 * program.targets[held]
    trained = Trained(copies=copies, held=held, kept=kept, steps=1, epochs=1.0, seconds=1.0)

    found = score(trained, Units(), program)

    # Pooled over columns; the means of both parts are 0, so that R² has the same floor.
    expected = r2_score(program.targets[held].ravel(), copies.ravel())
    assert found.skill == pytest.approx(expected, abs=1e-6) == pytest.approx(0.99, abs=1e-6)


def test_a_perfect_copy_in_the_users_units_is_one_in_the_judges():
    judge = open_program(make_subject("linear"))
    units = Units(shift=1.0, scale=4.0)
    judge = replace(judge, targets=units.apply(TABLE), units=units)
    trained = Trained(
        copies=TABLE, held=np.arange(300), kept=np.arange(300), steps=1, epochs=1.0, seconds=1.0
    )

    assert score(trained, judge.units, judge).skill == pytest.approx(1, abs=1e-9)
    assert score(trained, Units(), judge).skill < 0


def test_outputs_that_the_loss_takes_for_logits_are_squashed_before_they_are_judged():
    rows = (0.5 + 0.45 * TABLE).astype("float32")
    loss = keras.losses.BinaryCrossentropy(from_logits=True)

    program = open_program(make_subject("linear", rows=rows, loss=loss))
    trained = train(program, seconds=60, steps=5, seed=0)

    assert 0 < trained.copies.min() < trained.copies.max() < 1


def test_too_few_rows_are_refused():
    with pytest.raises(CannotRebuild, match="10 rows are too few"):
        train(open_program(make_subject("linear", rows=TABLE[:10])), seconds=1, steps=1, seed=0)


def test_many_rows_are_sampled_alike_from_all_arrays(monkeypatch):
    monkeypatch.setattr("truecopy.audit.prove.ROWS", 100)
    noisy = TABLE + 1
    subject = make_subject("linear", rows=noisy, epochs=1, spare={"clean": TABLE})

    proofs, _ = prove(subject, {"action": "set_targets", "to": "array clean"})

    assert "on 80 rows, judged on 20 others" in proofs["rule-0"].sentence
