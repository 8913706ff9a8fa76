"""A resumed training equals the uninterrupted one, and only goes on with the same run."""

import keras
import numpy as np
import pytest

import truecopy
from truecopy.errors import ModelError
from truecopy.training.checkpoint import State

SETTINGS = {"latent": 3, "model": "dense", "noise": "masking:0.2", "batch_size": 32, "quiet": True}


class StopAfter(keras.callbacks.Callback):
    """Interrupts as Ctrl-C would, in the epoch after `epochs`, when its first step is done."""

    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        del logs
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        del batch, logs
        if self.epoch == self.epochs:
            raise KeyboardInterrupt


def interrupt(rows, path, *, after, **settings):
    model = truecopy.Autoencoder(**(SETTINGS | settings))
    with pytest.raises(KeyboardInterrupt):
        model.fit(rows, checkpoint=path, callbacks=[StopAfter(after)])


@pytest.mark.parametrize("done", [pytest.param(1, marks=pytest.mark.slow), 4])
def test_a_resumed_training_equals_the_uninterrupted_one(blobs, tmp_path, done):
    path = tmp_path / "run.checkpoint"
    whole = truecopy.Autoencoder(epochs=6, **SETTINGS).fit(blobs)
    interrupt(blobs, path, after=done, epochs=6)

    resumed = truecopy.Autoencoder(epochs=6, **SETTINGS).fit(blobs, checkpoint=path, resume=True)

    assert resumed.run_.history == whole.run_.history
    assert resumed.run_.best_epoch == whole.run_.best_epoch
    np.testing.assert_array_equal(resumed.reconstruct(blobs), whole.reconstruct(blobs))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_early_stopping_remembers_across_an_interruption(tmp_path):
    rows = np.random.default_rng(0).normal(size=(60, 8))
    settings = {"noise": None, "learning_rate": 0.01, "patience": 4, "latent": 4}
    path = tmp_path / "run.checkpoint"
    whole = truecopy.Autoencoder(epochs=400, **(SETTINGS | settings)).fit(rows)
    interrupt(rows, path, after=whole.run_.best_epoch + 2, epochs=400, **settings)

    resumed = truecopy.Autoencoder(epochs=400, **(SETTINGS | settings)).fit(
        rows, checkpoint=path, resume=True
    )

    assert resumed.run_.epochs == whole.run_.epochs
    assert resumed.run_.best_epoch == whole.run_.best_epoch
    np.testing.assert_array_equal(resumed.reconstruct(rows), whole.reconstruct(rows))


def test_nothing_is_left_when_no_epoch_was_finished(blobs, tmp_path):
    interrupt(blobs, tmp_path / "run.checkpoint", after=0)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 9}, "seed was 0, is 9"),
        ({"noise": None}, "noise was 'masking:0.2', is None"),
        ({"latent": 5}, "parameters was"),
        ({"batch_size": 16}, "batch_size was 32, is 16"),
    ],
)
def test_another_run_does_not_go_on_from_it(blobs, tmp_path, changed, message):
    path = tmp_path / "run.checkpoint"
    interrupt(blobs, path, after=1)
    before = path.read_bytes()

    with pytest.raises(ModelError, match=message):
        truecopy.Autoencoder(**(SETTINGS | changed)).fit(blobs, checkpoint=path, resume=True)

    assert path.read_bytes() == before


def test_other_data_do_not_go_on_from_it(blobs, tmp_path):
    path = tmp_path / "run.checkpoint"
    interrupt(blobs, path, after=1)

    with pytest.raises(ModelError, match="data was "):
        truecopy.Autoencoder(**SETTINGS).fit(255 - blobs, checkpoint=path, resume=True)


def test_a_truncated_checkpoint_is_said_to_be_one(blobs, tmp_path):
    path = tmp_path / "run.checkpoint"
    interrupt(blobs, path, after=1)
    path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(ModelError, match="incomplete or broken"):
        State.load(path)


def test_there_must_be_something_to_resume(blobs, tmp_path):
    with pytest.raises(ModelError, match=r"There is no checkpoint .* to resume from"):
        truecopy.Autoencoder(**SETTINGS).fit(blobs, checkpoint=tmp_path / "x", resume=True)


@pytest.mark.slow
def test_a_training_interrupted_after_its_last_epoch_has_nothing_left_to_do(blobs, tmp_path):
    path = tmp_path / "run.checkpoint"
    # A recipe's rate stays as it is: where it falls, fewer epochs let it fall faster.
    told = SETTINGS | {"model": "recipe:vanilla-dense"}
    whole = truecopy.Autoencoder(epochs=2, **told).fit(blobs)
    interrupt(blobs, path, after=2, epochs=3, **told)

    resumed = truecopy.Autoencoder(epochs=2, **told).fit(blobs, checkpoint=path, resume=True)

    assert resumed.run_.history == whole.run_.history
    np.testing.assert_array_equal(resumed.reconstruct(blobs), whole.reconstruct(blobs))
