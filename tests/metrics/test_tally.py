"""Any split, order and merge tree of the rows gives the same scores, bridge and structure."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import r2_score

from truecopy.metrics.bridge import Bridge
from truecopy.metrics.catalogue import METRICS
from truecopy.metrics.derived import Pool, psnr_pooled, r2, rmse
from truecopy.metrics.structure import Structure, effective_rank
from truecopy.metrics.tally import Tally, draw_weights, measure_skill

GENERATOR = np.random.default_rng(0)
ROWS = 2500
TARGET = np.where(
    GENERATOR.uniform(size=(ROWS, 4, 4)) < 0.6,
    GENERATOR.integers(0, 2, (ROWS, 4, 4)),
    GENERATOR.integers(0, 256, (ROWS, 4, 4)) / 255,
).astype(np.float32)
COPY = np.clip(TARGET + GENERATOR.normal(0, 0.05, TARGET.shape), 0, 1).astype(np.float32)
LATENTS = GENERATOR.normal(size=(ROWS, 3)) * [1, 0.01, 2]
CUTS = st.lists(st.integers(0, ROWS), max_size=4)


def parts_of(cuts):
    edges = [0, *sorted(cuts), ROWS]
    return [(a, b) for a, b in pairwise(edges) if b > a]


def merged(parts, random):
    """Merge the parts two by two in an order drawn at random."""
    parts = list(parts)
    while len(parts) > 1:
        random.shuffle(parts)
        parts.append(parts.pop().merge(parts.pop()))
    return parts[0]


@pytest.mark.parametrize("name", ["mse", "max_error", "bce", "exact_match", "perfect_rows"])
@given(cuts=CUTS, random=st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=8)
def test_any_split_and_merge_tree_gives_the_same_score(name, cuts, random):
    empty = Tally.empty(METRICS[name])

    def tally(a, b):
        copies = {"value": COPY[a:b], "perfect": TARGET[a:b], "blank": np.zeros_like(TARGET[a:b])}
        return empty.update(TARGET[a:b], copies, first_row=a)

    whole = tally(0, ROWS).compute()
    parts = merged([tally(a, b) for a, b in parts_of(cuts)], random).compute()

    for figure in ("value", "perfect", "floor", "skill"):
        assert getattr(parts, figure) == pytest.approx(getattr(whole, figure), rel=1e-9)
    assert parts.ci95 == pytest.approx(whole.ci95, rel=1e-9)


def test_the_interval_is_as_wide_as_theory_says():
    values = METRICS["mse"].rows(TARGET, COPY)
    tally = Tally.empty(METRICS["mse"])

    score = tally.update(
        TARGET, {"value": COPY, "perfect": TARGET, "blank": TARGET * 0}, first_row=0
    ).compute()

    low, high = score.ci95
    assert low < score.value < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / ROWS**0.5, rel=0.08)


def test_bootstrap_weights_depend_on_the_rows_number_alone():
    whole, sums = draw_weights(0, 3000)

    np.testing.assert_array_equal(draw_weights(1000, 1500)[0], whole[1000:2500])
    np.testing.assert_array_equal(sums, whole.sum(axis=0))
    assert whole.mean() == pytest.approx(1, abs=0.01)
    assert whole.var() == pytest.approx(1, abs=0.01)


@given(cuts=CUTS, random=st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=10)
def test_the_bridge_adds_up_to_the_last_pixel_for_any_split(cuts, random):
    parts = [Bridge.empty().update(TARGET[a:b], COPY[a:b]) for a, b in parts_of(cuts)]

    told = merged(parts, random).compute()

    levels, copied = np.rint(TARGET * 255), np.rint(COPY * 255)
    right, exact = (COPY > 0.5) == TARGET, levels == copied
    bridge = told["bridge"]
    assert sum(bridge.values()) == sum(told["targets"].values()) == TARGET.size
    assert bridge["right_exact"] + bridge["right_not_exact"] == right.sum()
    assert bridge["right_exact"] + bridge["wrong_exact"] == exact.sum()
    assert told["targets"]["black"] == (TARGET == 0).sum()
    assert told["targets"]["white"] == (TARGET == 1).sum()
    assert told["right"]["grey"] == 0
    truncated = levels == np.floor(COPY * np.float32(255))
    assert told["only_rounded"] == (exact & ~truncated).sum()
    assert told["only_truncated"] == (truncated & ~exact).sum()


def test_the_excess_by_tone_is_the_whole_excess():
    bridge = Bridge.empty().update(TARGET, COPY)

    by_tone = bridge.compute_excess()

    expected = METRICS["bce_excess"].rows(TARGET, COPY).mean()
    assert sum(by_tone.values()) == pytest.approx(expected, rel=1e-5)


def test_the_tolerance_curve_counts_values_within_k_levels():
    bridge = Bridge.empty().update(TARGET, COPY)
    off = np.abs(np.rint(TARGET * 255) - np.rint(COPY * 255))

    curve = bridge.compute_tolerance()

    assert len(curve) == 256
    assert curve[0] == METRICS["exact_match"].rows(TARGET, COPY).mean()
    assert curve[-1] == 1
    for k in (1, 10, 100):
        assert curve[k] == pytest.approx((off <= k).mean(), rel=1e-12)
    area = METRICS["within_area"].rows(TARGET, COPY).mean()
    assert np.mean(curve) == pytest.approx(area, rel=1e-9)


@given(cuts=CUTS, random=st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=8)
def test_the_structure_is_that_of_numpy_for_any_split(cuts, random):
    empty = Structure.empty(features=16, latent=3)
    parts = [empty.update(TARGET[a:b], COPY[a:b], LATENTS[a:b]) for a, b in parts_of(cuts)]

    whole = merged(parts, random)

    y, p = (rows.reshape(ROWS, 16).astype(np.float64) for rows in (TARGET, COPY))
    told = whole.compute()
    assert told["variance_kept"] == pytest.approx(p.var(axis=0).sum() / y.var(axis=0).sum())
    share = np.linalg.eigvalsh(np.cov(p.T))
    share /= share.sum()
    assert told["copies_effective_rank"] == pytest.approx(np.exp(-(share * np.log(share)).sum()))
    correlation = np.corrcoef(np.abs(p - y).ravel(), y.ravel())[0, 1]
    assert told["error_input_correlation"] == pytest.approx(correlation, rel=1e-5)
    assert told["latents_active"] == 2
    np.testing.assert_allclose(
        whole.r2_per_feature(), r2_score(y, p, multioutput="raw_values"), rtol=1e-5
    )
    pooled = r2_score(y, p, multioutput="variance_weighted")
    assert r2(((y - p) ** 2).mean(), Pool(1, whole.variance)) == pytest.approx(pooled, rel=1e-6)


def test_equal_directions_have_full_effective_rank():
    assert effective_rank(np.ones(7)) == pytest.approx(7)
    assert effective_rank(np.zeros(3)) == 0


def test_pooled_psnr_and_rmse_are_scikit_images_and_numpys():
    from skimage.metrics import peak_signal_noise_ratio

    y, p = TARGET.astype(np.float64), COPY.astype(np.float64)
    error, pool = ((y - p) ** 2).mean(), Pool(1, 1)

    assert psnr_pooled(error, pool) == pytest.approx(peak_signal_noise_ratio(y, p, data_range=1))
    assert rmse(error, pool) == pytest.approx(np.sqrt(error))
    assert psnr_pooled(0.0, pool) == np.inf


def test_r2_is_defined_where_nothing_varies():
    assert r2(0.0, Pool(1, 0.0)) == 1
    assert r2(0.5, Pool(1, 0.0)) == 0


@pytest.mark.parametrize(
    ("value", "floor", "perfect", "skill"),
    [(0.5, 1, 0, 0.5), (2, 1, 0, -1), (1, 1, 1, None), (20, 10, np.inf, None), (0, 1, 0, 1)],
)
def test_skill_is_the_share_of_the_way_from_floor_to_ceiling(value, floor, perfect, skill):
    assert measure_skill(value, floor, perfect) == skill
