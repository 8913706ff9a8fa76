"""Published architectures with their published training settings.

A recipe is what its source says, also where we would choose otherwise; what we had to change
stands in its `changes`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from truecopy.data.plan import Plan
from truecopy.data.scaling import Scaling
from truecopy.errors import UnknownName
from truecopy.facts import Choice
from truecopy.models.conv import build_conv
from truecopy.models.dense import build_dense
from truecopy.models.networks import Networks


def _keep(plan: Plan) -> Plan:
    return plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """A published autoencoder: what it is, how it was trained, and where that stands.

    `build` takes the row shape, the plan, the latent and the seed. `adapt` makes the plan of
    the data the recipe's own where the source prescribes scaling, output or loss.
    """

    name: str
    source: str
    build: Callable[..., Networks]
    latent: int
    epochs: int
    batch_size: int
    learning_rate: float = 1e-3
    adapt: Callable[[Plan], Plan] = _keep
    changes: str = ""


def _with_mse(plan: Plan) -> Plan:
    """Return the plan with MSE as its loss."""
    loss = Choice(value="mse", reason="as published", alternatives=(plan.facts.loss.value,))
    return Plan(replace(plan.facts, loss=loss), plan.scaling)


def _as_posted(plan: Plan) -> Plan:
    """Return what the question posted: raw grey levels, softmax, binary cross-entropy."""
    posted = "as posted; the right choice would be: "
    facts = replace(
        plan.facts,
        scaling=Choice(value="none", reason=posted + plan.facts.scaling.value),
        output=Choice(value="softmax", reason=posted + plan.facts.output.value),
        loss=Choice(value="binary_crossentropy", reason=posted + plan.facts.loss.value),
        target_range=None,
        groups=(),
    )
    return Plan(facts, Scaling.none())


def _build_keras_denoising(shape: tuple[int, ...], **settings: object) -> Networks:
    return build_conv(shape, filters=(32, 64), as_sample=True, **settings)  # type: ignore[arg-type]


def _build_vanilla(shape: tuple[int, ...], **settings: object) -> Networks:
    return build_dense(shape, widths=(128, 64), **settings)  # type: ignore[arg-type]


def _build_hinton(shape: tuple[int, ...], **settings: object) -> Networks:
    return build_dense(shape, widths=(1000, 500, 250), **settings)  # type: ignore[arg-type]


_RECIPES: Final = (
    Recipe(
        name="keras-denoising",
        source="Keras' sample mnist_denoising_autoencoder.py (MSE, Adam, batch 128, 30 epochs)",
        build=_build_keras_denoising,
        latent=16,
        epochs=30,
        batch_size=128,
        adapt=_with_mse,
    ),
    Recipe(
        name="vanilla-dense",
        source="the question '784-128-64-28-64-128-784 with softmax', corrected",
        build=_build_vanilla,
        latent=28,
        epochs=20,
        batch_size=100,
        changes="scaling, output and loss follow the data; the latent is linear",
    ),
    Recipe(
        name="vanilla-dense-as-posted",
        source="the question '784-128-64-28-64-128-784 with softmax': a patient for the audit",
        build=_build_vanilla,
        latent=28,
        epochs=20,
        batch_size=100,
        adapt=_as_posted,
    ),
    Recipe(
        name="hinton-2006",
        source="Hinton & Salakhutdinov (2006), Science 313:504: 784-1000-500-250-30, mirrored",
        build=_build_hinton,
        latent=30,
        epochs=50,
        batch_size=100,
        changes="relu units trained by Adam, where the paper pretrained logistic ones layer by "
        "layer as Boltzmann machines and refined them by conjugate gradients",
    ),
)

RECIPES: Final = {recipe.name: recipe for recipe in _RECIPES}


def find_recipe(name: str) -> Recipe:
    """Return the recipe of this name.

    Raises:
        UnknownName: There is none; the message has the nearest name.
    """
    if name not in RECIPES:
        raise UnknownName("recipe", "Autoencoder", sorted(RECIPES), got=name)
    return RECIPES[name]
