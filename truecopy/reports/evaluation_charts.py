"""Draws how near the copies come, by level, by row and by latent; and rows' distances."""

import numpy as np

from truecopy.facts import EvaluationFacts, Examples
from truecopy.outlier_facts import OutlierFacts
from truecopy.reports.breakdown import describe_tolerance
from truecopy.reports.figures import (
    CHART_SIZE,
    DARK,
    LIGHT,
    Ink,
    Picture,
    Values,
    add_legend,
    finish_chart,
    start_chart,
)
from truecopy.reports.wording import format_number, format_percent

_ALL_BUT = 0.999  # the curve is cut where so many values are within


def show_tolerance(evaluation: EvaluationFacts) -> Picture | None:
    """Show which share of the values is within k grey levels, or None without levels."""
    curve = np.asarray(evaluation.tolerance)
    if not curve.size:
        return None
    light, dark = (draw_tolerance(curve, ink) for ink in (LIGHT, DARK))
    shares = describe_tolerance(evaluation)
    alt = f"Share of values within so many grey levels of the target: {shares}"
    return Picture("tolerance", alt, light, dark)


def draw_tolerance(curve: Values, ink: Ink) -> bytes:
    """Draw the share of values within k grey levels, for every k until nearly all are."""
    figure, axes = start_chart(CHART_SIZE, ink)
    last = max(8, int(np.searchsorted(curve, _ALL_BUT)) + 1)
    shown = 100 * curve[: last + 1]
    label = f"exact: {format_percent(float(curve[0]))}"
    axes.plot(np.arange(len(shown)), shown, color=ink.first, lw=2)
    axes.plot([0], shown[:1], "o", color=ink.second, label=label, clip_on=False)
    axes.set_xlim(0, len(shown) - 1)
    axes.set_ylim(min(shown[0], 99.0) - 2, 101)
    axes.set_xlabel("grey levels off, of 255", color=ink.text)
    axes.set_ylabel("% of values within", color=ink.text)
    add_legend(axes, ink, columns=1)
    return finish_chart(figure)


def show_scatter(examples: Examples) -> tuple[Picture, float] | None:
    """Show each row's error beside that of PCA, and return the share of rows that PCA does worse.

    None where there is no PCA, or only exact copies.
    """
    own, linear = examples.row_errors, examples.pca_errors
    if not len(linear):
        return None
    positive = (own > 0) & (linear > 0)
    if not positive.any():
        return None
    better = float((own < linear).mean())
    light, dark = (draw_scatter(own[positive], linear[positive], ink) for ink in (LIGHT, DARK))
    alt = (
        f"Mean squared error of {len(own):,} rows beside PCA's: {format_percent(better)} lie below "
        f"the diagonal; median {format_number(float(np.median(own)))}, PCA's "
        f"{format_number(float(np.median(linear)))}"
    )
    return Picture("rows beside PCA", alt, light, dark), better


def draw_scatter(own: Values, linear: Values, ink: Ink) -> bytes:
    """Draw rows as points, PCA's error across and the model's upwards, both logarithmic."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    figure, axes = start_chart(CHART_SIZE, ink)
    low, high = min(own.min(), linear.min()) / 1.3, max(own.max(), linear.max()) * 1.3
    axes.scatter(linear, own, s=7, color=ink.first, alpha=0.45, lw=0)
    axes.plot([low, high], [low, high], color=ink.second, lw=1.4, label="as good as PCA")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda error, _: f"{error:g}"))
    axes.minorticks_off()
    axes.set_xlabel("PCA's error of the row", color=ink.text)
    axes.set_ylabel("the model's", color=ink.text)
    add_legend(axes, ink, columns=1)
    return finish_chart(figure)


def show_latents(examples: Examples) -> Picture | None:
    """Show rows by the two main directions of their latents, coloured by error; None without."""
    if not examples.latent_shares:
        return None
    light, dark = (draw_latents(examples, ink) for ink in (LIGHT, DARK))
    first, second = map(format_percent, examples.latent_shares)
    alt = (
        f"{len(examples.latents):,} rows by the two directions in which their latents vary most, "
        f"with {first} and {second} of the variance, coloured by mean squared error"
    )
    return Picture("latents", alt, light, dark)


def draw_latents(examples: Examples, ink: Ink) -> bytes:
    """Draw rows as points; the colour is the logarithm of the error, bad copies on top."""
    from matplotlib.colors import LogNorm

    figure, axes = start_chart(CHART_SIZE, ink)
    errors = examples.row_errors
    order = np.argsort(errors, kind="stable")
    smallest = errors[errors > 0].min(initial=1.0)
    norm = LogNorm(smallest, max(errors.max(), smallest * 1.01))
    across, up = examples.latents[order].T
    shown = np.maximum(errors[order], smallest)
    points = axes.scatter(across, up, s=7, c=shown, norm=norm, cmap="viridis", lw=0)
    bar = figure.colorbar(points, ax=axes)
    bar.ax.tick_params(colors=ink.text, labelsize=8)
    bar.outline.set_visible(False)
    bar.set_label("mean squared error", color=ink.text)
    first, second = map(format_percent, examples.latent_shares)
    axes.set_xlabel(f"first direction, {first} of the variance", color=ink.text)
    axes.set_ylabel(f"second, {second}", color=ink.text)
    return finish_chart(figure)


def show_distances(found: OutlierFacts) -> Picture:
    """Show how many rows lie how far off, with the threshold."""
    light, dark = (draw_distances(found, ink) for ink in (LIGHT, DARK))
    alt = (
        f"Distances of {found.rows:,} rows from {format_number(found.edges[0])} to "
        f"{format_number(found.edges[-1])}; {found.flagged:,} lie beyond the threshold of "
        f"{format_number(found.calibration.threshold)}"
    )
    return Picture("distances", alt, light, dark)


def draw_distances(found: OutlierFacts, ink: Ink) -> bytes:
    """Draw the histogram of the distances; those beyond the threshold in the second colour."""
    from matplotlib.ticker import FuncFormatter

    figure, axes = start_chart(CHART_SIZE, ink)
    edges, threshold = np.asarray(found.edges), found.calibration.threshold
    colours = [ink.second if edge >= threshold else ink.first for edge in edges[:-1]]
    axes.bar(edges[:-1], found.counts, np.diff(edges), align="edge", color=colours)
    axes.axvline(threshold, color=ink.text, lw=1.4, label=f"threshold {format_number(threshold)}")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda distance, _: f"{distance:g}"))
    axes.minorticks_off()
    axes.set_xlabel("distance", color=ink.text)
    axes.set_ylabel("rows", color=ink.text)
    add_legend(axes, ink, columns=1)
    return finish_chart(figure)
