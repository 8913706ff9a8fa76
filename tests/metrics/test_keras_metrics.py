"""The Keras metrics equal the float64 row functions, streamed, compiled, saved and loaded."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops
from sklearn.metrics import r2_score

from truecopy.errors import InvalidArgument
from truecopy.metrics.images import psnr, ssim
from truecopy.metrics.keras_metrics import PSNR, R2, SSIM, BCEExcess, ExactMatch, Within
from truecopy.metrics.likelihoods import bce_excess
from truecopy.metrics.pixels import exact_match


def within_3(target, prediction):
    levels = (np.rint(np.clip(255.0 * array, 0, 255)) for array in (target, prediction))
    return (np.abs(np.subtract(*levels)) <= 3).reshape(len(target), -1).mean(axis=1)


ROW_FUNCTIONS = {
    PSNR: psnr,
    SSIM: ssim,
    BCEExcess: bce_excess,
    ExactMatch: exact_match,
    Within: within_3,
}
CLASSES = [*ROW_FUNCTIONS, R2]


def make(kind, **settings):
    return kind(3, **settings) if kind is Within else kind(**settings)


def pair(shape=(12, 12, 1), rows=12, noise=0.05):
    generator = np.random.default_rng(0)
    target = generator.integers(0, 256, (rows, *shape)) / 255
    target[generator.uniform(size=target.shape) < 0.5] = 0
    prediction = np.clip(target + generator.normal(0, noise, target.shape), 0, 1)
    return target.astype(np.float32), prediction.astype(np.float32)


def value_of(metric):
    return float(ops.convert_to_numpy(metric.result()))


def expected_value(kind, target, prediction, weights=None):
    """What the row functions, or for R2 its formula, say in float64."""
    if kind is R2:
        y, p = (array.reshape(len(array), -1).astype(np.float64) for array in (target, prediction))
        each = np.ones((len(y), 1)) if weights is None else weights[:, None]
        mean = (each * y).sum(axis=0) / each.sum()
        return 1 - (each * (y - p) ** 2).sum() / (each * (y - mean) ** 2).sum()
    rows = ROW_FUNCTIONS[kind](target.astype(np.float64), prediction.astype(np.float64))
    return np.average(rows, weights=weights)


def scored(kind, target, prediction, weights=None):
    metric = make(kind)
    metric.update_state(target, prediction, sample_weight=weights)
    return value_of(metric)


@pytest.mark.parametrize(
    ("shape", "noise"),
    [
        ((12, 12, 1), 0.3),
        ((12, 12, 1), 1e-2),
        ((12, 12, 1), 1e-4),
        ((11, 12), 0.1),
        ((5, 30, 3), 0.1),
    ],
)
@pytest.mark.parametrize("kind", CLASSES)
def test_a_metric_is_its_row_function(kind, shape, noise):
    target, prediction = pair(shape, noise=noise)

    value = scored(kind, target, prediction)

    assert value == pytest.approx(expected_value(kind, target, prediction), rel=1e-5)


@pytest.mark.parametrize("noise", [1e-2, 1e-4])
@pytest.mark.parametrize("kind", [SSIM, BCEExcess])
def test_faint_errors_on_bright_smooth_pictures_keep_their_digits(kind, noise):
    generator = np.random.default_rng(1)
    ramp = np.linspace(0.9, 1, 400).reshape(1, 20, 20, 1)
    target = np.repeat(ramp, 20, axis=0).astype(np.float32)
    prediction = np.clip(target + generator.normal(0, noise, target.shape), 0, 1)
    prediction = prediction.astype(np.float32)

    value = scored(kind, target, prediction)

    assert value == pytest.approx(expected_value(kind, target, prediction), rel=1e-5)


@pytest.mark.parametrize("kind", CLASSES)
def test_any_split_gives_the_whole(kind):
    target, prediction = pair()
    metric, whole = make(kind), scored(kind, target, prediction)

    # Few sizes of batches, for every new one is compiled; one metric, for so are its variables.
    @given(st.permutations(range(12)), st.sets(st.sampled_from([4, 8])))
    @settings(deadline=None, max_examples=5)
    def check(order, cuts):
        metric.reset_state()
        for rows in np.split(np.array(order), sorted(cuts)):
            metric.update_state(target[rows], prediction[rows])
        assert value_of(metric) == pytest.approx(whole, rel=1e-6)

    check()


@pytest.mark.parametrize("kind", CLASSES)
def test_row_by_row_gives_the_whole(kind):
    target, prediction = pair()
    metric = make(kind)

    for row in range(12):
        metric.update_state(target[[row]], prediction[[row]])

    assert value_of(metric) == pytest.approx(scored(kind, target, prediction), rel=1e-6)


@pytest.mark.parametrize("kind", CLASSES)
def test_weights_count_rows_that_often(kind):
    target, prediction = pair()
    weights = np.array([0, 1, 2, 0, 3, 1, 1, 0, 0.5, 2, 1, 0])

    value = scored(kind, target, prediction, weights)

    expected = expected_value(kind, target, prediction, weights)
    assert value == pytest.approx(expected, rel=1e-5)
    # The shape that Keras' own losses of images want.
    assert scored(kind, target, prediction, weights[:, None, None]) == value


@pytest.mark.parametrize("kind", CLASSES)
def test_batches_with_weights_add_up(kind):
    target, prediction = pair()
    weights = np.random.default_rng(2).uniform(0, 2, 12)
    weights[:4] = 0  # a whole batch that counts nothing
    metric = make(kind)

    for rows in np.split(np.arange(12), 3):
        metric.update_state(target[rows], prediction[rows], sample_weight=weights[rows])

    expected = expected_value(kind, target, prediction, weights)
    assert value_of(metric) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", CLASSES)
def test_one_row_and_an_exact_copy(kind):
    target, _ = pair(rows=1)
    perfect = {PSNR: np.inf, BCEExcess: 0}.get(kind, 1)

    assert scored(kind, target, target) == perfect


@pytest.mark.parametrize("kind", CLASSES)
def test_a_reset_forgets_everything(kind):
    target, prediction = pair()
    metric = make(kind)
    metric.update_state(target, target)

    metric.reset_state()

    assert value_of(metric) == 0
    metric.update_state(target, prediction)
    assert value_of(metric) == pytest.approx(scored(kind, target, prediction), rel=1e-6)


def test_an_exact_copy_that_counts_nothing_leaves_the_psnr_finite():
    target, prediction = pair(rows=2)
    prediction[0] = target[0]

    value = scored(PSNR, target, prediction, np.array([0.0, 1.0]))

    assert value == pytest.approx(psnr(target, prediction)[1], rel=1e-5)
    assert scored(PSNR, target, prediction) == np.inf


def test_small_batches_are_not_lost_beside_a_large_sum():
    # One row weighs 2^24, beside which float32 forgets a 1; 200 rows right and 200 wrong follow.
    target, prediction = np.zeros((401, 4)), np.zeros((401, 4))
    prediction[201:] = 1
    weights = np.array([2.0**24] + 400 * [1.0])
    model = model_of([], [ExactMatch()], shape=(4,))

    logs = model.evaluate(
        prediction, target, sample_weight=weights, batch_size=1, verbose=0, return_dict=True
    )

    assert logs["exact_match"] == pytest.approx((2**24 + 200) / (2**24 + 400), rel=1e-7)


def test_r2_of_large_values_keeps_its_digits():
    generator = np.random.default_rng(3)
    # Mean 1000, spread 2: sums of float32 squares would be off by a tenth.
    target = (1000 + generator.normal(0, 2, (2000, 5))).astype(np.float32)
    prediction = (target + generator.normal(0, 1, target.shape)).astype(np.float32)
    metric = R2()

    for rows in np.split(np.arange(2000), 50):
        metric.update_state(target[rows], prediction[rows])

    expected = expected_value(R2, target, prediction)
    assert value_of(metric) == pytest.approx(expected, rel=1e-5)


def test_r2_is_scikit_learns_where_no_feature_is_constant():
    target, prediction = np.random.default_rng(5).normal(size=(2, 40, 6)).astype(np.float32)
    weights = np.random.default_rng(6).uniform(0, 2, 40)
    expected = r2_score(target, prediction, sample_weight=weights, multioutput="variance_weighted")

    assert scored(R2, target, prediction, weights) == pytest.approx(expected, rel=1e-5)


def test_r2_of_the_mean_row_is_0_and_of_constants_as_scikit_learn_has_it():
    target, _ = pair(rows=50)
    mean = np.broadcast_to(target.mean(axis=0), target.shape)
    constant = np.full((7, 3), 0.1, np.float32)

    assert scored(R2, target, mean) == pytest.approx(0, abs=1e-6)
    assert scored(R2, constant, constant) == 1
    assert scored(R2, constant, constant + 1) == 0


def test_grey_levels_are_cut_off_at_black_and_white():
    target = np.array([[0.0, 1.0]])

    assert scored(ExactMatch, target, np.array([[-0.2, 1.2]])) == 1


@pytest.mark.parametrize(("levels", "share"), [(0, 0.25), (3, 0.5), (4, 0.75), (255, 1)])
def test_within_counts_values_up_to_its_levels_off(levels, share):
    metric = Within(levels)

    metric.update_state(np.full((1, 4), 100 / 255), np.array([[100, 103, 96, 255]]) / 255)

    assert value_of(metric) == share
    assert metric.name == f"within_{levels}"


@pytest.mark.parametrize("kind", CLASSES)
def test_bytes_and_half_precision_are_computed_in_the_metrics_own_type(kind):
    target, prediction = pair()
    target, prediction = np.rint(target), np.clip(prediction, 0, 1).astype(np.float16)

    value = scored(kind, target.astype(np.uint8), prediction)

    assert value == pytest.approx(expected_value(kind, target, prediction), rel=1e-5)


def model_of(metrics, weighted=(), shape=(12, 12, 1)):
    model = keras.Sequential([keras.Input(shape), keras.layers.Activation("linear")])
    model.compile(loss="mse", metrics=list(metrics), weighted_metrics=list(weighted))
    return model


def test_compiled_and_evaluated_they_equal_the_row_functions():
    target, prediction = pair(rows=50)
    weights = np.random.default_rng(4).uniform(0, 2, 50)
    plain = [make(kind) for kind in CLASSES]
    weighted = [make(kind, name=f"weighted_{kind.__name__}") for kind in CLASSES]
    model = model_of(plain, weighted)

    # 50 rows in batches of 16: the last one is short.
    logs = model.evaluate(
        prediction,
        target,
        sample_weight=weights[:, None, None],
        batch_size=16,
        verbose=0,
        return_dict=True,
    )

    for kind, metric, other in zip(CLASSES, plain, weighted, strict=True):
        expected = expected_value(kind, target, prediction)
        assert logs[metric.name] == pytest.approx(expected, rel=1e-5)
        expected = expected_value(kind, target, prediction, weights)
        assert logs[other.name] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if kind not in {SSIM, R2}])
def test_pictures_of_any_size_can_be_scored(kind):
    target, prediction = pair()
    metric = make(kind)
    model = model_of([metric], shape=(None, None, 1))

    logs = model.evaluate(prediction, target, batch_size=5, verbose=0, return_dict=True)

    expected = expected_value(kind, target, prediction)
    assert logs[metric.name] == pytest.approx(expected, rel=1e-5)


def test_fit_reports_them_and_early_stopping_knows_their_direction():
    target, prediction = pair(rows=32)
    model = keras.Sequential([keras.Input((12, 12, 1)), keras.layers.Conv2D(1, 1)])
    model.compile(loss="mse", metrics=[make(kind) for kind in CLASSES])
    watch = {name: keras.callbacks.EarlyStopping(name) for name in ("ssim", "bce_excess", "r2")}

    history = model.fit(
        prediction, target, epochs=2, verbose=0, callbacks=list(watch.values())
    ).history

    assert history.keys() >= {"psnr", "ssim", "bce_excess", "exact_match", "within_3", "r2"}
    better = {name: callback.monitor_op(2, 1) for name, callback in watch.items()}
    assert better == {"ssim": True, "bce_excess": False, "r2": True}


def test_a_saved_model_loads_in_safe_mode_with_its_metrics(tmp_path):
    target, prediction = pair(rows=20)
    metrics = [
        PSNR(2.0, name="decibels"),
        SSIM(2.0),
        BCEExcess(),
        ExactMatch(),
        Within(5, dtype="float32"),
        R2(),
    ]
    model = model_of(metrics)
    before = model.evaluate(prediction, target, verbose=0, return_dict=True)
    model.save(tmp_path / "model.keras")

    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)

    after = loaded.evaluate(prediction, target, verbose=0, return_dict=True)
    assert after == pytest.approx(before, rel=1e-6)
    assert after.keys() >= {"decibels", "ssim", "bce_excess", "exact_match", "within_5", "r2"}


@pytest.mark.parametrize("kind", CLASSES)
def test_a_config_makes_the_same_metric_under_the_packages_name(kind):
    config = keras.saving.serialize_keras_object(make(kind))

    again = keras.saving.deserialize_keras_object(config)

    assert config["registered_name"] == f"truecopy>{kind.__name__}"
    assert type(again) is kind
    assert again.get_config() == make(kind).get_config()


@pytest.mark.parametrize("kind", CLASSES)
def test_shapes_that_differ_are_refused(kind):
    expected = (
        rf"The 'y_pred' argument of {kind.__name__} must be of the targets' shape "
        r"\(2, 12, 12\)\. Got \(2, 12, 12, 1\)\."
    )

    with pytest.raises(InvalidArgument, match=expected):
        make(kind).update_state(np.zeros((2, 12, 12)), np.zeros((2, 12, 12, 1)))


@pytest.mark.parametrize("kind", CLASSES)
def test_a_weight_per_pixel_is_refused(kind):
    target, prediction = pair(rows=2)
    expected = r"must be one weight per row\. Got \(2, 12, 12\)\."

    with pytest.raises(InvalidArgument, match=expected):
        make(kind).update_state(target, prediction, sample_weight=np.ones((2, 12, 12)))


@pytest.mark.parametrize("shape", [(2, 144), (2, 2, 12), (2, 12, 2, 1)])
def test_ssim_refuses_what_has_no_window(shape):
    with pytest.raises(InvalidArgument, match=r"pictures of one size with sides of at least 3"):
        SSIM().update_state(np.zeros(shape), np.zeros(shape))


@pytest.mark.parametrize("kind", [PSNR, SSIM])
def test_a_data_range_must_be_above_0(kind):
    with pytest.raises(InvalidArgument, match=rf"of {kind.__name__} must be above 0\. Got 0"):
        kind(0)


@pytest.mark.parametrize("levels", [-1, 256, 0.5])
def test_levels_must_be_grey_levels(levels):
    with pytest.raises(InvalidArgument, match=r"must be an integer from 0 to 255\. Got"):
        Within(levels)
