import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError

import truecopy
from truecopy.errors import EmptyData, InvalidArgument
from truecopy.models.calibration import calibrate_on_all, calibrate_on_held_out

# One hidden cause, so that one latent tells all there is to know of an ordinary row.
LOADINGS = np.array([1.0, 2.0, -1.0, 0.5, 3.0])


def draw(rows, seed):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(rows, 1)) * LOADINGS + generator.normal(0, 0.1, (rows, 5))


@pytest.fixture(scope="module")
def fitted():
    settings = {"epochs": 15, "learning_rate": 0.01, "batch_size": 32, "quiet": True}
    return truecopy.OutlierDetector(latent=1, **settings).fit(draw(500, 0))


@pytest.fixture(scope="module")
def odd():
    """One ordinary row, and one whose third feature breaks the rule that binds all five."""
    ordinary = LOADINGS[None, :]
    return np.concatenate([ordinary, ordinary + np.array([0, 0, 4, 0, 0])])


def test_a_row_that_breaks_the_rule_is_an_outlier_and_an_ordinary_one_is_not(fitted, odd):
    assert fitted.predict(odd).tolist() == [1, -1]
    np.testing.assert_array_equal(
        fitted.decision_function(odd), fitted.score_samples(odd) - fitted.offset_
    )
    assert (fitted.decision_function(odd) < 0).tolist() == [False, True]


def test_contributions_add_up_to_the_score_and_name_the_feature_at_fault(fitted, odd):
    parts = fitted.contributions(odd)

    assert parts.shape == (2, 5)
    np.testing.assert_allclose(parts.sum(axis=1), -fitted.score_samples(odd), rtol=1e-12)
    assert parts[1].argmax() == 2


def test_the_threshold_holds_its_promise_on_new_rows(fitted):
    flagged = (fitted.predict(draw(4000, 1)) == -1).mean()

    assert fitted.calibration_.asked == 0.05
    assert fitted.calibration_.rows == 100
    # 100 rows fix the rate to within 0.05 +- 0.022 (one standard deviation).
    assert flagged == pytest.approx(0.05, abs=0.06)


def test_a_contamination_flags_that_share_of_the_rows_given(fitted):
    told = clone(fitted).set_params(contamination=0.1, epochs=1)

    told.fit(draw(200, 0))

    assert (told.predict(draw(200, 0)) == -1).sum() == 20
    assert told.calibration_.taken_from.startswith("all 200 rows given to fit")


@pytest.mark.parametrize(
    ("rows", "false_alarms", "place", "promised"),
    [
        # k = ceil((n + 1)(1 - alpha)), by hand.
        (19, 0.05, 19, 0.05),
        (99, 0.05, 95, 0.05),
        (9, 0.1, 9, 0.1),
        (100, 0.05, 96, 5 / 101),
    ],
)
def test_the_threshold_is_the_conformal_quantile(rows, false_alarms, place, promised):
    errors = np.random.default_rng(0).permutation(np.arange(1.0, rows + 1))

    found = calibrate_on_held_out(errors, false_alarms)

    assert found.threshold == place
    assert found.promised == pytest.approx(promised)
    assert not found.note


def test_too_few_rows_for_the_promise_say_what_they_can_promise():
    found = calibrate_on_held_out(np.arange(1.0, 9.0), 0.05)

    assert found.threshold == 8
    assert found.promised == pytest.approx(1 / 9)
    assert found.note == (
        "8 held-out rows can't promise 0.05: that takes 19. The threshold is the largest error "
        "among them."
    )


def test_a_contaminations_threshold_is_scikit_learns():
    """IsolationForest takes the same percentile of its own scores."""
    rows = draw(100, 0)
    forest = IsolationForest(n_estimators=10, contamination=0.07, random_state=0).fit(rows)

    found = calibrate_on_all(-forest.score_samples(rows), 0.07)

    assert -found.threshold == pytest.approx(forest.offset_, rel=1e-12)


@pytest.mark.parametrize(
    ("setting", "value", "must_be"),
    [
        ("contamination", 0, "'auto' or a share above 0, at most 0.5. Got 0."),
        ("contamination", "none", "'auto' or a share above 0, at most 0.5. Got 'none'."),
        ("false_alarms", 0.6, "a share above 0, at most 0.5. Got 0.6."),
        ("calibration", 1.0, "a share above 0, at most 0.9. Got 1.0."),
        ("calibration", None, "a share above 0, at most 0.9. Got None."),
    ],
)
def test_a_bad_setting_is_refused_before_any_work(setting, value, must_be):
    with pytest.raises(InvalidArgument) as caught:
        truecopy.OutlierDetector(**{setting: value}).fit("this file does not exist")

    assert str(caught.value) == (f"The '{setting}' argument of OutlierDetector must be {must_be}")


def test_too_few_rows_to_keep_some_are_refused():
    message = r"have 2 row\(s\) .*: too few different ones to keep a share of 0\.2"
    with pytest.raises(EmptyData, match=message):
        truecopy.OutlierDetector(quiet=True).fit(np.ones((2, 3)))


def test_an_unfitted_one_says_so():
    with pytest.raises(NotFittedError, match=r"OutlierDetector is not fitted yet\. Call fit"):
        truecopy.OutlierDetector().predict(np.ones((2, 2)))


def test_what_is_pickled_gives_the_same_after_unpickling(fitted, odd):
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301 (our own)

    np.testing.assert_array_equal(again.decision_function(odd), fitted.decision_function(odd))


def test_pictures_have_contributions_in_their_shape(blobs):
    settings = {"latent": 2, "model": "dense", "epochs": 1, "quiet": True}
    detector = truecopy.OutlierDetector(**settings).fit(blobs)

    assert detector.contributions(blobs[:3]).shape == (3, 8, 8, 1)


def test_pyods_conventions_hold():
    frame = pd.DataFrame(draw(100, 0), columns=list("abcde"))
    told = truecopy.OutlierDetector(latent=1, epochs=1, quiet=True)

    detector = truecopy.PyodDetector(told, contamination=0.07).fit(frame)

    assert detector.labels_.sum() == 7
    np.testing.assert_array_equal(detector.decision_function(frame), detector.decision_scores_)
    np.testing.assert_array_equal(detector.predict(frame), detector.labels_)
    # Higher is more abnormal, and labels are those above the threshold.
    assert detector.decision_scores_[detector.labels_ == 1].min() > detector.threshold_
    assert detector.decision_scores_[detector.labels_ == 0].max() <= detector.threshold_
    assert not hasattr(told, "autoencoder_")


def test_the_report_names_the_rows_and_the_features_at_fault(fitted, odd):
    report = fitted.report(np.concatenate([draw(50, 3), odd]), most=2)

    worst = report.facts.worst[0]
    assert (worst.row, worst.outlier) == (51, True)
    assert next(iter(worst.columns)) == "x2"
    assert worst.distance == pytest.approx(-fitted.score_samples(odd)[1])
    assert len(report.facts.worst) == 2
    assert report.facts.flagged == (report.distances > fitted.calibration_.threshold).sum()
    assert sum(report.facts.counts) == report.facts.rows == 52


def test_the_reports_shares_are_those_of_the_contributions(fitted, odd):
    worst = fitted.report(odd).facts.worst[0]

    parts = fitted.contributions(odd)[1]
    assert worst.columns["x2"] == pytest.approx(parts[2] / parts.sum())


def test_a_frames_columns_are_named_in_text_and_page(tmp_path):
    rows = pd.DataFrame(draw(200, 0), columns=[*"abcd", "<b>"])
    detector = truecopy.OutlierDetector(latent=1, epochs=3, quiet=True).fit(rows)
    rows.loc[7, "<b>"] = 1e3

    report = detector.report(rows, most=1)
    report.save(tmp_path / "report.html")

    assert "Outliers in" in str(report)
    assert "of 200 rows" in str(report)
    assert report.facts.worst[0].row == 7
    assert next(iter(report.facts.worst[0].columns)) == "<b>"
    page = (tmp_path / "report.html").read_text()
    assert "&lt;b&gt;" in page
    assert "had no part in the training" in page
    assert "Floor:" not in page


@pytest.mark.parametrize("most", [0, 1.5, True, "ten"])
def test_the_number_of_rows_to_name_is_checked(fitted, odd, most):
    with pytest.raises(InvalidArgument, match="'most'"):
        fitted.report(odd, most=most)
