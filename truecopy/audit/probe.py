"""Everything that is measured about a model, its data and its training, in one record.

What can't be measured is left out and said in a note: a rule that needs it stays silent.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import keras
import numpy as np

from truecopy.audit.behaviour import (
    Outputs,
    measure_behaviour,
    measure_terms,
    run_model,
    train_briefly,
)
from truecopy.audit.constants import as_compiled
from truecopy.audit.contract import measure_contract
from truecopy.audit.invented import invent_rows
from truecopy.audit.latent import Latent, choose_latent, find_latent
from truecopy.audit.losses import describe_compile
from truecopy.audit.output import Reach, find_reach
from truecopy.audit.padding import Masked
from truecopy.audit.pairs import compare_pair
from truecopy.audit.path import keep_path
from truecopy.audit.preserve import build_model, unchanged
from truecopy.audit.steploss import handed_as_by_fit
from truecopy.audit.structure import describe_model, describe_unused, is_straight, pick_output
from truecopy.audit.subject import Subject
from truecopy.audit.tensors import flat
from truecopy.audit.tied import add_tied
from truecopy.audit.trace import Recorded, record
from truecopy.audit.units import measure_start, measure_units
from truecopy.audit.variational import measure_variational
from truecopy.rules.facts import AuditFacts, BehaviourFacts, ContractFacts
from truecopy.rules.modelfacts import LayerFacts, ModelFacts

T = TypeVar("T")

# Structure, units and bounds show in this many rows; gradients and errors take them all.
_FEW: Final = 256
# What a terminal would show in bold.
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
# What these give is no copy of anything: nothing is asked of their loss and outputs.
_NO_COPY: Final = ("classifier", "encoder", "other")


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Run:
    """What running a model on a few rows showed.

    Attributes:
        rows: The rows.
        recorded: The calls that lead to the copy.
        number: Which of the model's flattened outputs is the copy.
        latent: Where the code is.
        outputs: The copies of all rows; None where they can't be had.
        steady: Whether two runs give the same.
    """

    rows: Any
    recorded: Recorded
    number: int
    latent: Latent
    outputs: Outputs | None = None
    steady: bool = True


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
            self.notes.append(f"Not measured: {what} ({type(error).__name__}: {say(error)}).")
            return otherwise


def say(error: Exception) -> str:
    """Return the line of an error's message that says what is wrong."""
    plain = _COLOURS.sub("", str(error)).splitlines()
    lines = [line.strip() for line in plain if line.strip()] or ["no message"]
    # Keras 3.15 puts a heading over the error of a layer's call.
    headed = len(lines) > 1 and lines[0].startswith("Exception encountered when calling")
    return lines[int(headed)][:200].rstrip(".")


def probe(subject: Subject) -> AuditFacts:
    """Return what is known about a model, its rows and its training.

    The subject's model is the same afterwards: weights, optimiser, seeds and compile state.
    """
    with as_compiled(subject.model, subject.numbers) as told:
        return _probe(replace(subject, notes=(*subject.notes, *told)))


def _probe(subject: Subject) -> AuditFacts:
    made = Probe(subject)
    if subject.inputs is None:
        return _probe_structure(made, subject)
    few = first_rows(subject)
    recorded = made.attempt("what the layers give", lambda: _run(subject.model, few), None)
    if recorded is None:
        data = made.attempt("the data", lambda: compare_pair(subject), None)
        model = describe_unused(subject)
        return replace(_seen(subject, model), data=data, notes=tuple(made.notes))
    return _probe_run(made, subject, few, recorded)


def _probe_structure(made: Probe, subject: Subject) -> AuditFacts:
    """Return what can be seen of a model without data: rows are made up where it says of what."""
    model = describe_unused(subject)
    rows = made.attempt("the inputs", lambda: invent_rows(subject.model), None)
    if rows is not None:
        given = replace(subject, inputs=rows)
        seen = made.attempt("the structure", lambda: _invented(made, given, rows), None)
        model = model if seen is None else seen
    compiled = made.attempt("the compile settings", lambda: describe_compile(subject), None)
    note = "No data were given: only the structure was looked at."
    return replace(_seen(subject, replace(model, compiled=compiled)), notes=(*made.notes, note))


def _invented(made: Probe, subject: Subject, rows: Any) -> ModelFacts:
    recorded = _run(subject.model, rows)
    run = Run(rows=rows, recorded=recorded, number=0, latent=Latent(call=find_latent(recorded)))
    seen = _structure(made, subject, run)
    # Of what the units do, made-up rows say nothing.
    layers = tuple(
        replace(layer, units=None, share_zero=None, dead=None, saturated=None)
        for layer in seen.layers
    )
    return replace(seen, layers=layers, first_input=None)


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
    run = _look(made, subject, few, recorded)
    model = made.attempt(
        "the structure", lambda: _structure(made, subject, run), describe_unused(subject)
    )
    data = made.attempt("the data", lambda: compare_pair(subject), None)
    facts = replace(_seen(subject, model), data=data)
    if model.role in _NO_COPY:
        return replace(facts, notes=(*made.notes, _tell_role(model)))
    contract = _ask_loss(made, subject, model, run)
    variational = made.attempt(
        "the sampling heads", lambda: measure_variational(subject, recorded), None
    )
    same = data is not None and data.identical
    run = replace(run, outputs=_leave_out(subject, run.outputs, contract))
    model, behaviour = _behave(made, subject, model, run, same=same)
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


def _leave_out(
    subject: Subject, outputs: Outputs | None, contract: ContractFacts | None
) -> Outputs | None:
    """Return the copies with what the loss masks not counting."""
    if outputs is None or contract is None or contract.masked is None or subject.targets is None:
        return outputs
    masked = Masked(value=contract.masked, whole_steps=contract.masks_steps)
    return outputs.counting(flat(masked.counts(np.asarray(subject.targets))))


def _ask_loss(made: Probe, subject: Subject, model: ModelFacts, run: Run) -> ContractFacts | None:
    """Return what the loss asks for, and what of it the output can't give."""
    contract = made.attempt(
        "the loss",
        lambda: measure_contract(
            subject, bounds=model.output_bounds, softmax_axis=model.softmax_axis
        ),
        None,
    )
    logits = model.compiled is not None and model.compiled.from_logits
    if contract is None or model.softmax_axis is not None or logits:
        return contract
    known = contract
    return made.attempt(
        "what rows the output can give", lambda: add_tied(known, subject, run.recorded), known
    )


def _look(made: Probe, subject: Subject, few: Any, recorded: Recorded) -> Run:
    """Return what running the model shows: which output is the copy, and what leads to it."""
    number, model = pick_output(subject, recorded), subject.model
    on_path = made.attempt(
        "which layers lead to the copy", lambda: keep_path(model, few, recorded, number), recorded
    )
    outputs = made.attempt("the copies", lambda: run_model(subject, number), None)
    steady = outputs is not None and np.array_equal(outputs.seen, outputs.again, equal_nan=True)
    latent = made.attempt(
        "what goes around the latent",
        lambda: choose_latent(model, few, on_path, number, measure=steady),
        Latent(call=find_latent(on_path)),
    )
    return Run(
        rows=few, recorded=on_path, number=number, outputs=outputs, steady=steady, latent=latent
    )


def _behave(
    made: Probe, subject: Subject, model: ModelFacts, run: Run, *, same: bool
) -> tuple[ModelFacts, BehaviourFacts | None]:
    """Return model and behaviour: errors on all rows, then some steps of training."""
    outputs = run.outputs
    if outputs is None:
        return model, None
    behaviour = made.attempt(
        "the errors", lambda: measure_behaviour(subject, outputs, model, same=same), None
    )
    if behaviour is None or model.compiled is None:
        return model, behaviour
    errors = behaviour
    terms = made.attempt("the terms of the loss", lambda: measure_terms(subject, errors), errors)

    def train() -> tuple[tuple[LayerFacts, ...], BehaviourFacts]:
        with handed_as_by_fit(subject):
            return train_briefly(subject, model.layers, terms, run.recorded)

    layers, behaviour = made.attempt("some training steps", train, (model.layers, terms))
    return replace(model, layers=layers), behaviour


def _structure(made: Probe, subject: Subject, run: Run) -> ModelFacts:
    reach = made.attempt(
        "what the output can reach",
        lambda: find_reach(subject.model, run.rows, run.recorded, run.number),
        Reach(),
    )
    straight = made.attempt(
        "whether it is linear",
        lambda: is_straight(subject.model, run.rows, run.number),
        otherwise=False,
    )
    model = describe_model(
        subject, run.recorded, reach, run.number, straight=straight, latent=run.latent.call
    )
    layers: tuple[LayerFacts, ...] = made.attempt(
        "the units", lambda: measure_units(model.layers, run.recorded, subject), model.layers
    )
    layers = made.attempt(
        "the units before training", lambda: measure_start(layers, subject, run.rows), layers
    )
    layers = tuple(replace(e, where=subject.where(f"layer {e.name}")) for e in layers)
    compiled = made.attempt("the compile settings", lambda: describe_compile(subject), None)
    return replace(
        model,
        layers=layers,
        compiled=compiled,
        stochastic=run.outputs is not None and not run.steady,
        bypass=run.latent.bypass,
    )


def _tell_role(model: ModelFacts) -> str:
    return f"This looks like no autoencoder ({model.role}): {model.role_because}"
