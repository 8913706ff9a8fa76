"""Audits a published recipe as it was published, on the user's data."""

import time
from typing import Any, Final

import keras

from truecopy.audit.audit import Audit
from truecopy.audit.ending import TimeIsOver
from truecopy.audit.feeding import sample_given
from truecopy.audit.probe import probe
from truecopy.audit.recording import Recorder
from truecopy.audit.retrain import ROWS
from truecopy.audit.session import Session
from truecopy.data.plan import plan as make_plan
from truecopy.data.profile import profile as make_profile
from truecopy.data.sources import open_source
from truecopy.errors import InvalidArgument
from truecopy.models.build import build_networks, choose_latent, recipe_of
from truecopy.rules.engine import check_names, run_rules
from truecopy.training.losses import choose_loss

_SHARE: Final = 0.9  # of the rows train, the rest validate
# A recipe is known from its papers; what it does on these data shows in its first seconds.
BUDGET: Final = 10.0


def audit_recipe(
    name: str,
    data: Any,
    *,
    budget: float = BUDGET,
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    seed: int = 0,
) -> Audit:
    """Build a recipe, train it as published for a while, and audit it.

    Args:
        name: 'recipe:NAME'.
        data: What it is trained on; all that `truecopy.profile` takes.
        budget: Seconds of training.
        select: Codes, names or beginnings of codes of the rules to run; empty: all.
        ignore: Those to leave out.
        seed: Draws weights and order.

    Raises:
        UnknownName: There is no such recipe or rule.
        InvalidArgument: There are no data.
    """
    recipe = recipe_of(name)
    if recipe is None or data is None:
        raise InvalidArgument("DATA", "truecopy audit", "given with recipe:NAME", got=data)
    for argument, names in (("select", select), ("ignore", ignore)):
        check_names(argument, "truecopy audit", names)
    source = open_source(data, owner="truecopy audit")
    profile = make_profile(source)
    plan = recipe.adapt(make_plan(profile))
    networks = build_networks(
        name,
        source.shape,
        latent=choose_latent(None, recipe, features=profile.facts.features),
        plan=plan.facts,
        seed=seed,
    )
    # As published: by Keras' own name. PyTorch refuses targets out of range, so there our own.
    loss = choose_loss(plan.facts)
    if keras.backend.backend() != "torch" and len(plan.facts.groups) < 2:  # noqa: PLR2004
        loss = plan.facts.loss.value
    networks.model.compile(optimizer=keras.optimizers.Adam(recipe.learning_rate), loss=loss)
    session = _train(networks.model, plan.scaling.apply(source.array()), recipe, budget)
    subject = session.subject(name)
    facts = probe(subject)
    findings = run_rules(facts, select=select, ignore=ignore)
    # A proof trains: it takes more rows than there were looked at.
    return Audit(facts, findings, session.subject(name, wide=True))


def _train(model: Any, rows: Any, recipe: Any, budget: float) -> Session:
    """Train for the budget; return what was seen."""
    training = int(len(rows) * _SHARE)
    sample = sample_given(rows, share=_SHARE)
    held_out = sample_given(rows[training:]).inputs
    session = Session(model=model, number=0, where=None, state=1, sample=sample)
    session.wide = sample_given(rows, share=_SHARE, most=ROWS)
    session.batch_size = recipe.batch_size
    session.losses.planned = recipe.epochs
    if held_out is not None:
        session.validation = (held_out, held_out)
    recorder = Recorder(
        session.losses,
        deadline=time.monotonic() + budget,
        rows=training,
        batch_size=recipe.batch_size,
    )
    try:
        model.fit(
            rows[:training],
            rows[:training],
            batch_size=recipe.batch_size,
            epochs=recipe.epochs,
            validation_data=(rows[training:], rows[training:]),
            callbacks=[recorder],
            verbose=0,
        )
    except TimeIsOver:
        session.complete = False
    session.initial_weights = recorder.initial_weights
    return session
