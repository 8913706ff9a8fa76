import json
import subprocess
import sys

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import truecopy
from truecopy.errors import (
    DataError,
    InvalidArgument,
    ModelError,
    NonFiniteData,
    OutputExists,
    ShapeMismatch,
    UnknownName,
)


@pytest.fixture(scope="module")
def fitted(blobs):
    settings = {"epochs": 40, "batch_size": 32, "learning_rate": 5e-3, "quiet": True}
    return truecopy.Autoencoder(latent=4, model="dense", **settings).fit(blobs)


def test_it_learns_more_than_the_mean_image(fitted, blobs):
    assert fitted.score(blobs) > 0.5


def test_a_reconstruction_is_in_the_users_units_and_shape(fitted, blobs):
    copy = fitted.reconstruct(blobs)

    assert copy.shape == blobs.shape
    assert copy.max() > 100
    error = ((copy - blobs) / 255.0) ** 2
    np.testing.assert_allclose(
        -fitted.score_samples(blobs), error.reshape(len(blobs), -1).mean(axis=1), rtol=1e-5
    )


def test_decoding_the_encoded_is_the_reconstruction(fitted, blobs):
    latents = fitted.encode(blobs)

    assert latents.shape == (300, 4)
    np.testing.assert_array_equal(fitted.transform(blobs), latents)
    np.testing.assert_allclose(fitted.decode(latents), fitted.reconstruct(blobs), rtol=1e-5)
    np.testing.assert_array_equal(fitted.inverse_transform(latents), fitted.decode(latents))


def test_the_score_is_the_skill_against_the_mean_image(fitted, blobs):
    scaled = blobs / 255.0
    error = ((fitted.reconstruct(blobs) / 255 - scaled) ** 2).mean()

    # The mean image is that of all rows given to fit: these.
    assert fitted.score(blobs) == pytest.approx(1 - error / scaled.var(axis=0).mean(), rel=1e-5)


def test_the_same_seed_gives_the_same_history(blobs):
    settings = {"model": "dense", "noise": "masking:0.2", "epochs": 3, "seed": 3, "quiet": True}
    keras.utils.set_random_seed(1)
    a = truecopy.Autoencoder(**settings).fit(blobs).run_.history
    keras.utils.set_random_seed(2)
    b = truecopy.Autoencoder(**settings).fit(blobs).run_.history
    c = truecopy.Autoencoder(**(settings | {"seed": 4})).fit(blobs).run_.history

    assert a == b
    assert a != c


def test_fit_leaves_the_global_seeds_alone(blobs):
    np.random.seed(7)  # noqa: NPY002 (the user's own, which must not move)
    expected = np.random.RandomState(7).uniform()

    truecopy.Autoencoder(model="dense", epochs=1, quiet=True).fit(blobs)

    assert np.random.uniform() == expected  # noqa: NPY002


def test_what_is_saved_gives_the_same_after_loading(fitted, blobs, tmp_path):
    fitted.save(tmp_path / "run")

    loaded = truecopy.load(tmp_path / "run")

    np.testing.assert_array_equal(loaded.reconstruct(blobs), fitted.reconstruct(blobs))
    np.testing.assert_array_equal(loaded.encode(blobs), fitted.encode(blobs))
    assert loaded.score(blobs) == fitted.score(blobs)
    assert loaded.run_ == fitted.run_
    assert loaded.plan_.facts == fitted.plan_.facts


WITHOUT_TRUECOPY = """
import sys
sys.modules["truecopy"] = None  # importing it fails, as where it is not installed
import keras, numpy as np
rows = np.load("rows.npy").astype("float32") / 255
whole = keras.saving.load_model("run/model.keras", safe_mode=True)
encoder = keras.saving.load_model("run/encoder.keras", safe_mode=True)
decoder = keras.saving.load_model("run/decoder.keras", safe_mode=True)
np.save("copy.npy", np.asarray(whole.predict_on_batch(rows)))
latents = np.asarray(encoder.predict_on_batch(rows))
np.save("parts.npy", np.asarray(decoder.predict_on_batch(latents)))
"""


@pytest.mark.parametrize(
    "settings",
    [
        {"model": "dense"},
        pytest.param({"model": "conv"}, marks=pytest.mark.slow),
        pytest.param({"model": "dense", "noise": "gaussian:0.2"}, marks=pytest.mark.slow),
    ],
)
def test_plain_keras_loads_it_where_truecopy_is_not_installed(blobs, tmp_path, settings):
    model = truecopy.Autoencoder(epochs=1, quiet=True, **settings).fit(blobs)
    model.save(tmp_path / "run")
    np.save(tmp_path / "rows.npy", blobs)

    subprocess.run([sys.executable, "-c", WITHOUT_TRUECOPY], cwd=tmp_path, check=True)

    expected = model.reconstruct(blobs) / 255
    np.testing.assert_allclose(np.load(tmp_path / "copy.npy"), expected, atol=1e-6)
    np.testing.assert_allclose(np.load(tmp_path / "parts.npy"), expected, atol=1e-6)


def test_a_run_folder_holds_what_it_should(fitted, tmp_path):
    fitted.save(tmp_path / "run")

    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "model.keras",
        "encoder.keras",
        "decoder.keras",
        "plan.json",
        "run.json",
        "history.csv",
        "baselines.npz",
    }
    assert json.loads((tmp_path / "run/plan.json").read_text())["plan"]["kind"] == "bytes"
    lines = (tmp_path / "run/history.csv").read_text().splitlines()
    assert lines[0].startswith("epoch,loss,val_loss,val_mse")
    assert len(lines) == 1 + fitted.run_.epochs
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_saving_never_overwrites(fitted, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("precious")

    with pytest.raises(OutputExists, match=r"exists already\. Choose another name"):
        fitted.save(tmp_path / "run")

    assert (tmp_path / "run" / "mine.txt").read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("missing", ["plan.json", "run.json", "baselines.npz", "model.keras"])
def test_an_incomplete_run_folder_is_said_to_be_one(fitted, tmp_path, missing):
    fitted.save(tmp_path / "run")
    (tmp_path / "run" / missing).unlink()

    with pytest.raises(ModelError, match=missing):
        truecopy.load(tmp_path / "run")


@pytest.mark.parametrize("name", ["model.keras", "plan.json", "run.json", "baselines.npz"])
def test_a_truncated_file_in_a_run_folder_is_reported(fitted, tmp_path, name):
    fitted.save(tmp_path / "run")
    whole = (tmp_path / "run" / name).read_bytes()
    (tmp_path / "run" / name).write_bytes(whole[: len(whole) // 2])

    with pytest.raises(ModelError):
        truecopy.load(tmp_path / "run")


def test_a_model_file_with_code_in_it_is_refused(tmp_path):
    inputs = keras.Input((4,))
    keras.Model(inputs, keras.layers.Lambda(lambda x: x)(inputs)).save(tmp_path / "evil.keras")

    with pytest.raises(ModelError, match=r"Keras can't load .*evil.keras' in safe mode"):
        truecopy.models.saving.load_keras(tmp_path / "evil.keras")


def test_rows_of_another_shape_are_refused(fitted):
    with pytest.raises(ShapeMismatch, match=r"have shape \(64,\), but the model takes \(8, 8, 1\)"):
        fitted.reconstruct(np.zeros((3, 64)))


def test_an_unfitted_one_says_so():
    with pytest.raises(NotFittedError, match=r"not fitted yet\. Call fit"):
        truecopy.Autoencoder().encode(np.zeros((2, 2)))


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        (
            "latent",
            0,
            "The 'latent' argument of Autoencoder must be a whole number from 1 up or None",
        ),
        ("latent", 2.5, "The 'latent' argument"),
        ("epochs", 0, "The 'epochs' argument"),
        ("batch_size", -1, "The 'batch_size' argument"),
        ("patience", None, "The 'patience' argument"),
        ("seed", -1, "The 'seed' argument"),
        ("validation", 1.0, "The 'validation' argument"),
        ("learning_rate", 0, "The 'learning_rate' argument"),
        ("noise", "masking:2", "The 'noise' argument"),
        ("noise", 5, "The 'noise' argument"),
        ("validation", "a", "The 'validation' argument"),
        ("learning_rate", "x", "The 'learning_rate' argument"),
        ("seed", 2**31, "The 'seed' argument"),
    ],
)
def test_a_bad_setting_is_refused_before_any_work(setting, value, message):
    with pytest.raises(InvalidArgument, match=message):
        truecopy.Autoencoder(**{setting: value}).fit("this file does not exist")


def test_an_unknown_recipe_is_refused_before_the_data_are_read():
    with pytest.raises(UnknownName, match="Did you mean 'hinton-2006'"):
        truecopy.Autoencoder(model="recipe:hinton").fit("this file does not exist")


def test_a_latent_wider_than_the_row_is_refused(blobs):
    with pytest.raises(InvalidArgument, match="must be a whole number from 1 to 63"):
        truecopy.Autoencoder(latent=64, quiet=True).fit(blobs)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_data_that_are_not_finite_are_refused(bad):
    rows = np.ones((20, 3))
    rows[4, 2] = bad

    with pytest.raises(NonFiniteData, match="row 4 feature 2"):
        truecopy.Autoencoder(quiet=True).fit(rows)


@pytest.mark.parametrize("rows", [np.zeros((0, 3)), np.array([["a"]]), [[1, 2], [3]]])
def test_data_that_cannot_be_learned_from_are_refused(rows):
    with pytest.raises(DataError):
        truecopy.Autoencoder(quiet=True).fit(rows)


@pytest.mark.parametrize(
    "rows",
    [
        np.array([[1.5, 2.5, 3.0], [1.5, 2.0, 3.0]]),
        np.array([[1.0], [2.0], [4.0]]),
        np.zeros((30, 4)),
        np.ones((3, 8, 8, 1), np.uint8),
    ],
)
def test_tiny_and_constant_data_give_finite_copies(rows):
    model = truecopy.Autoencoder(epochs=2, quiet=True).fit(rows)

    assert np.isfinite(model.reconstruct(rows)).all()


def test_it_clones_like_any_estimator():
    model = truecopy.Autoencoder(latent=3, noise="masking:0.1", seed=9)

    assert clone(model).get_params() == model.get_params()


def _factors(rows, features):
    """Rows that two factors explain: a network that starts as PCA learns nothing from noise."""
    generator = np.random.default_rng(1)
    return 0.5 * generator.normal(size=(rows, 2)) @ generator.normal(size=(2, features))


@pytest.mark.parametrize(
    ("rows", "loss"),
    [
        (100 + 20 * _factors(200, 6) + np.random.default_rng(0).normal(size=(200, 6)), "mse"),
        (np.random.default_rng(0).poisson(np.exp(1 + _factors(200, 6))), "poisson"),
        (np.eye(5)[np.random.default_rng(0).integers(0, 5, 200)], "categorical_crossentropy"),
        (
            np.concatenate(
                [np.eye(3)[np.random.default_rng(k).integers(0, 3, 200)] for k in (0, 1)], 1
            ),
            "categorical_crossentropy",
        ),
        (np.tanh(_factors(200, 6)), "mse"),
        (np.random.default_rng(0).standard_t(2, (3000, 4)) + _factors(3000, 4), "huber"),
    ],
)
def test_every_kind_of_plan_trains(rows, loss):
    model = truecopy.Autoencoder(latent=3, epochs=6, quiet=True).fit(rows)

    assert model.plan_.facts.loss.value == loss
    history = model.run_.history["loss"]
    assert history[-1] < history[0]
    assert history[-1] >= model.run_.loss_floor
    assert model.reconstruct(rows).shape == rows.shape


@pytest.mark.parametrize("verb", ["encode", "reconstruct", "score_samples"])
def test_rows_that_are_not_finite_are_refused_where_they_are(fitted, blobs, verb):
    rows = np.concatenate([blobs] * 5).astype(float)
    rows[1400, 0, 3, 0] = np.nan

    with pytest.raises(NonFiniteData, match=r"1 NaN or infinite .* row 1400 feature 3"):
        getattr(fitted, verb)(rows)


def test_negative_counts_are_refused_by_a_model_of_counts():
    counts = np.random.default_rng(0).poisson(200, (50, 4))
    model = truecopy.Autoencoder(epochs=1, quiet=True).fit(counts)

    with pytest.raises(NonFiniteData, match=r"values down to -300 .* trained on counts, from 0"):
        model.reconstruct(counts * 0 - 300)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 20_240_601, 2**31 - 1])
def test_any_seed_of_31_bits_will_do(blobs, seed):
    truecopy.Autoencoder(epochs=1, seed=seed, noise="masking:0.1", quiet=True).fit(blobs)


def test_one_row_is_refused():
    with pytest.raises(
        DataError, match=r"have one row \(n_samples=1\)\. Fitting needs at least two"
    ):
        truecopy.Autoencoder(quiet=True).fit(np.ones((1, 3)))


def test_digits_are_learned():
    model = truecopy.Autoencoder(model="dense", epochs=30, quiet=True).fit("digits")

    assert model.plan_.facts.kind == "levels"
    assert model.score("digits") > 0.5


def test_noise_is_refused_where_a_recipe_leaves_the_data_unscaled(blobs):
    model = truecopy.Autoencoder(model="recipe:vanilla-dense-as-posted", noise="gaussian:0.1")

    with pytest.raises(InvalidArgument, match="noise is in scaled units"):
        model.fit(blobs)


@pytest.mark.slow
@pytest.mark.parametrize(
    "rows",
    [
        np.eye(2)[np.random.default_rng(0).integers(0, 2, (60, 5))],
        np.random.default_rng(0).uniform(size=(60, 2, 30)),
        np.random.default_rng(0).integers(0, 256, (60, 1, 1, 3)).astype(np.uint8),
    ],
)
def test_rows_too_small_for_pictures_are_scored_without_picture_metrics(rows):
    model = truecopy.Autoencoder(epochs=1, quiet=True).fit(rows)

    assert "ssim" not in truecopy.evaluate(model, rows).facts.scores


def test_baselines_do_not_see_the_validation_rows(blobs):
    model = truecopy.Autoencoder(model="dense", epochs=1, quiet=True).fit(blobs)

    expected = "the 270 rows of array's training part (nearest row: of 270)"
    assert model.baselines_.fitted_on == expected
