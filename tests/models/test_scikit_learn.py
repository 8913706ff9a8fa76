"""An Autoencoder is a scikit-learn estimator in all that scikit-learn does with one."""

import copy
import io
import json
import pickle
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import truecopy
from truecopy.errors import ModelError, ShapeMismatch, UnsafeData
from truecopy.models.pickling import restore_estimator

QUICK = {"epochs": 2, "quiet": True}
NAMES = ["age", "height", "weight", "income"]


@pytest.fixture(scope="module")
def rows():
    """120 rows of 4 numbers with one hidden cause."""
    generator = np.random.default_rng(0)
    return generator.normal(size=(120, 1)) * [1, 2, -1, 3] + generator.normal(0, 0.1, (120, 4))


@pytest.fixture(scope="module")
def frame(rows):
    return pd.DataFrame(rows, columns=NAMES)


@pytest.fixture(scope="module")
def fitted(frame):
    return truecopy.Autoencoder(latent=2, **QUICK).fit(frame)


# How many there are in scikit-learn 1.9.1: fewer passed would mean that some were left out.
@pytest.mark.slow
@pytest.mark.parametrize(("name", "checks"), [("Autoencoder", 47), ("OutlierDetector", 47)])
def test_every_check_of_scikit_learn_passes_and_none_is_skipped(name, checks, tmp_path):
    program = Path(__file__).with_name("scikit_learn_checks.py")

    ran = subprocess.run(
        [sys.executable, "-W", "ignore", program, name, tmp_path],
        capture_output=True,
        text=True,
        check=True,
    )

    verdicts = json.loads(ran.stdout.splitlines()[-1])
    assert [verdict for verdict in verdicts if verdict[1] != "passed"] == []
    assert len(verdicts) >= checks


@pytest.mark.slow
def test_it_searches_a_grid_inside_a_pipeline(rows):
    pipeline = make_pipeline(StandardScaler(), truecopy.Autoencoder(**QUICK))

    search = GridSearchCV(pipeline, {"autoencoder__latent": [1, 2]}, cv=2).fit(rows)

    assert search.best_params_["autoencoder__latent"] in {1, 2}
    # The score is the skill: higher is better, and at most 1.
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert (search.cv_results_["mean_test_score"] < 1).all()


def test_it_stands_before_a_classifier_and_in_a_column_transformer(frame):
    encoder = ColumnTransformer(
        [("latent", truecopy.Autoencoder(latent=1, **QUICK), NAMES[:3])], remainder="passthrough"
    )
    labels = frame["income"] > 0

    model = make_pipeline(encoder, LogisticRegression()).fit(frame, labels)

    assert model.score(frame, labels) > 0.9
    assert list(encoder.fit(frame).get_feature_names_out()) == [
        "latent__latent_0",
        "remainder__income",
    ]


@pytest.mark.parametrize(("library", "kind"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_latents_come_as_a_frame_where_asked(fitted, frame, library, kind):
    asked = copy.copy(fitted).set_output(transform=library)

    latents = asked.transform(frame)

    assert isinstance(latents, kind)
    assert list(latents.columns) == ["latent_0", "latent_1"]
    np.testing.assert_array_equal(latents.to_numpy(), fitted.encode(frame))
    if library == "pandas":
        assert latents.index.equals(frame.index)


@pytest.mark.parametrize("verb", ["transform", "score", "score_samples"])
def test_scikit_learns_verbs_refuse_columns_in_another_order(fitted, frame, verb):
    with pytest.raises(ValueError, match="Feature names must be in the same order"):
        getattr(fitted, verb)(frame[NAMES[::-1]])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_our_own_verbs_put_columns_in_order_by_name(fitted, frame, library):
    other = frame[NAMES[::-1]]
    if library == "polars":
        other = pl.from_pandas(other)

    np.testing.assert_array_equal(fitted.encode(other), fitted.encode(frame))
    np.testing.assert_array_equal(fitted.reconstruct(other), fitted.reconstruct(frame))


def test_columns_that_are_missing_or_unknown_are_named(fitted, frame):
    message = (
        r"not those of the training: they lack 'age' and have unknown 'years'\. Give it data like"
    )
    with pytest.raises(ShapeMismatch, match=message):
        fitted.reconstruct(frame.rename(columns={"age": "years"}))


def test_rows_of_another_width_are_refused_in_scikit_learns_words(fitted, rows):
    message = "X has 3 features, but Autoencoder is expecting 4 features as input"
    with pytest.raises(ShapeMismatch, match=message):
        fitted.encode(rows[:, :3])


def test_an_array_of_objects_that_are_numbers_is_taken(fitted, rows):
    np.testing.assert_array_equal(fitted.encode(rows.astype(object)), fitted.encode(rows))
    with pytest.raises(UnsafeData, match=r"not all numbers: .* not 'dict'"):
        fitted.encode(np.array([[{}, 1, 2, 3]], object))


def test_what_is_pickled_gives_the_same_after_unpickling(fitted, frame):
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301 (our own)

    np.testing.assert_array_equal(again.reconstruct(frame), fitted.reconstruct(frame))
    np.testing.assert_array_equal(again.encode(frame), fitted.encode(frame))
    np.testing.assert_allclose(again.decode(again.encode(frame)), again.reconstruct(frame), 1e-5)
    assert again.run_ == fitted.run_
    assert again.profile_.facts == fitted.profile_.facts
    assert again.get_params() == fitted.get_params()


def test_unpickling_makes_objects_of_no_module_but_ours_and_numpys(fitted):
    made = set()

    class Watching(pickle.Unpickler):
        def find_class(self, module, name):
            made.add(module.partition(".")[0])
            return super().find_class(module, name)

    with_model = truecopy.Autoencoder(model=fitted.model_)
    for estimator in (fitted, with_model):
        Watching(io.BytesIO(pickle.dumps(estimator))).load()

    assert made == {"truecopy", "numpy"}


def test_a_doctored_model_in_a_pickle_is_refused(fitted, tmp_path):
    inputs = keras.Input((4,))
    keras.Model(inputs, keras.layers.Lambda(lambda x: x)(inputs)).save(tmp_path / "evil.keras")
    kind, plain, models = fitted.__reduce__()[1]

    with pytest.raises(ModelError, match="in safe mode"):
        restore_estimator(kind, plain, models | {"model_": (tmp_path / "evil.keras").read_bytes()})


def test_a_clone_is_unfitted_and_has_a_keras_model_of_its_own(blobs):
    plain = truecopy.Autoencoder(latent=3, model="dense", **QUICK).fit(blobs).model_
    told = truecopy.Autoencoder(model=plain, **QUICK)

    other = clone(told)

    assert not hasattr(other, "run_")
    assert other.model is not plain
    assert {**other.get_params(), "model": 0} == {**told.get_params(), "model": 0}
    assert other.fit(blobs).run_.latent == 3


def test_pictures_are_taken_as_they_are(blobs):
    model = truecopy.Autoencoder(latent=3, model="dense", **QUICK).fit(blobs)

    assert model.n_features_in_ == 64
    assert model.get_feature_names_out().tolist() == ["latent_0", "latent_1", "latent_2"]
