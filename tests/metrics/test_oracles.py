"""Every metric, streamed in any order, split and merge tree, against its formula in float64.

The oracles are written from the formulas, or are scikit-image's, scikit-learn's and SciPy's;
they see all rows at once. The rows themselves are float32, as a model's copies are.
"""

from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import correlate
from scipy.special import rel_entr, xlogy
from scipy.stats import norm
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn.metrics import log_loss, mean_poisson_deviance, r2_score

from truecopy.metrics.bridge import Bridge
from truecopy.metrics.catalogue import METRICS
from truecopy.metrics.derived import Pool, psnr_pooled, r2, rmse
from truecopy.metrics.images import MS_SSIM_SMALLEST_SIDE
from truecopy.metrics.likelihoods import gaussian_nll
from truecopy.metrics.structure import Structure
from truecopy.metrics.tally import Tally

# Flat, grey without and with the last 1, colour.
SHAPES = [(9,), (8, 10), (13, 12, 1), (11, 14, 3)]
LARGE = (MS_SSIM_SMALLEST_SIDE, 180, 1)


@lru_cache
def unit_pair(shape):
    """Black, grey and white targets and their copies, inside (0, 1)."""
    rows = 5 if shape == LARGE else 60
    generator = np.random.default_rng(sum(shape))
    target = generator.integers(0, 256, (rows, *shape)) / 255
    target[generator.uniform(size=target.shape) < 0.4] = 0
    target[generator.uniform(size=target.shape) < 0.2] = 1
    copy = np.clip(target + generator.normal(0, 0.1, target.shape), 1e-4, 1 - 1e-4)
    copy[0] = np.clip(target[0], 1e-4, 1 - 1e-4)
    return target.astype(np.float32), copy.astype(np.float32)


def count_pair(shape):
    generator = np.random.default_rng(3)
    mean = generator.gamma(2.0, 2.0, (60, *shape))
    return generator.poisson(mean).astype(np.float32), (mean + 0.1).astype(np.float32)


def one_hot_pair(shape):
    generator = np.random.default_rng(4)
    chances = generator.dirichlet(np.ones(shape[-1]), (60, *shape[:-1]))
    chosen = np.eye(shape[-1])[generator.integers(0, shape[-1], (60, *shape[:-1]))]
    return chosen.astype(np.float32), chances.astype(np.float32)


def flat(rows):
    return rows.reshape(len(rows), -1)


def levels(rows):
    return np.clip(np.rint(255 * rows), 0, 255)


def per_row(formula):
    """The mean over rows of a formula of two flat rows."""
    return lambda y, p: np.mean([formula(*pair) for pair in zip(flat(y), flat(p), strict=True)])


def binary_cost(y, p):
    p, q = np.maximum(p, 1e-7), np.maximum(1 - p, 1e-7)
    return -(xlogy(y, p) + xlogy(1 - y, q)).mean()


def binary_excess(y, p):
    return (rel_entr(y, p) + rel_entr(1 - y, 1 - p)).mean()


def accuracy(y, p):
    if y.shape[-1] == 1:
        return np.mean((p > 0.5) == y)
    return np.mean(np.argmax(y, axis=-1) == np.argmax(p, axis=-1))


def similarity(y, p):
    return np.mean(
        [
            structural_similarity(
                *pair,
                data_range=1.0,
                gaussian_weights=True,
                sigma=1.5,
                use_sample_covariance=False,
                channel_axis=-1 if y.ndim == 4 else None,
            )
            for pair in zip(y, p, strict=True)
        ]
    )


def similarity_at_scales(y, p):
    """Wang, Simoncelli & Bovik 2003, with a two-dimensional window."""
    offsets = np.arange(11) - 5
    window = np.exp(-np.add.outer(offsets**2, offsets**2) / (2 * 1.5**2))
    window /= window.sum()

    def mean(plane):
        return correlate(plane, window)[5:-5, 5:-5]

    def halve(plane):
        height, width = (side // 2 for side in plane.shape)
        return plane[: 2 * height, : 2 * width].reshape(height, 2, width, 2).mean(axis=(1, 3))

    scores = []
    for planes in zip(y[..., 0], p[..., 0], strict=True):
        (x, z), score = planes, 1.0
        for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
            mx, mz = mean(x), mean(z)
            vx, vz, vxz = mean(x * x) - mx**2, mean(z * z) - mz**2, mean(x * z) - mx * mz
            factor = (2 * vxz + 9e-4) / (vx + vz + 9e-4)
            if scale == 4:
                factor = factor * (2 * mx * mz + 1e-4) / (mx**2 + mz**2 + 1e-4)
            score *= factor.mean() ** weight
            x, z = halve(x), halve(z)
        scores.append(score)
    return np.mean(scores)


ORACLES = {
    "mse": lambda y, p: np.mean((y - p) ** 2),
    "mae": lambda y, p: np.mean(np.abs(y - p)),
    "max_error": lambda y, p: np.abs(y - p).max(),
    "bce": per_row(binary_cost),
    "bce_excess": per_row(binary_excess),
    "poisson_deviance": per_row(mean_poisson_deviance),
    "cross_entropy": per_row(
        lambda y, p: log_loss([y.argmax()], p[None] / p.sum(), labels=range(9))
    ),
    "psnr": per_row(lambda y, p: peak_signal_noise_ratio(y, p, data_range=1.0)),
    "ssim": similarity,
    "ms_ssim": similarity_at_scales,
    "keras_accuracy": accuracy,
    "classic_accuracy": lambda y, p: np.mean(y == np.rint(p)),
    "exact_match": lambda y, p: np.mean(levels(y) == levels(p)),
    # What NumPy's own astype cuts off: in float32, as the copies are.
    "exact_match_truncated": lambda y, p: np.mean(
        levels(y) == (np.float32(255) * p.astype(np.float32)).astype("uint8")
    ),
    "within_area": lambda y, p: np.mean(
        [np.mean(np.abs(levels(y) - levels(p)) <= k) for k in range(256)]
    ),
    "perfect_rows": lambda y, p: np.mean(np.all(flat(levels(y) == levels(p)), axis=1)),
}
PAIRS = {"counts": count_pair, "one-hot": one_hot_pair}
CASES = [
    (name, shape)
    for name, metric in METRICS.items()
    for shape in {
        "large-image": [LARGE],
        # Where the window fits; test_images has the smaller ones.
        "image": SHAPES if name == "psnr" else SHAPES[2:],
        "one-hot": SHAPES[:1],
    }.get(metric.domain, SHAPES)
]


def stream(data, start, *columns):
    """Merge what `start(rows)` gives for any parts of rows in any order, two by two."""
    rows = len(columns[0])
    order = data.draw(st.permutations(range(rows)), "order")
    cuts = data.draw(st.sets(st.integers(1, rows - 1), max_size=4), "cuts")
    edges = [0, *sorted(cuts), rows]
    parts = [start(*(c[order[a:b]] for c in columns)) for a, b in pairwise(edges)]
    while len(parts) > 1:
        chosen = data.draw(st.integers(0, len(parts) - 2), "merged")
        parts[chosen : chosen + 2] = [parts[chosen].merge(parts[chosen + 1])]
    return parts[0]


def test_every_metric_has_an_oracle():
    assert ORACLES.keys() == METRICS.keys()


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_a_metric_is_its_oracle_for_any_split_order_and_merge_tree(name, shape):
    metric = METRICS[name]
    target, copy = PAIRS.get(metric.domain, unit_pair)(shape)
    expected = ORACLES[name](target.astype(np.float64), copy.astype(np.float64))

    def tally(y, p):
        copies = {"value": p, "perfect": y, "blank": np.zeros_like(y)}
        return Tally.empty(metric).update(y, copies, first_row=0)

    @given(data=st.data())
    @settings(deadline=None, max_examples=3 if shape == LARGE else 6)
    def check(data):
        value = stream(data, tally, target, copy).compute().value
        assert value == pytest.approx(expected, rel=1e-6)

    check()


@given(data=st.data())
@settings(deadline=None, max_examples=8)
def test_structure_and_derived_figures_are_their_oracles(data):
    target, copy = unit_pair((13, 12, 1))
    latents = np.random.default_rng(0).normal(size=(len(target), 4)) * [1, 0.05, 2, 0]
    y, p = (flat(rows).astype(np.float64) for rows in (target, copy))

    whole = stream(
        data,
        lambda *parts: Structure.empty(features=y.shape[1], latent=4).update(*parts),
        *(target, copy, latents),
    )

    error, pool = np.mean((y - p) ** 2), Pool(width=1.0, variance=whole.variance)
    assert rmse(error, pool) == pytest.approx(np.sqrt(np.mean((y - p) ** 2)), rel=1e-6)
    assert psnr_pooled(error, pool) == pytest.approx(
        peak_signal_noise_ratio(y, p, data_range=1.0), rel=1e-6
    )
    pooled = 1 - ((y - p) ** 2).sum() / ((y - y.mean(axis=0)) ** 2).sum()
    assert r2(error, pool) == pytest.approx(pooled, rel=1e-6)
    np.testing.assert_allclose(
        whole.r2_per_feature(), r2_score(y, p, multioutput="raw_values"), rtol=1e-6
    )
    told = whole.compute()
    assert told["variance_kept"] == pytest.approx(p.var(axis=0).sum() / y.var(axis=0).sum())
    for rows, name in ((p, "copies_effective_rank"), (latents, "latents_effective_rank")):
        share = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) ** 2
        share = share[share > 1e-20] / share.sum()
        expected = np.exp(-np.sum(share * np.log(share)))
        assert told[name] == pytest.approx(expected, rel=1e-6)
    correlation = np.corrcoef(np.abs(p - y).ravel(), y.ravel())[0, 1]
    assert told["error_input_correlation"] == pytest.approx(correlation, rel=1e-6)
    assert told["latents_active"] == 2  # variances 1, 0.0025, 4 and 0; active is above 0.01


@pytest.mark.parametrize("shape", SHAPES)
@given(data=st.data())
@settings(deadline=None, max_examples=6)
def test_bridge_curve_and_excess_are_their_oracles(shape, data):
    target, copy = unit_pair(shape)
    y, p = (rows.astype(np.float64) for rows in (target, copy))

    whole = stream(data, Bridge.empty().update, target, copy)

    off = np.abs(levels(y) - levels(p))
    curve = [np.mean(off <= k) for k in range(256)]
    np.testing.assert_allclose(whole.compute_tolerance(), curve, rtol=1e-6)
    excess = rel_entr(y, p) + rel_entr(1 - y, 1 - p)
    tones = {"black": y == 0, "grey": (y > 0) & (y < 1), "white": y == 1}
    for tone, chosen in tones.items():
        expected = excess[chosen].sum() / y.size
        assert whole.compute_excess()[tone] == pytest.approx(expected, rel=1e-6)
    told = whole.compute()
    right, exact = (p > 0.5) == y, off == 0
    assert told["targets"] == {tone: chosen.sum() for tone, chosen in tones.items()}
    assert told["bridge"] == {
        "right_exact": (right & exact).sum(),
        "right_not_exact": (right & ~exact).sum(),
        "wrong_exact": (~right & exact).sum(),
        "wrong_not_exact": (~right & ~exact).sum(),
    }


@pytest.mark.parametrize("scale", [0.05, 3.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_gaussian_likelihood_is_scipys(shape, scale):
    target, copy = unit_pair(shape)

    value = gaussian_nll(target, copy, scale=scale).mean()

    y, p = (rows.astype(np.float64) for rows in (target, copy))
    assert value == pytest.approx(-norm.logpdf(y, p, scale).mean(), rel=1e-6)
