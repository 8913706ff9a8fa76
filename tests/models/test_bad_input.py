"""What is wrong with data is said where it matters: training rows that are scored, huge values."""

import numpy as np
import pytest

import truecopy
from truecopy.errors import NonFiniteData

ROWS = np.random.default_rng(0).normal(size=(60, 4))
SETTINGS = {"latent": 1, "epochs": 1, "validation": 0.0, "quiet": True}


@pytest.fixture(scope="module")
def fitted():
    return truecopy.Autoencoder(**SETTINGS).fit(ROWS[:40])


def test_scored_rows_that_were_trained_on_are_counted(fitted, tmp_path):
    fitted.save(tmp_path / "run")

    for model in (fitted, tmp_path / "run"):
        notes = truecopy.evaluate(model, ROWS[30:]).facts.notes
        assert any(
            note.startswith("10 of 30 rows equal one of the training rows") for note in notes
        )


def test_other_rows_are_not_said_to_have_been_trained_on(fitted):
    own = truecopy.evaluate(fitted, ROWS[40:]).facts.notes
    bare = truecopy.evaluate(lambda rows: rows, ROWS).facts.notes

    assert not any("training rows:" in note for note in (*own, *bare))


def test_values_whose_squares_overflow_are_refused_with_their_features():
    huge = ROWS * np.array([1, 1e200, 1, 1])

    with pytest.raises(NonFiniteData, match=r"first features: 1\), whose squares float64 can't"):
        truecopy.Autoencoder(**SETTINGS).fit(huge)
