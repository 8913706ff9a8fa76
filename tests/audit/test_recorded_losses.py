"""Step losses are recovered from running means, and bounded."""

import math

import numpy as np
import pytest

from truecopy.audit.recorded_losses import Losses, StepLosses, read_loss


@pytest.mark.parametrize("rows", [256, 250, 225])
def test_step_losses_come_back_from_running_means(rows):
    losses = np.random.default_rng(0).uniform(0.1, 2, 8).astype("float32")
    sizes = np.diff([*range(0, rows, 32), rows])
    means = np.cumsum(losses * sizes) / np.cumsum(sizes)  # what Keras' Mean tracker logs

    seen = StepLosses(32, rows)
    for _ in range(2):
        seen.begin_epoch()
        for step, mean in enumerate(means):
            seen.add(step, float(np.float32(mean)))

    np.testing.assert_allclose(seen.kept, [*losses, *losses], rtol=1e-4)
    assert seen.count == 16


def test_what_is_no_running_mean_is_kept_as_it_is():
    seen = StepLosses(32, running=False)
    for step, loss in enumerate([3.0, 1.0, 2.0]):
        seen.add(step, loss)

    assert seen.kept == [3.0, 1.0, 2.0]


def test_a_million_steps_leave_some_hundreds_evenly_spread():
    seen = StepLosses(running=False)
    for step in range(100_000):
        seen.add(step, float(step))

    assert 200 <= len(seen.kept) <= 400
    assert set(np.diff(seen.kept)) == {256.0}
    assert seen.count == 100_000


def test_the_first_step_that_is_not_finite_is_known():
    seen = StepLosses(8, 32)
    for step, mean in enumerate([1.0, 1.5, math.nan, math.nan]):
        seen.add(step, mean)

    assert seen.diverged_at == 3


def test_steps_that_run_several_at_once_are_all_counted():
    seen = StepLosses(8)
    for step in (4, 9):  # steps_per_execution=5
        seen.add(step, 1.0)

    assert seen.count == 10
    assert seen.kept == [1.0, 1.0]


def test_a_later_fit_goes_on_from_the_earlier_one():
    losses = Losses()
    losses.steps.add(0, 4.0)
    losses.end_epoch({"loss": 4.0, "val_loss": 5.0})
    later = StepLosses(8)
    later.go_on_from(losses.steps)
    later.add(0, 2.0)
    losses.steps = later
    losses.end_epoch({"loss": 2.0})
    losses.planned = 2

    facts = losses.facts(batch_size=8, complete=True, early_stopping=False, diverged_layer=None)

    assert facts.losses == (4.0, 2.0)
    assert facts.validation_losses == (5.0,)
    assert facts.step_losses == (4.0, 2.0)
    assert facts.steps == 2


@pytest.mark.parametrize(
    ("logs", "loss"),
    [
        ({"loss": 1}, 1.0),
        ({"mse": 1, "mae": 2}, None),
        ({"squared": 1}, 1.0),
        ({"kl_loss": 3, "total_loss": 2}, 2.0),
        ([2.0, 3.0], 2.0),
        (np.float32(4), 4.0),
        (None, None),
        ([], None),
    ],
)
def test_the_loss_is_found_in_whatever_keras_returns(logs, loss):
    assert read_loss(logs) == loss


def test_rates_and_keras_own_validation_loss_are_kept_beside_a_steps_own_loss():
    losses = Losses()
    losses.end_epoch({"total_loss": 2.0, "kl_loss": 1.0, "val_loss": 3.0, "learning_rate": 0.01})
    losses.end_epoch({"total_loss": 1.0, "kl_loss": 1.0, "val_total_loss": 4.0})

    assert losses.epochs == [2.0, 1.0]
    assert losses.validation == [3.0, 4.0]
    assert losses.rates == [0.01]
