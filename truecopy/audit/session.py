"""What was seen of one training: the model, rows of its data, its losses and its lines."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

import keras
import numpy as np

from truecopy.audit.constants import Numbers
from truecopy.audit.feeding import Sample, sample_given
from truecopy.audit.origin import find_clean
from truecopy.audit.recorded_losses import Losses
from truecopy.audit.recording import first_broken_layer
from truecopy.audit.spare import assigned_where, find_noise_elsewhere, find_sources, find_spare
from truecopy.audit.subject import Array, Subject
from truecopy.rules.facts import AuditFacts, SpareArray
from truecopy.rules.modelfacts import Where

DEFAULT_BATCH: Final = 32  # of Keras' fit


@dataclass(kw_only=True, eq=False, slots=True)
class Session:
    """One training of one model, which a program may spread over several calls of `fit`.

    `state` counts how often the model was compiled before; `wide` is a larger sample, to train
    on, and `wide_spare` the same rows of the arrays that were not used; `sources` are arrays that
    rows of a stream may come from; `elsewhere` is an array of
    other rows that is noisy; `spent` are the seconds of training since the last audit,
    `audit_seconds` how long that took, `facts` what it found.
    """

    model: Any
    number: int
    where: Where | None
    state: int
    sample: Sample
    wide: Sample | None = None
    validation: tuple[Array, Array] | None = None
    losses: Losses = field(default_factory=Losses)
    initial_weights: list[Array] | None = None
    numbers: Numbers = field(default_factory=dict)
    batch_size: int | None = None
    early_stopping: bool = False
    complete: bool = True
    targets_known: bool = True
    spare: Mapping[str, Array] = field(default_factory=dict)
    sources: Mapping[str, Array] = field(default_factory=dict)
    wide_spare: Mapping[str, Array] = field(default_factory=dict)
    elsewhere: SpareArray | None = None
    wheres: dict[str, Where] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    spent: float = 0.0
    audit_seconds: float = 0.0
    audited: bool = False
    facts: AuditFacts | None = None

    def is_same(self, model: Any, where: Where | None, state: int) -> bool:
        """Tell whether a training goes on: the same line fits the same model again."""
        return self.model is model and self.where == where and self.state == state

    def subject(self, target: str, *, wide: bool = False) -> Subject:
        """Return what there is to audit, with the larger sample where that is asked for."""
        sample = self.wide if wide and self.wide is not None else self.sample
        targets = sample.targets
        if targets is None and self.targets_known:
            targets = sample.inputs
        training = self.losses.facts(
            batch_size=self.batch_size,
            complete=self.complete,
            early_stopping=self.early_stopping,
            diverged_layer=first_broken_layer(self.model) if self.model.built else None,
        )
        return Subject(
            model=self.model,
            target=target,
            inputs=sample.inputs,
            targets=targets,
            whole=sample.whole,
            weights=sample.weights,
            rows=sample.rows or (0 if sample.inputs is None else len(sample.inputs)),
            sampled=sample.sampled,
            validation=self.validation,
            training=training if training.steps else None,
            initial_weights=self.initial_weights,
            numbers=self.numbers,
            spare=self.wide_spare if sample is self.wide else self._spare(),
            elsewhere=self.elsewhere,
            wheres=self.wheres,
            notes=(*self.notes, *sample.notes),
        )

    def _spare(self) -> Mapping[str, Array]:
        """Return the arrays beside the sample, and those that a stream's rows were made of."""
        inputs, targets = self.sample.inputs, self.sample.targets
        if inputs is None or not (targets is None or np.array_equal(inputs, targets)):
            return self.spare
        return {**self.spare, **find_clean(inputs, self.sources)}


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class FitCall:
    """A call of `fit`: the arguments by name, with Keras' defaults for those left out."""

    bound: inspect.BoundArguments

    @classmethod
    def read(
        cls, fit: Callable[..., Any], model: Any, args: Any, named: Mapping[str, Any]
    ) -> "FitCall | None":
        """Return the call; None where the arguments don't fit, which Keras tells better."""
        try:
            bound = inspect.signature(fit).bind(model, *args, **named)
        except TypeError:
            return None
        bound.apply_defaults()
        return cls(bound=bound)

    def __getitem__(self, name: str) -> Any:
        return self.bound.arguments.get(name)

    @property
    def share(self) -> float:
        """The share of the rows that is trained on."""
        split = self["validation_split"] or 0.0
        return 1.0 - split if self["validation_data"] is None else 1.0

    @property
    def given(self) -> tuple[Any, ...]:
        """All data of the call."""
        return (self["x"], self["y"], self["validation_data"])

    def validation(self) -> tuple[Array, Array] | None:
        """Return sampled validation inputs and targets; None where there are none."""
        x, y = self["x"], self["y"]
        if self["validation_data"] is not None:
            return sample_validation(self["validation_data"])
        if self.share == 1 or not hasattr(x, "shape"):
            return None
        start = int(len(x) * self.share)  # as Keras does: the last rows, before any shuffling
        return sample_validation((x[start:], None if y is None or y is x else y[start:]))

    def with_recorder(self, recorder: Any, replacement: Any) -> inspect.BoundArguments:
        """Return the call with one more callback, and what was read from a stream put back."""
        callbacks = self["callbacks"]
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks.append(recorder)
        else:
            listed = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
            self.bound.arguments["callbacks"] = [c for c in listed if c is not None] + [recorder]
        if replacement is not None:
            self.bound.arguments["x"] = replacement
        return self.bound

    def open(
        self, session_of: Callable[..., Session], frames: Iterable[FrameType], root: Path
    ) -> Session:
        """Return a session of this call; `session_of` makes it of a sample."""
        try:
            sample = sample_given(self["x"], self["y"], self["sample_weight"], share=self.share)
        except Exception as error:  # noqa: BLE001 (the user's data set may fail in any way)
            told = f"The data of fit could not be sampled: {type(error).__name__}: {error}"
            sample = Sample(notes=(told,))
        session = session_of(sample=sample)
        session.validation = self.validation()
        frames = list(frames)
        session.spare = find_spare(frames, self.given, self["x"], sample)
        session.elsewhere = find_noise_elsewhere(frames, self["x"])
        if sample.places is None and sample.inputs is not None:
            session.sources = find_sources(frames, sample.inputs)
        for name in session.spare:
            where = assigned_where(name, session.where, root)
            if where is not None:
                session.wheres[f"array {name}"] = where
        self.note(session)
        return session

    def note(self, session: Session) -> None:
        """Take what the call says of the training."""
        session.losses.planned += max(0, self["epochs"] - self["initial_epoch"])
        session.batch_size = self["batch_size"]
        if session.batch_size is None and hasattr(self["x"], "shape"):
            session.batch_size = DEFAULT_BATCH
        if self["sample_weight"] is not None or self["class_weight"] is not None:
            told = "Weights of rows were given to fit; losses were measured without them."
            session.notes = tuple(dict.fromkeys((*session.notes, told)))
        session.early_stopping |= stops_early(self["callbacks"])


def sample_validation(data: Any) -> tuple[Array, Array] | None:
    """Return sampled inputs and targets of `validation_data`; None where they can't be read."""
    x, y = data, None
    if isinstance(data, list | tuple):
        x, y, _ = keras.utils.unpack_x_y_sample_weight(tuple(data))
    if x is None or isinstance(x, Iterator):  # what is read from it is lost to the validation
        return None
    sample = sample_given(x, y)
    if sample.inputs is None:
        return None
    return sample.inputs, sample.inputs if sample.targets is None else sample.targets


def stops_early(callbacks: Any) -> bool:
    """Tell whether Keras' early stopping is among the callbacks."""
    listed = getattr(callbacks, "callbacks", callbacks)
    listed = listed if isinstance(listed, list | tuple) else [listed]
    return any(isinstance(one, keras.callbacks.EarlyStopping) for one in listed)
