"""From rows to a trained autoencoder: profile, plan, build, train, and what to compare with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.data.frame_chunks import FilledSource
from truecopy.data.frames import Table
from truecopy.data.mapped import Reader
from truecopy.data.noise import Noise, parse_noise
from truecopy.data.plan import Plan
from truecopy.data.plan import plan as make_plan
from truecopy.data.precision import warn_of_rounding
from truecopy.data.profile import Profile
from truecopy.data.profile import profile as make_profile
from truecopy.data.source import PickedSource
from truecopy.data.sources import Source
from truecopy.data.split import Split, split_rows
from truecopy.errors import EmptyData, InvalidArgument, NonFiniteData
from truecopy.facts import RunFacts
from truecopy.metrics.baselines import Baselines, fit_baselines
from truecopy.models.build import build_networks, choose_latent, recipe_of
from truecopy.models.incomplete import MOST_ROWS, Factors, fit_factors
from truecopy.models.linear_start import start_linear, starts_linear
from truecopy.models.networks import Networks
from truecopy.models.settings import make_settings
from truecopy.reports.progress import working
from truecopy.training.batches import Hiding
from truecopy.training.fit import train

_FEWEST_ROWS: Final = 2
# A column that is nearly always missing must keep cells to learn from.
_MOST_HIDDEN: Final = 0.5


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Fitted:
    """All that fitting gives: what the data are like, the plan, the networks, the run.

    `profile` and `held_out`, the numbers of the rows that validated, are None where the rest was
    read from a run folder, which doesn't keep them.
    """

    networks: Networks
    plan: Plan
    noise: Noise | None
    run: RunFacts
    baselines: Baselines
    profile: Profile | None = None
    held_out: NDArray[np.intp] | None = None


def fit_source(
    told: Any,
    source: Source,
    *,
    callbacks: Sequence[Any] = (),
    checkpoint: Path | None = None,
    resume: bool = False,
) -> Fitted:
    """Profile the rows of `source`, plan, build and train as `told`.

    Args:
        told: An `Autoencoder`; its settings have been checked.
        source: The rows.
        callbacks: Further Keras callbacks.
        checkpoint: A file for the state of the training after every epoch; None: none.
        resume: Go on from `checkpoint`.

    Raises:
        TruecopyError: As `Autoencoder.fit` does.
    """
    recipe = recipe_of(told.model)
    split = _split(told, source)
    factors = _fit_factors(told, source, split)
    complete = _fill(told.table_, factors, source)
    with working(f"profiling {source.name}", quiet=told.quiet):
        profile = make_profile(complete)
    _require_usable(profile)
    units = _plan_units(told.table_, source, profile)
    plan = units if recipe is None else recipe.adapt(units)
    noise = _plan_noise(told.noise, plan, units)
    networks = build_networks(
        told.model,
        source.shape,
        latent=choose_latent(told.latent, recipe, features=profile.facts.features),
        plan=plan.facts,
        seed=told.seed,
        sequence=told.sequence_,
    )
    settings = make_settings(told, recipe, networks, label=source.name, rows=profile.facts.rows)
    baselines = _start(networks, told, _keep_training(complete, split), plan, units, factors)
    run = train(
        networks,
        source.array(),
        split,
        plan=plan,
        noise=noise,
        settings=replace(settings, checkpoint=checkpoint, resume=resume),
        hiding=_hide(told.table_, factors),
        callbacks=callbacks,
    )
    return Fitted(
        networks=networks,
        plan=plan,
        noise=noise,
        run=run,
        baselines=baselines,
        profile=profile,
        held_out=split.held_out,
    )


def _plan_units(table: Table | None, source: Source, profile: Profile) -> Plan:
    """Return the plan of a table, or of numbers, warning of those that float32 can't hold."""
    if table is not None:
        return Plan(table.facts, table.scaling)
    plan = make_plan(profile)
    warn_of_rounding(source, profile.moments, plan.scaling)
    return plan


def _require_usable(profile: Profile) -> None:
    """Refuse one row, and values so large that not even float64 holds their squares.

    Raises:
        EmptyData: There is one row.
        NonFiniteData: There are such values: no spread is known.
    """
    name = profile.facts.name
    if profile.facts.rows < _FEWEST_ROWS:
        message = f"The data {name!r} have one row (n_samples=1). Fitting needs at least two."
        raise EmptyData(message)
    beyond = np.flatnonzero(~np.isfinite(profile.moments.second))
    if len(beyond):
        reach = max(abs(profile.facts.minimum), abs(profile.facts.maximum))
        raise NonFiniteData(
            f"The data {name!r} have values up to {reach:.3g} (first features: "
            f"{', '.join(map(str, beyond[:5]))}), whose squares float64 can't hold. Rescale them."
        )


def _start(
    networks: Networks,
    told: Any,
    training: Source,
    plan: Plan,
    units: Plan,
    factors: Factors | None,
) -> Baselines:
    """Return what to compare with; start a table's network at the PCA among it."""
    with working("fitting the mean image and PCA to compare with", quiet=told.quiet):
        baselines = fit_baselines(training, units, latent=networks.latent, factors=factors)
    if starts_linear(networks):
        start_linear(networks, baselines.pca, plan.facts)
    return baselines


def _split(told: Any, source: Source) -> Split:
    """Return which rows train; from here on they can be read in any order.

    Raises:
        EmptyData: None would.
    """
    rows = len(source.array())
    split = split_rows(source, told.validation, seed=told.seed)
    if not len(split.training):
        message = (
            f"All {rows} rows of {source.name!r} went into validation ({told.validation:g}). "
            "Lower 'validation' or add rows."
        )
        raise EmptyData(message)
    return split


def _fit_factors(told: Any, source: Source, split: Split) -> Factors | None:
    """Return what fills in a table's missing cells; only rows that train are looked at."""
    table, rows = told.table_, source.array() if told.table_ is not None else None
    if table is None or rows is None or len(rows) < _FEWEST_ROWS:
        return None
    recipe = recipe_of(told.model)
    latent = choose_latent(told.latent, recipe, features=rows.shape[1])
    sample = split.training[:: max(1, len(split.training) // MOST_ROWS)]
    return fit_factors(table.scaling.apply(Reader(rows)[sample]), factors=latent)


def _fill(table: Table | None, factors: Factors | None, source: Source) -> Source:
    """Return the rows with a table's missing cells filled in."""
    if table is None or factors is None:
        return source
    scaling = table.scaling

    def fill(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        filled = scaling.undo(factors.fill(scaling.apply(rows)))
        return np.where(np.isnan(rows), filled, rows)

    return FilledSource(source, fill)


def _hide(table: Table | None, factors: Factors | None) -> Hiding | None:
    """Return which of a table's cells the network doesn't see while it trains."""
    if table is None or factors is None:
        return None
    columns = table.columns
    return Hiding(
        factors,
        tuple(min(column.missing, _MOST_HIDDEN) for column in columns),
        tuple(column.width for column in columns),
    )


def _plan_noise(asked: str | None, plan: Plan, units: Plan) -> Noise | None:
    """Return the noise asked for, with the bounds of the scaled data."""
    if asked is None:
        return None
    if not plan.scaling.equals(units.scaling):
        must_be = "None for a recipe that leaves the data unscaled: noise is in scaled units"
        raise InvalidArgument("noise", "Autoencoder", must_be, got=asked)
    return parse_noise(asked, bounds=plan.facts.target_range)


def _keep_training(source: Source, split: Split) -> Source:
    """Return what figures may be compared with: not the rows that will be scored.

    Where there is a test set of its own, that is all rows given to `fit`, else those that
    did not validate.
    """
    if source.held_out is not None or not len(split.held_out):
        return source
    picked = PickedSource(source, split.training)
    picked.name = f"{source.name}'s training part"
    return picked
