"""What an output can give whose values hang together, fitted by setting its last numbers free."""

import keras
import numpy as np
import pytest
from keras import layers

from truecopy.audit.contract import measure_contract
from truecopy.audit.subject import Subject
from truecopy.audit.tied import add_tied
from truecopy.audit.trace import record

ROWS = np.random.default_rng(0).random((40, 6)).astype("float32")


def ending(*tail, loss="mse"):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(6), *tail])
    model.compile("adam", loss)
    return model


def contract_of(model):
    subject = Subject(model=model, target="m", inputs=ROWS, targets=ROWS)
    return add_tied(measure_contract(subject), subject, record(model, ROWS))


def test_of_a_row_of_length_1_the_nearest_is_the_target_divided_by_its_length():
    model = ending(layers.UnitNormalization())
    before = model.get_weights()

    facts = contract_of(model)

    nearest = ROWS[:32] / np.linalg.norm(ROWS[:32], axis=1, keepdims=True)
    assert facts.tied
    assert facts.unavoidable == pytest.approx(np.square(ROWS[:32] - nearest).mean(), rel=1e-3)
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


@pytest.mark.slow
def test_a_loss_that_does_not_mind_the_length_asks_for_nothing_out_of_reach():
    assert not contract_of(ending(layers.UnitNormalization(), loss="cosine_similarity")).tied


@pytest.mark.parametrize("tail", [layers.Activation("sigmoid"), layers.Reshape((6,))])
def test_values_that_are_each_their_own_are_not_tied(tail):
    assert not contract_of(ending(tail)).tied
