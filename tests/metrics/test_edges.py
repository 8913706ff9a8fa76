"""What can't be scored is refused with the numbers found; what is defined is scored and said."""

import numpy as np
import pytest

import truecopy
from truecopy.errors import (
    EmptyData,
    InvalidArgument,
    ModelError,
    NonFiniteData,
    ShapeMismatch,
)
from truecopy.metrics.evaluate import evaluate


@pytest.fixture(scope="module")
def denoiser(blobs):
    settings = {"epochs": 1, "noise": "gaussian:0.3", "quiet": True, "model": "dense"}
    return truecopy.Autoencoder(latent=4, **settings).fit(blobs)


def fade(rows):
    return rows * np.float32(0.9)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (lambda rows: rows[..., 0], ShapeMismatch, "never broadcast"),
        (
            lambda rows: rows * np.nan,
            ModelError,
            r"19,200 NaN or infinite values in 300 of rows 0 to 299 \(first: 0, 1, 2, 3, 4\)",
        ),
        (7, ModelError, r"of them \(encoder, decoder\) or a function. Got int"),
    ],
)
def test_a_model_that_does_not_copy_is_refused(blobs, model, error, message):
    with pytest.raises(error, match=message):
        evaluate(model, blobs)


def test_rows_of_another_shape_or_number_are_refused(denoiser, blobs):
    with pytest.raises(ShapeMismatch):
        evaluate(denoiser, np.zeros((5, 9, 9, 1), np.uint8))
    with pytest.raises(ShapeMismatch, match="The targets' rows have shape"):
        evaluate(denoiser, blobs, target=blobs[:, :, :, 0])
    with pytest.raises(ShapeMismatch, match="different numbers of rows"):
        evaluate(denoiser, blobs, target=blobs[:200])


def test_rows_that_are_not_finite_are_refused(denoiser):
    rows = np.full((10, 8, 8, 1), 0.5)
    rows[3, 0, 2, 0] = np.nan

    with pytest.raises(NonFiniteData, match="row 3 feature 2"):
        evaluate(denoiser, rows)


def test_labels_of_another_length_are_refused(denoiser, blobs):
    with pytest.raises(InvalidArgument, match="one label per row, shape"):
        evaluate(denoiser, blobs, labels=np.zeros(7))


def test_targets_that_are_not_finite_are_refused(denoiser, blobs):
    target = blobs.astype(float)
    target[2, 0, 0, 0] = np.inf

    with pytest.raises(NonFiniteData, match="row 2 feature 0"):
        evaluate(denoiser, blobs, target=target)


def test_noise_and_a_target_together_are_refused(denoiser, blobs):
    with pytest.raises(InvalidArgument, match="None where a target is given"):
        evaluate(denoiser, blobs, target=blobs, noise="gaussian:1")


def test_a_bad_seed_is_refused(denoiser, blobs):
    with pytest.raises(InvalidArgument, match="The 'seed' argument of evaluate"):
        evaluate(denoiser, blobs, seed=-1)


def test_labels_are_counted_before_the_work_begins(blobs):
    def never(_):
        raise AssertionError

    with pytest.raises(InvalidArgument, match=r"one label per row, shape \(300,\)\. Got \(299,\)"):
        evaluate(never, blobs, labels=np.zeros(299))


def test_some_rows_that_are_not_finite_are_counted_and_named(blobs):
    def spoil(rows):
        copies = rows.copy()
        copies[[3, 40], 0, :2] = np.nan
        return copies

    expected = r"4 NaN or infinite values in 2 of rows 0 to 299 \(first: 3, 40\)"
    with pytest.raises(ModelError, match=expected):
        evaluate(spoil, blobs)


def test_a_target_with_fewer_rows_is_refused(blobs):
    with pytest.raises(ShapeMismatch, match="different numbers of rows"):
        evaluate(fade, blobs[:200], target=blobs)


def test_no_rows_are_refused(blobs):
    with pytest.raises(EmptyData, match="it has no rows"):
        evaluate(fade, blobs[:0])


def test_one_row_is_scored_and_said_to_be_one(blobs):
    card = evaluate(fade, blobs[:1], train=blobs)

    score = card.facts.scores["mse"]
    expected = ((0.1 * blobs[0] / 255.0) ** 2).mean()
    assert score.value == pytest.approx(expected, rel=1e-5)
    assert score.ci95 == (score.value, score.value)
    assert "There is one row only: no interval says how other rows would do." in card.facts.notes
    assert "mse" in str(card)


@pytest.mark.parametrize(("copy", "r2"), [(lambda rows: rows, 1), (fade, 0)])
def test_rows_that_dont_vary_have_an_r2_by_definition_and_it_is_said(copy, r2, tmp_path):
    card = evaluate(copy, np.full((5, 8, 8, 1), 7, np.uint8))

    assert card.facts.scores["r2"].value == r2
    assert (card.details.feature_r2 == r2).all()
    assert card.facts.structure["variance_kept"] is None
    assert any(note.startswith("The rows don't vary: r2 is 1") for note in card.facts.notes)
    card.save(tmp_path / "card.html")


def test_uniform_targets_have_a_loss_floor_of_half_a_nat_and_binary_ones_of_0():
    generator = np.random.default_rng(0)
    uniform, binary = generator.uniform(size=(500, 200)), generator.integers(0, 2, (500, 200))

    grey, sharp = (evaluate(fade, rows.astype(np.float32)).facts for rows in (uniform, binary))

    # The entropy of Bernoulli(y) has the mean 1/2 and the deviation 0.19 for uniform y.
    assert grey.scores["bce"].perfect == pytest.approx(0.5, abs=4 * 0.19 / 100_000**0.5)
    assert grey.explain["bce"]["floor"] == grey.scores["bce"].perfect
    # But for Keras' epsilon, which charges 1e-7 for a 0 or a 1.
    assert sharp.scores["bce"].perfect == pytest.approx(0, abs=2e-7)


def test_details_are_the_errors_of_each_row_and_feature(blobs):
    card = evaluate(fade, blobs, train=blobs)

    clean = blobs / 255.0
    error = 0.1 * clean
    np.testing.assert_allclose(card.row_errors, (error**2).mean(axis=(1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(card.details.feature_errors, error.mean(axis=0), rtol=1e-5)
    expected = 1 - (error**2).sum(axis=0) / ((clean - clean.mean(axis=0)) ** 2).sum(axis=0)
    np.testing.assert_allclose(card.details.feature_r2, expected, rtol=1e-4)
    assert card.details.pca_row_errors.shape == (0,)  # a function has no latent
