import json

import keras
import numpy as np
import pytest

import truecopy
from truecopy.data.datasets.mnist import load_mnist
from truecopy.data.plan import plan
from truecopy.data.profile import profile
from truecopy.data.sources import open_source
from truecopy.errors import ModelError, ShapeMismatch, TruecopyError
from truecopy.metrics.baselines import fit_baselines
from truecopy.metrics.catalogue import METRICS
from truecopy.metrics.compare import compare
from truecopy.metrics.evaluate import evaluate
from truecopy.metrics.tally import BASELINES


@pytest.fixture(scope="module")
def denoiser(blobs):
    settings = {"epochs": 5, "noise": "gaussian:0.3", "quiet": True, "model": "dense"}
    return truecopy.Autoencoder(latent=4, **settings).fit(blobs)


def perfect(rows):
    return rows


@pytest.fixture(scope="module")
def mnist_test_scores():
    """Scores of the perfect copy on the test images, with PCA-16 fitted on all of train."""
    train = open_source("mnist")
    units = plan(profile(load_mnist("train")[0][:1000]))
    found = {}
    for latent in (16, 32):
        baselines = fit_baselines(train, units, latent=latent)
        test = units.scaling.apply(load_mnist("test")[0])
        found[latent] = ((baselines.pca.reconstruct(test) - test) ** 2).mean(dtype=np.float64)
        mean = baselines.pca.mean.reshape(28, 28, 1)
        found["mean"] = ((test - mean) ** 2).mean(dtype=np.float64)
        found["blank"] = (test.astype(np.float64) ** 2).mean()
    return found


def test_the_known_figures_of_mnist_test_hold(mnist_test_scores):
    # Published in the project's design, to the last digit.
    assert f"{mnist_test_scores['mean']:.6f}" == "0.067470"
    assert f"{mnist_test_scores[16]:.6f}" == "0.026860"
    assert f"{mnist_test_scores[32]:.6f}" == "0.016828"
    assert f"{mnist_test_scores['blank']:.6f}" == "0.113958"


@pytest.fixture(scope="module")
def train_figures():
    """Accuracy of a blank page, accuracy and cross-entropy of a perfect copy, on train."""
    images = load_mnist("train")[0]
    pages = [part.astype(np.float32) / 255 for part in np.array_split(images, 60)]
    return [
        np.mean([METRICS[name].rows(page, page * kept).mean() for page in pages])
        for name, kept in (("keras_accuracy", 0), ("keras_accuracy", 1), ("bce", 1))
    ]


def test_the_known_figures_of_mnist_train_hold(train_figures):
    assert [f"{figure:.7f}" for figure in train_figures] == ["0.8087977", "0.8154789", "0.0583633"]


@pytest.mark.slow
def test_the_known_figures_of_mnist_train_hold_in_a_scorecard():
    scores = evaluate(perfect, "mnist").facts.scores

    accuracy = scores["keras_accuracy"]
    assert f"{accuracy.baselines['blank']:.7f}" == "0.8087977"
    assert f"{accuracy.perfect:.7f}" == "0.8154789"
    assert accuracy.resolves_to == "binary_accuracy"
    assert f"{scores['bce'].perfect:.7f}" == "0.0583633"
    assert {score.skill for score in scores.values()} == {1, None}


@pytest.mark.slow
def test_keras_denoising_sample_reproduces_the_first_question():
    # 'Accuracy 81.25 %: are the images perfect?' The sample, trained from clean to clean.
    settings = {"noise": None, "epochs": 3, "batch_size": 32, "quiet": True, "seed": 0}
    sample = truecopy.Autoencoder(model="recipe:keras-denoising", **settings)
    sample.fit(load_mnist("train")[0][:10_000])

    facts = evaluate(sample, "mnist").facts

    accuracy, exact = facts.scores["keras_accuracy"], facts.scores["exact_match"]
    told = facts.explain["keras_accuracy"]
    assert 0.8087977 < accuracy.value < 0.8154789
    assert told["keras_float32"] == pytest.approx(accuracy.value, rel=1e-5)
    total, bridge = 60_000 * 784, told["bridge"]
    assert sum(bridge.values()) == sum(told["targets"].values()) == total
    right = round(accuracy.value * total)
    assert accuracy.value == pytest.approx(right / total, rel=1e-12)
    assert bridge["right_exact"] + bridge["right_not_exact"] == right
    assert right - bridge["right_not_exact"] + bridge["wrong_exact"] == round(exact.value * total)
    truncated = right - bridge["right_not_exact"] + bridge["wrong_exact"]
    truncated += told["only_truncated"] - told["only_rounded"]
    assert truncated == round(facts.scores["exact_match_truncated"].value * total)


def test_scores_are_the_means_over_all_rows(denoiser, blobs):
    from truecopy.data.noise import corrupt

    clean = blobs.astype(np.float32) / 255
    noisy = corrupt(clean, denoiser.noise_, seed=0)
    copy = keras.ops.convert_to_numpy(denoiser.model_(noisy))

    facts = evaluate(denoiser, blobs, train=blobs).facts

    score = facts.scores["mse"]
    assert score.value == pytest.approx(((copy - clean) ** 2).mean(), rel=1e-5)
    assert score.baselines["copy_input"] == pytest.approx(((noisy - clean) ** 2).mean(), rel=1e-5)
    assert score.baselines["mean"] == pytest.approx(clean.var(axis=0).mean(), rel=1e-5)
    assert score.baselines["constant"] == pytest.approx(clean.var(), rel=1e-5)
    assert score.baselines["blank"] == pytest.approx((clean**2).mean(), rel=1e-5)
    assert score.skill == pytest.approx((score.floor - score.value) / score.floor)
    assert facts.noise == "gaussian:0,0.3"


@pytest.fixture(scope="module")
def photographs():
    """Bright pictures whose commonest value is a dark grey: neither 0 nor 1, nor the middle."""
    generator = np.random.default_rng(5)
    rows = generator.integers(100, 256, (40, 8, 8, 1))
    rows[generator.uniform(size=rows.shape) < 0.2] = 60
    rows[generator.uniform(size=rows.shape) < 0.1] = 255
    rows[0, 0, 0, 0] = 0
    return rows.astype(np.uint8)


@pytest.mark.parametrize("pictures", ["blobs", "photographs"])
def test_the_best_constants_are_the_best(pictures, request):
    rows = request.getfixturevalue(pictures)
    facts = evaluate(perfect, rows, train=rows).facts
    clean = rows.astype(np.float32) / 255

    for name in (
        *("mse", "mae", "max_error", "bce", "bce_excess", "keras_accuracy", "classic_accuracy"),
        *("exact_match", "exact_match_truncated", "within_area"),
    ):
        metric = METRICS[name]
        pool = np.max if metric.pool == "max" else np.mean
        tried = [
            pool(metric.rows(clean, np.full_like(clean, np.float32(level) / np.float32(255))))
            for level in range(256)
        ]
        best = max(tried) if metric.higher_is_better else min(tried)
        assert facts.scores[name].baselines["constant"] == pytest.approx(best, rel=4e-3), name


def test_the_best_constant_for_counts_is_their_mean():
    # Wide ones are scaled by log(1 + x), whose mean is another one.
    generator = np.random.default_rng(0)
    counts = generator.poisson(generator.gamma(0.5, 2000, (50, 6)))

    score = evaluate(perfect, counts, train=counts).facts.scores["poisson_deviance"]

    mean = np.full(counts.shape, counts.mean())
    expected = METRICS["poisson_deviance"].rows(counts.astype(float), mean).mean()
    assert score.baselines["constant"] == pytest.approx(expected, rel=1e-5)


def test_the_floor_is_the_best_trivial_copy(denoiser, blobs):
    for score in evaluate(denoiser, blobs).facts.scores.values():
        trivial = {
            name: score.baselines[name] for name in ("blank", "constant", "mean", "copy_input")
        }
        best = max(trivial.values()) if score.higher_is_better else min(trivial.values())
        assert score.floor == best
        assert trivial[score.floor_from] == best


def test_the_interval_holds_the_value_and_is_as_wide_as_theory_says(denoiser, blobs):
    from truecopy.metrics.errors import mse

    rows = np.concatenate([blobs] * 10)
    score = evaluate(denoiser, rows, noise="none").facts.scores["mse"]
    clean = rows.astype(np.float32) / 255
    errors = mse(clean, keras.ops.convert_to_numpy(denoiser.model_(clean)))

    low, high = score.ci95

    assert low < score.value < high
    assert high - low == pytest.approx(2 * 1.96 * errors.std() / len(rows) ** 0.5, rel=0.1)


def test_json_keeps_its_contract(denoiser, blobs):
    plain = json.loads(evaluate(denoiser, blobs).to_json())

    assert plain["rows"] == 300
    assert plain["shape"] == [8, 8, 1]
    assert plain["data_range"] == [0, 1]
    assert plain["latent"] == 4
    for score in plain["scores"].values():
        keys = {"value", "perfect", "floor", "floor_from", "skill", "ci95", "baselines"}
        assert keys <= set(score)
        assert tuple(score["baselines"]) == BASELINES
    assert plain["scores"]["keras_accuracy"]["resolves_to"] == "binary_accuracy"
    assert "keras_accuracy" in plain["explain"]


def test_target_scores_noisy_rows_against_clean_ones(denoiser, blobs):
    noisy = np.clip(blobs.astype(int) + 20, 0, 255).astype(np.uint8)

    facts = evaluate(denoiser, noisy, target=blobs).facts

    expected = (((noisy.astype(float) - blobs) / 255) ** 2).mean()
    assert facts.scores["mse"].baselines["copy_input"] == pytest.approx(expected, rel=1e-5)


def test_noise_none_shows_a_denoiser_the_clean_rows(denoiser, blobs):
    facts = evaluate(denoiser, blobs, noise="none").facts

    assert facts.noise is None
    assert facts.scores["mse"].baselines["copy_input"] is None


def test_scores_do_not_depend_on_batches(denoiser, blobs):
    rows = np.concatenate([blobs] * 5)

    class Chunks:
        def __iter__(self):
            return iter(np.split(rows, [1, 7, 1100]))

    assert evaluate(denoiser, Chunks()).facts.scores == evaluate(denoiser, rows).facts.scores


def test_scores_do_not_depend_on_the_pieces_that_large_rows_are_cut_into(
    denoiser, blobs, monkeypatch
):
    whole = evaluate(denoiser, blobs).to_dict()

    monkeypatch.setattr("truecopy.metrics.scoring._VALUES", 7 * blobs[0].size)
    pieces = evaluate(denoiser, blobs).to_dict()

    for name, score in whole["scores"].items():
        for key in {"value", "ci95", "perfect"} & {k for k, v in score.items() if v is not None}:
            assert pieces["scores"][name][key] == pytest.approx(score[key], rel=1e-9, abs=1e-12)


def test_a_flat_keras_model_is_scored_on_images_and_its_accuracy_is_that_of_flat_rows(blobs):
    inputs = keras.Input((64,))
    model = keras.Model(inputs, keras.layers.Dense(64)(keras.layers.Dense(3)(inputs)))

    facts = evaluate(model, blobs).facts

    assert facts.latent == 3
    assert facts.scores["keras_accuracy"].resolves_to == "categorical_accuracy"


def test_a_trained_raw_model_is_scored_in_the_datas_units(blobs):
    settings = {"model": "recipe:vanilla-dense-as-posted", "epochs": 1, "quiet": True}
    posted = truecopy.Autoencoder(**settings).fit(blobs)

    score = evaluate(posted, blobs).facts.scores["mse"]

    # A softmax over 64 pixels in raw grey levels is black: nearly a blank page.
    assert score.value == pytest.approx(score.baselines["blank"], rel=0.05)
    assert score.skill < 0


def test_examples_are_the_best_median_and_worst_rows(denoiser, blobs):
    card = evaluate(denoiser, blobs)
    errors = [example.error for example in card.examples.rows]

    assert [example.title for example in card.examples.rows] == (
        ["best"] * 3 + ["median"] * 3 + ["worst"] * 3
    )
    assert errors[:3] == sorted(errors[:3])
    assert errors[-3] == max(errors)
    for example in card.examples.rows:
        copied = example.reconstruction.astype(np.float64)
        assert ((copied - example.original) ** 2).mean() == pytest.approx(example.error, rel=1e-5)
        np.testing.assert_array_equal(example.original, blobs[example.row].astype(np.float32) / 255)


def test_a_scorecard_prints_and_saves(denoiser, blobs, tmp_path):
    card = evaluate(denoiser, blobs)

    for name in ("card.json", "card.txt", "card.html"):
        card.save(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 100
    assert "mse" in str(card)
    assert "<" in card._repr_html_()
    with pytest.raises(TruecopyError):
        card.save(tmp_path / "card.pdf")


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (255 * 0.9, "takes scaled units and gives the data's own ones"),
        (0.9 / 255, "takes the data's own units and gives scaled ones"),
    ],
)
def test_a_model_in_other_units_is_brought_to_one_unit_and_told_so(blobs, factor, words):
    card = evaluate(lambda rows: rows * np.float32(factor), blobs)

    expected = ((0.1 * blobs / 255.0) ** 2).mean()
    assert card.facts.scores["mse"].value == pytest.approx(expected, rel=1e-4)
    assert words in card.facts.notes[-1]


def test_a_healthy_scaled_model_is_left_alone(blobs):
    card = evaluate(lambda rows: rows * np.float32(0.9), blobs)

    assert not any("brought to" in note for note in card.facts.notes)


def test_an_encoder_and_a_decoder_are_scored_as_one(denoiser, blobs):
    parts = evaluate([denoiser.encoder_, denoiser.decoder_], blobs, noise="none")
    whole = evaluate(denoiser, blobs, noise="none")

    assert parts.facts.scores["mse"].value == whole.facts.scores["mse"].value
    assert parts.facts.structure["latents_active"] == whole.facts.structure["latents_active"]


def test_an_untrained_model_and_a_memory_of_rows_are_baselines(denoiser, blobs):
    score = evaluate(denoiser, blobs, noise="none", train=blobs).facts.scores["mse"]

    assert score.baselines["untrained"] > score.value
    # All rows are remembered here, and each is nearest to itself.
    assert score.baselines["nearest"] == 0


def test_the_error_of_each_class_is_that_of_its_rows(denoiser, blobs):
    labels = np.arange(300) % 3

    card = evaluate(denoiser, blobs, labels=labels)

    assert set(card.facts.classes) == {"0", "1", "2"}
    for label in range(3):
        expected = card.row_errors[labels == label].mean()
        assert card.facts.classes[str(label)] == pytest.approx(expected)


def test_a_model_compared_with_itself_is_too_close_to_call(denoiser, blobs):
    card = evaluate(denoiser, blobs)

    found = compare(card, card).facts.differences

    assert all(difference.better is None for difference in found.values())
    assert "neither" in str(compare(card, card))


def test_scorecards_of_other_rows_are_not_compared(denoiser, blobs):
    with pytest.raises(ShapeMismatch, match="different rows"):
        compare(evaluate(denoiser, blobs), evaluate(denoiser, blobs[:200]))


def test_derived_figures_follow_from_the_mean_squared_error(denoiser, blobs):
    facts = evaluate(denoiser, blobs).facts
    mse, clean = facts.scores["mse"], blobs / 255.0

    assert facts.scores["rmse"].value == pytest.approx(mse.value**0.5)
    assert facts.scores["rmse"].ci95 == pytest.approx(tuple(b**0.5 for b in mse.ci95))
    assert facts.scores["psnr_pooled"].value == pytest.approx(-10 * np.log10(mse.value))
    assert facts.scores["r2"].value == pytest.approx(
        1 - mse.value / clean.var(axis=0).mean(), rel=1e-5
    )
    assert facts.scores["psnr_pooled"].skill is None


def test_a_run_folder_and_a_keras_file_are_scored_by_their_paths(denoiser, blobs, tmp_path):
    denoiser.save(tmp_path / "run")

    trained = evaluate(denoiser, blobs).facts.scores
    assert evaluate(tmp_path / "run", blobs).facts.scores == trained
    # A bare model does not say that it was trained with noise.
    plain = evaluate(denoiser.model_, blobs).facts.scores
    assert evaluate(str(tmp_path / "run" / "model.keras"), blobs).facts.scores == plain


def test_a_keras_file_that_holds_code_is_not_run(blobs, tmp_path):
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Lambda(lambda rows: rows)])
    model.save(tmp_path / "model.keras")

    with pytest.raises(ModelError, match="in safe mode"):
        evaluate(tmp_path / "model.keras", blobs)


def test_a_path_that_is_no_model_is_refused(blobs):
    with pytest.raises(ModelError, match=r"There is no run folder or \.keras file 'text'\."):
        evaluate("text", blobs)


def test_a_comparison_of_two_models_is_paired_row_by_row(blobs):
    rows = np.concatenate([blobs] * 4)
    faint, fainter = (
        evaluate(lambda seen, kept=kept: seen * np.float32(kept), rows) for kept in (0.9, 0.89)
    )

    found = compare(faint, fainter).facts.differences["mse"]

    clean = rows / 255.0
    differences = ((0.1**2 - 0.11**2) * clean**2).mean(axis=(1, 2, 3))
    assert found.difference == pytest.approx(differences.mean(), rel=1e-4)
    low, high = found.ci95
    assert high - low == pytest.approx(2 * 1.96 * differences.std() / len(rows) ** 0.5, rel=0.15)
    assert found.better == faint.facts.model


def test_the_nearest_training_row_is_scikit_learns(blobs):
    from sklearn.neighbors import NearestNeighbors

    train, rows = blobs[:200], blobs[200:]
    known, seen = (part.reshape(len(part), -1) / 255.0 for part in (train, rows))

    score = evaluate(perfect, rows, train=train).facts.scores["mse"]

    _, nearest = NearestNeighbors(n_neighbors=1).fit(known).kneighbors(seen)
    expected = ((known[nearest[:, 0]] - seen) ** 2).mean()
    assert score.baselines["nearest"] == pytest.approx(expected, rel=1e-5)


def test_skill_against_pca_takes_pca_for_the_floor(denoiser, blobs):
    score = evaluate(denoiser, blobs, noise="none").facts.scores["mse"]

    linear = score.baselines["pca"]
    assert score.skill_pca == pytest.approx((linear - score.value) / linear)


def test_large_pictures_have_a_multi_scale_similarity():
    rows = np.random.default_rng(0).integers(0, 256, (2, 176, 180), dtype=np.uint8)

    score = evaluate(lambda seen: seen * np.float32(0.9), rows).facts.scores["ms_ssim"]

    clean = rows.astype(np.float32) / np.float32(255)
    expected = METRICS["ms_ssim"].rows(clean, clean * np.float32(0.9)).mean()
    assert score.value == pytest.approx(expected, rel=1e-6)
    assert score.perfect == 1
