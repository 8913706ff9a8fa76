"""Everything that is measured about a model, its data and its training, in one record.

What can't be measured is left out and said in a note: a rule that needs it stays silent.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

import keras
import numpy as np

from truecopy.audit.behaviour import (
    measure_behaviour,
    measure_terms,
    run_model,
    train_briefly,
)
from truecopy.audit.contract import measure_contract
from truecopy.audit.latent import find_latent, measure_bypass
from truecopy.audit.losses import describe_compile
from truecopy.audit.output import Reach, find_reach
from truecopy.audit.pairs import compare_pair
from truecopy.audit.preserve import build_model, unchanged
from truecopy.audit.structure import describe_model, describe_unused, is_straight, pick_output
from truecopy.audit.subject import Subject
from truecopy.audit.trace import Recorded, record
from truecopy.audit.units import measure_units
from truecopy.audit.variational import measure_variational
from truecopy.rules.facts import AuditFacts, BehaviourFacts, LayerFacts, ModelFacts

T = TypeVar("T")

# Structure, units and bounds show in this many rows; gradients and errors take them all.
_FEW: Final = 256
# What these give is no copy of anything: nothing is asked of their loss and outputs.
_NO_COPY: Final = ("classifier", "encoder", "other")


class Probe:
    """Measures one subject; each part that fails leaves a note and what it would have given."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self.notes: list[str] = list(subject.notes)

    def attempt(self, what: str, measure: Callable[[], T], otherwise: T) -> T:
        """Return what `measure` gives; where it fails, a note says so and `otherwise` is given."""
        try:
            with unchanged(self._subject.model):
                return measure()
        # Anyone's layers and losses run in there: one that fails must not hide the rest.
        except Exception as error:
            if os.environ.get("TRUECOPY_DEBUG"):
                raise
            words = str(error).strip().splitlines() or [""]
            self.notes.append(f"Not measured: {what} ({type(error).__name__}: {words[0][:200]}).")
            return otherwise


def probe(subject: Subject) -> AuditFacts:
    """Return what is known about a model, its rows and its training.

    The subject's model is the same afterwards: weights, optimiser, seeds and compile state.
    """
    made = Probe(subject)
    if subject.inputs is None:
        note = "No data were given: only the structure was looked at."
        model = describe_unused(subject)
        compiled = made.attempt("the compile settings", lambda: describe_compile(subject), None)
        model = replace(model, compiled=compiled)
        return replace(_seen(subject, model), notes=(*made.notes, note))
    few = first_rows(subject)
    recorded = made.attempt("what the layers give", lambda: _run(subject.model, few), None)
    if recorded is None:
        data = made.attempt("the data", lambda: compare_pair(subject), None)
        model = describe_unused(subject)
        return replace(_seen(subject, model), data=data, notes=tuple(made.notes))
    return _probe_run(made, subject, few, recorded)


def _seen(subject: Subject, model: ModelFacts) -> AuditFacts:
    """Return what needs no probing: the training that was watched, and its line."""
    return AuditFacts(
        target=subject.target,
        model=model,
        training=subject.training,
        fit_where=subject.where("fit"),
    )


def _run(model: Any, few: Any) -> Recorded:
    build_model(model, few)
    with unchanged(model):
        return record(model, few)


def first_rows(subject: Subject) -> Any:
    """Return a few rows of the subject's inputs."""
    return keras.tree.map_structure(lambda rows: rows[:_FEW], subject.inputs)


def _probe_run(made: Probe, subject: Subject, few: Any, recorded: Recorded) -> AuditFacts:
    number = pick_output(subject, recorded)
    model = _structure(made, subject, few, recorded, number)
    data = made.attempt("the data", lambda: compare_pair(subject), None)
    facts = replace(_seen(subject, model), data=data)
    if model.role in _NO_COPY:
        return replace(facts, notes=(*made.notes, _tell_role(model)))
    contract = made.attempt(
        "the loss",
        lambda: measure_contract(
            subject, bounds=model.output_bounds, softmax_axis=model.softmax_axis
        ),
        None,
    )
    variational = made.attempt(
        "the sampling heads", lambda: measure_variational(subject, recorded), None
    )
    same = data is not None and data.identical
    model, behaviour = _behave(made, subject, model, recorded, number, same=same)
    if behaviour is not None and contract is not None:
        behaviour = replace(
            behaviour, one_batch_floor=contract.perfect, one_batch_mean=contract.mean
        )
    return replace(
        facts,
        model=model,
        contract=contract,
        behaviour=behaviour,
        variational=variational,
        notes=(*made.notes, *(() if model.role == "autoencoder" else (_tell_role(model),))),
    )


def _behave(
    made: Probe,
    subject: Subject,
    model: ModelFacts,
    recorded: Recorded,
    number: int,
    *,
    same: bool,
) -> tuple[ModelFacts, BehaviourFacts | None]:
    """Return model and behaviour: errors on all rows, then some steps of training."""
    outputs = made.attempt("the copies", lambda: run_model(subject, number), None)
    if outputs is None:
        return model, None
    model = replace(model, stochastic=not np.array_equal(outputs.seen, outputs.again))
    latent = find_latent(recorded)
    if latent is not None and not model.stochastic:
        rows = first_rows(subject)
        bypass = made.attempt(
            "what goes around the latent",
            lambda: measure_bypass(subject.model, rows, latent, number),
            None,
        )
        model = replace(model, bypass=bypass)
    behaviour = made.attempt(
        "the errors", lambda: measure_behaviour(subject, outputs, model, same=same), None
    )
    if behaviour is None or model.compiled is None:
        return model, behaviour
    errors = behaviour
    terms = made.attempt("the terms of the loss", lambda: measure_terms(subject, errors), errors)
    layers, behaviour = made.attempt(
        "some training steps",
        lambda: train_briefly(subject, model.layers, terms, recorded),
        (model.layers, terms),
    )
    return replace(model, layers=layers), behaviour


def _structure(
    made: Probe, subject: Subject, few: Any, recorded: Recorded, number: int
) -> ModelFacts:
    reach = made.attempt(
        "what the output can reach",
        lambda: find_reach(subject.model, few, recorded, number),
        Reach(),
    )
    straight = made.attempt(
        "whether it is linear", lambda: is_straight(subject.model, few, number), otherwise=False
    )
    model = describe_model(subject, recorded, reach, number, straight=straight)
    layers: tuple[LayerFacts, ...] = made.attempt(
        "the units", lambda: measure_units(model.layers, recorded, subject), model.layers
    )
    layers = tuple(replace(e, where=subject.where(f"layer {e.name}")) for e in layers)
    compiled = made.attempt("the compile settings", lambda: describe_compile(subject), None)
    return replace(model, layers=layers, compiled=compiled)


def _tell_role(model: ModelFacts) -> str:
    return f"This looks like no autoencoder ({model.role}): {model.role_because}"
