"""The pictures: the right pixels, the same bytes each time, nobody else's settings touched."""

import io
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from truecopy.facts import Example, Examples, RunFacts
from truecopy.reports.figures import (
    DARK,
    LIGHT,
    draw_curves,
    draw_image,
    draw_lines,
    is_image,
    measure_error,
    show_curves,
    show_mean_error,
    show_rows,
)

UNIT = (0.0, 1.0)
BUDGET = 300_000


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def run(losses=(0.3, 0.2, 0.1), validation=(0.31, 0.22, 0.15), *, floor=0.0583633):
    return RunFacts(
        model="$x$",
        latent=16,
        parameters=235_920,
        rows=55_000,
        validation_rows=5_000,
        epochs=len(losses),
        best_epoch=2,
        batch_size=128,
        optimizer="$\\frac$",
        learning_rate=0.001,
        noise=None,
        seed=7,
        stopped="done",
        seconds=61.44,
        loss_floor=floor,
        history={"loss": losses, "val_loss": validation},
        versions={},
    )


def examples(shape, *, count=3, noisy=True, error=0.25):
    rng = np.random.default_rng(0)
    rows = []
    for row in range(count):
        original = rng.random(shape, dtype=np.float32) / 2
        rows.append(
            Example(
                title="best",
                row=row,
                error=error,
                original=original,
                noisy=rng.random(shape, dtype=np.float32) if noisy else None,
                reconstruction=original + np.float32(error),
            )
        )
    return Examples(rows=tuple(rows), mean_error=np.full(shape, error))


@pytest.mark.parametrize(
    ("shape", "image"),
    [
        ((28, 28), True),
        ((28, 28, 1), True),
        ((28, 28, 3), True),
        ((28, 28, 2), False),
        ((28, 28, 4), False),
        ((784,), False),
        ((4, 8, 8, 3), False),
    ],
)
def test_rows_are_pictures_when_they_are_grey_or_coloured(shape, image):
    assert is_image(shape) is image


def test_bounds_are_black_and_white_and_what_lies_outside_is_clipped():
    row = np.array([[-2.0, -1.0], [1.0, 7.0]])

    drawn = pixels(draw_image(row, (-1.0, 1.0), side=28))

    np.testing.assert_array_equal(drawn, [[0, 0], [255, 255]])


def test_colours_are_drawn_as_they_are():
    row = np.array([[[1.0, 0.0, 0.0], [0.0, 0.2, 1.0]]])

    drawn = pixels(draw_image(row, UNIT, side=28))

    np.testing.assert_array_equal(drawn, [[[255, 0, 0], [0, 51, 255]]])


def test_one_channel_is_drawn_as_grey():
    assert pixels(draw_image(np.zeros((5, 4, 1)), UNIT, side=28)).shape == (5, 4)


def test_a_large_picture_is_averaged_down_in_its_proportions():
    row = np.zeros((400, 200))
    row[::2] = 1

    drawn = pixels(draw_image(row, UNIT, side=100))

    assert drawn.shape == (100, 50)
    np.testing.assert_array_equal(drawn, 128)


def test_values_that_are_not_finite_do_not_stop_a_picture():
    row = np.array([[np.nan, np.inf], [-np.inf, 0.5]])

    drawn = pixels(draw_image(row, UNIT, side=28))

    np.testing.assert_array_equal(drawn, [[0, 255], [0, 128]])


def test_an_image_row_shows_original_noisy_copy_and_error():
    rows, top = show_rows(examples((8, 8)), UNIT, budget=BUDGET)

    assert [p.label for p in rows[0].pictures] == ["original", "noisy", "copy", "error"]
    assert top == pytest.approx(0.25, rel=1e-6)


def test_the_noisy_picture_is_left_out_where_there_is_no_noise():
    rows, _ = show_rows(examples((8, 8), noisy=False), UNIT, budget=BUDGET)

    assert [p.label for p in rows[0].pictures] == ["original", "copy", "error"]


@pytest.mark.parametrize("shape", [(20,), (5, 4, 2)])
def test_other_rows_are_one_chart_in_light_and_dark(shape):
    rows, _ = show_rows(examples(shape), None, budget=BUDGET)

    (chart,) = rows[0].pictures
    assert chart.dark is not None
    assert chart.light != chart.dark


def test_all_lines_share_one_scale():
    quiet = Example(
        title="best", row=0, error=0.0, original=np.full(20, 0.5, np.float32), noisy=None,
        reconstruction=np.full(20, 0.5, np.float32),
    )  # fmt: skip
    alone, _ = show_rows(Examples(rows=(quiet,), mean_error=np.zeros(20)), UNIT, budget=BUDGET)
    loud = examples((20,)).rows

    beside, _ = show_rows(
        Examples(rows=(quiet, *loud), mean_error=np.zeros(20)), UNIT, budget=BUDGET
    )

    assert alone[0].pictures[0].light != beside[0].pictures[0].light


def test_no_more_charts_are_drawn_than_the_budget_allows_and_all_kinds_stay():
    rows, _ = show_rows(examples((20,), count=9), UNIT, budget=1)

    assert [row.example.row for row in rows] == [0, 4, 8]


def test_the_error_of_a_colour_picture_is_averaged_over_its_colours():
    error = measure_error(np.zeros((2, 2, 3)), np.full((2, 2, 3), [0.0, 0.3, -0.6]))

    np.testing.assert_allclose(error, np.full((2, 2), 0.3))


def test_a_copy_without_error_is_drawn_dark():
    rows, top = show_rows(examples((8, 8), error=0.0), UNIT, budget=BUDGET)

    darkest = (0, 34, 78)  # cividis' first colour
    assert top == 0
    assert (pixels(rows[0].pictures[-1].light) == darkest).all()


@pytest.mark.parametrize(("shape", "dark"), [((8, 8), False), ((8, 8, 3), False), ((20,), True)])
def test_the_mean_error_states_its_greatest_value(shape, dark):
    picture, top = show_mean_error(examples(shape), budget=BUDGET)

    assert top == 0.25
    assert "at most 0.2500" in picture.alt
    assert (picture.dark is not None) is dark


def test_a_spike_survives_the_thinning_of_a_long_row():
    flat = np.zeros(100_000)
    flat[0] = 1.0  # fixes the scale of both charts
    spiked = flat.copy()
    spiked[54_321] = 1.0

    charts = [draw_lines(values, None, flat, UNIT, LIGHT) for values in (flat, spiked)]

    assert charts[0] != charts[1]


def test_the_curves_say_in_words_what_they_show():
    picture = show_curves(run())

    assert "training 0.2000, validation 0.2200, a perfect copy 0.05836" in picture.alt


@pytest.mark.parametrize("changes", [{"floor": 0.1}, {"floor": None}, {"validation": ()}])
def test_each_part_of_the_curves_is_drawn(changes):
    assert draw_curves(run(**changes), LIGHT) != draw_curves(run(), LIGHT)


@pytest.mark.parametrize("loss", [(), (float("nan"), float("inf"))])
def test_a_training_without_finite_losses_has_no_curves(loss):
    assert show_curves(run(loss, loss)) is None


def test_one_epoch_is_enough_for_curves():
    assert show_curves(run((0.3,), (0.31,))) is not None


def test_the_same_facts_give_the_same_bytes():
    first, second = (show_curves(run()) for _ in range(2))

    assert first == second
    first, second = (draw_lines(np.arange(5.0), None, np.ones(5), UNIT, DARK) for _ in range(2))
    assert first == second


def test_nobody_elses_settings_change():
    before = dict(mpl.rcParams)

    draw_curves(run(), LIGHT)
    show_rows(examples((20,)), None, budget=BUDGET)

    assert dict(mpl.rcParams) == before


def test_reports_load_neither_pyplot_nor_keras_nor_jax():
    program = (
        "import sys, truecopy.reports.html as html, truecopy.reports.result\n"
        "html.render_page('x', [])\n"
        "print({'matplotlib.pyplot', 'keras', 'jax'} & set(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.strip() == "set()"
