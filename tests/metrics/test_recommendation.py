from truecopy.facts import ScoreFacts
from truecopy.metrics.evaluate import recommend_pca


def score(value, pca):
    return ScoreFacts(
        value=value,
        perfect=0.0,
        floor=1.0,
        floor_from="mean",
        skill=1 - value,
        ci95=(value, value),
        higher_is_better=False,
        baselines={"pca": pca},
    )


def test_where_pca_copies_better_the_scorecard_recommends_it():
    assert recommend_pca(score(0.5, 0.25)) == [
        (
            "PCA of the same width copies these rows better (mean squared error 0.25, this "
            "model 0.5): use PCA, or train longer or on more rows."
        )
    ]


def test_where_it_does_not_or_there_is_none_nothing_is_said():
    assert recommend_pca(score(0.25, 0.25)) == []
    assert recommend_pca(score(0.5, None)) == []
