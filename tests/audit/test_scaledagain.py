"""A scaler that was fitted twice is seen by the exact bounds that it leaves."""

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from truecopy.audit.scaledagain import is_scaled_again

ROWS = np.random.default_rng(0).permutation(load_wine().data)
TRAIN, HELD = ROWS[:120], ROWS[120:]


@pytest.mark.parametrize("scaler", [MinMaxScaler, StandardScaler])
def test_a_scaler_fitted_on_the_validation_rows_is_seen(scaler):
    train = scaler().fit_transform(TRAIN)

    assert is_scaled_again(train, scaler().fit_transform(HELD), most=1024)
    assert not is_scaled_again(train, scaler().fit(TRAIN).transform(HELD), most=1024)


@pytest.mark.parametrize("scaler", [MinMaxScaler, StandardScaler])
def test_rows_scaled_together_and_split_afterwards_are_healthy(scaler):
    rows = scaler().fit_transform(ROWS)

    assert not is_scaled_again(rows[:120], rows[120:], most=1024)


def test_flags_a_sample_and_broken_rows_say_nothing():
    flags = (np.random.default_rng(0).uniform(size=(60, 5)) > 0.5).astype(float)
    held = MinMaxScaler().fit_transform(HELD)

    assert not is_scaled_again(flags, flags, most=1024)
    assert not is_scaled_again(held, held, most=len(held))
    assert not is_scaled_again(held, np.full_like(held, np.nan), most=1024)
