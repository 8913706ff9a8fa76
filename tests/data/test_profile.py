import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

import truecopy
from truecopy.errors import NonFiniteData

GENERATOR = np.random.default_rng(1)


class Chunks:
    """Rows given out in batches cut at fixed places, any number of times."""

    def __init__(self, rows, cuts):
        self.parts = [part for part in np.split(rows, cuts) if len(part)]

    def __iter__(self):
        return iter(self.parts)


def test_the_figures_of_mnist_are_those_of_numpy():
    from truecopy.data.datasets.mnist import load_mnist

    images = load_mnist("test")[0]
    exact = images.astype(np.float64)

    facts = truecopy.profile("mnist:test").facts

    assert facts.shape == (28, 28, 1)
    assert (facts.rows, facts.minimum, facts.maximum, facts.levels) == (10_000, 0, 255, 256)
    assert facts.mean == pytest.approx(exact.mean(), rel=1e-12)
    assert facts.spread == pytest.approx(exact.std(), rel=1e-9)
    assert facts.share_zero == (images == 0).mean()
    assert facts.share_maximum == (images == 255).mean()
    flat = images.reshape(10_000, -1)
    assert facts.constant_features == (flat.min(axis=0) == flat.max(axis=0)).sum()
    assert facts.row_sums == (flat.sum(axis=1).min(), flat.sum(axis=1).max())


def test_the_spectrum_is_that_of_pca():
    rows = GENERATOR.normal(size=(200, 6)) @ GENERATOR.normal(size=(6, 6))
    kept = PCA().fit(rows).explained_variance_ratio_.cumsum()

    spectrum = truecopy.profile(rows).facts.spectrum

    np.testing.assert_allclose(spectrum.kept, kept[np.array(spectrum.widths) - 1], rtol=1e-9)
    assert spectrum.exact


def test_a_wide_spectrum_comes_from_a_stated_sample():
    rows = GENERATOR.normal(size=(60, 3000)).astype(np.float32)
    kept = PCA().fit(rows).explained_variance_ratio_.cumsum()

    spectrum = truecopy.profile(rows).facts.spectrum

    assert (spectrum.rows, spectrum.exact) == (60, True)
    np.testing.assert_allclose(spectrum.kept[:3], kept[[0, 1, 2]], rtol=1e-4)


@given(st.lists(st.integers(1, 99), max_size=5))
@settings(deadline=None, max_examples=20)
def test_any_split_gives_the_same_profile(cuts):
    rows = np.random.default_rng(5).poisson(3, (100, 4))

    whole = truecopy.profile(rows).facts
    parts = truecopy.profile(Chunks(rows, sorted(cuts))).facts

    for name in (
        "rows",
        "minimum",
        "maximum",
        "levels",
        "integers",
        "binary",
        "row_sums",
        "share_zero",
        "share_maximum",
        "share_inside_unit",
    ):
        assert getattr(parts, name) == getattr(whole, name)
    assert parts.mean == pytest.approx(whole.mean, rel=1e-12)
    assert parts.tails == pytest.approx(whole.tails, rel=1e-9)


def test_nan_and_infinities_are_counted_and_located():
    rows = GENERATOR.normal(size=(2000, 3))
    rows[5, 1] = np.nan
    rows[1500, 2] = np.inf
    rows[1999, 0] = -np.inf

    profile = truecopy.profile(rows)

    found = profile.facts.non_finite
    assert (found.nan, found.infinite) == (1, 2)
    assert found.places == ((5, 1), (1500, 2), (1999, 0))
    assert profile.facts.mean == pytest.approx(np.delete(rows, [5, 1500, 1999], 0).mean())
    with pytest.raises(NonFiniteData) as error:
        truecopy.plan(profile)
    assert str(error.value) == (
        "The data 'array' have 1 NaN and 2 infinite values (first: row 5 feature 1, row 1500 "
        "feature 2, row 1999 feature 0). Remove these rows or fill the values in."
    )


@pytest.mark.parametrize(
    ("widths", "zeros"), [((3,), 0), ((2, 4), 0), ((3, 3, 3), 0), ((2, 5), 2), ((1, 4), 0)]
)
def test_one_hot_groups_are_found(widths, zeros):
    groups = [np.eye(width)[GENERATOR.integers(0, width, 200)] for width in widths]
    rows = np.concatenate([*groups, np.zeros((200, zeros))], axis=1)

    found = truecopy.profile(rows).facts.groups

    assert found == (*widths[:-1], widths[-1] + zeros)


@pytest.mark.parametrize(
    "rows",
    [
        GENERATOR.integers(0, 2, (200, 6)),
        np.eye(4)[GENERATOR.integers(0, 4, 200)] * 2,
        np.ones((200, 3)),
        # Two ones in every row, but in any two places.
        GENERATOR.permuted(np.tile([1, 1, 0, 0, 0], (200, 1)), axis=1),
    ],
)
def test_other_rows_have_no_one_hot_groups(rows):
    assert truecopy.profile(rows).facts.groups == ()


def test_one_hot_steps_are_groups_also_where_a_step_never_takes_its_first_class():
    classes = GENERATOR.integers(0, 4, (200, 5))
    classes[:, 1] = 2
    classes[:, 3] = np.maximum(classes[:, 3], 1)

    assert truecopy.profile(np.eye(4)[classes]).facts.groups == (4,) * 5


@pytest.mark.parametrize("rows", [np.tile([0, 1, 0, 1], (10, 1)), [[0, 1, 1, 0]]])
def test_rows_that_never_vary_have_no_one_hot_groups(rows):
    assert truecopy.profile(np.asarray(rows)).facts.groups == ()


def test_values_whose_squares_overflow_have_no_spectrum():
    assert truecopy.profile(np.full((4, 2), 1e300) * [[1], [-1], [1], [1]]).facts.spectrum is None


def test_a_profile_prints_and_is_json():
    profile = truecopy.profile("digits")

    assert "digits" in str(profile)
    assert profile.to_dict()["rows"] == 1797
    assert max(map(len, str(profile).splitlines())) <= 80


def test_one_row_and_one_feature_have_a_profile():
    facts = truecopy.profile(np.array([[3.5]])).facts

    assert (facts.rows, facts.constant_features, facts.spectrum) == (1, 1, None)
