"""What is audited: a model, the rows it is fitted to, and what is known of its training."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from truecopy.audit.constants import Numbers
from truecopy.rules.facts import SpareArray, TrainingFacts
from truecopy.rules.modelfacts import Where

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Subject:
    """What is audited.

    Attributes:
        model: A Keras model, compiled or not; it is left as it was.
        target: What reports call it: a script's path, or the model's name.
        inputs: A sample of what is fed to it, (rows, ...); None: nothing but the structure is
        known.
        targets: What it is fitted to, the same rows; the inputs themselves where there are
        none.
        weights: What counts of the same rows: `sample_weight` of rows, of steps or of values.
        whole: All targets, where they are an array in memory; for what costs little per row.
        rows: How many rows there are in all.
        sampled: How the sample was taken, in words; empty where it is all rows.
        validation: Sampled validation inputs and targets.
        history: Keras' logged values per epoch.
        training: What was seen of a training.
        initial_weights: All weights before that training, in the order of `model.weights`.
        numbers: Attributes of its layers when its step was compiled.
        spare: Arrays of the program that have the rows' shape and were not given to `fit`, by
            name, the same rows as `inputs` where their number is the same.
        elsewhere: An array of the program that is other rows with something random added.
        wheres: Lines of the program: 'compile', 'fit', 'layer NAME' and 'array NAME'.
        seed: Draws what the audit draws.
        notes: Sentences on what could not be seen.
    """

    model: Any
    target: str
    inputs: Array | None = None
    targets: Array | None = None
    weights: Array | None = None
    whole: Array | None = None
    rows: int = 0
    sampled: str = ""
    validation: tuple[Array, Array] | None = None
    history: Mapping[str, Any] | None = None
    training: TrainingFacts | None = None
    initial_weights: list[Array] | None = None
    numbers: Numbers = field(default_factory=dict)
    spare: Mapping[str, Array] = field(default_factory=dict)
    elsewhere: SpareArray | None = None
    wheres: Mapping[str, Where] = field(default_factory=dict)
    seed: int = 0
    notes: tuple[str, ...] = ()

    def where(self, what: str) -> Where | None:
        """Return the line of 'compile', 'fit' or 'layer NAME'; None where it isn't known."""
        return self.wheres.get(what)
