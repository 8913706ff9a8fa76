"""Each column's error is the one that is counted by hand, however the rows are cut."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import truecopy
from truecopy.facts import ColumnFacts
from truecopy.metrics.columns import ColumnScores


def column(name, width):
    return ColumnFacts(
        name=name, kind="numeric", because="", dtype="float64", missing=0.0, output="linear",
        loss="mse", centre=(0.0,) * width,
    )  # fmt: skip


@given(cut=st.integers(0, 7), seed=st.integers(0, 9))
@settings(deadline=None)
def test_a_columns_error_is_the_mean_over_its_features_and_the_rows(cut, seed):
    target, own, mean, pca = np.random.default_rng(seed).normal(size=(4, 7, 4))
    scores = ColumnScores.empty((column("a", 1), column("b", 3)))

    for part in (slice(None, cut), slice(cut, None)):
        copies = {"value": own[part], "mean": mean[part], "pca": pca[part]}
        scores = scores.update(target[part], copies)
    found = scores.compute()

    for name, features in (("a", slice(0, 1)), ("b", slice(1, 4))):
        wanted = [np.square(c - target)[:, features].mean() for c in (own, mean, pca)]
        told = (found[name].value, found[name].floor, found[name].pca)
        np.testing.assert_allclose(told, wanted, rtol=1e-12)
        assert found[name].skill == pytest.approx(1 - wanted[0] / wanted[1])


def test_a_column_that_never_changes_has_no_skill_and_no_pca_no_figure():
    target = np.ones((5, 1))

    found = ColumnScores.empty((column("a", 1),)).update(target, {"value": target, "mean": target})

    assert found.compute()["a"].skill is None
    assert found.compute()["a"].pca is None


def test_rows_that_are_no_table_have_no_columns():
    scores = ColumnScores.empty(()).update(np.ones((5, 3)), {"value": np.zeros((5, 3))})

    assert scores.compute() == {}


def test_the_scorecard_of_a_table_has_every_column_and_they_make_up_the_whole():
    generator = np.random.default_rng(0)
    cause = generator.normal(size=300)
    city = np.where(cause > 0.5, "Rome", np.where(cause > -0.5, "Oslo", "Lima"))
    noise = generator.normal(size=300)
    frame = pd.DataFrame({"height": 170 + 10 * cause, "noise": noise, "city": city})
    model = truecopy.Autoencoder(1, epochs=12, learning_rate=0.02, quiet=True).fit(frame)

    card = truecopy.evaluate(model, frame)

    columns = card.facts.columns
    assert list(columns) == ["height", "noise", "city"]
    assert columns["city"].kind == "categorical"
    widths = {"height": 1, "noise": 1, "city": 3}
    whole = sum(widths[name] * found.value for name, found in columns.items()) / 5
    assert card.facts.scores["mse"].value == pytest.approx(whole, rel=1e-5)
    # One latent tells the cause, and nothing of the noise.
    assert columns["height"].skill > 0.8 > columns["noise"].skill
    assert "columns" in str(card)
    assert card.to_dict()["columns"]["city"]["kind"] == "categorical"
