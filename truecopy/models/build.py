"""From the words 'auto', 'dense', 'conv', 'recipe:NAME' or a Keras model to networks."""

import math
from typing import Any, Final

import keras

from truecopy.errors import InvalidArgument, UnknownName
from truecopy.facts import PlanFacts
from truecopy.models.conv import build_conv, suits_conv
from truecopy.models.dense import build_dense
from truecopy.models.networks import Networks
from truecopy.models.recipes import RECIPES, Recipe, find_recipe

_RECIPE: Final = "recipe:"
_DEFAULT_LATENT: Final = 16


def recipe_of(model: Any) -> Recipe | None:
    """Return the recipe that 'recipe:NAME' names; None for any other model.

    Raises:
        UnknownName: There is no such recipe.
    """
    if isinstance(model, str) and model.startswith(_RECIPE):
        return find_recipe(model.removeprefix(_RECIPE))
    return None


def choose_latent(latent: int | None, recipe: Recipe | None, *, features: int) -> int:
    """Return the width of the latent, at most one less than there are features.

    Raises:
        InvalidArgument: `latent` is as wide as the rows or wider: it could hold them as is.
    """
    widest = max(1, features - 1)
    if latent is None:
        asked = _DEFAULT_LATENT if recipe is None else recipe.latent
        return min(asked, max(1, features // 2))
    if latent > widest:
        must_be = f"a whole number from 1 to {widest}, less than the {features} values of a row"
        raise InvalidArgument("latent", "Autoencoder", must_be, got=latent)
    return latent


def build_networks(
    model: Any,
    shape: tuple[int, ...],
    *,
    latent: int,
    plan: PlanFacts,
    seed: int,
    sequence: bool = False,
) -> Networks:
    """Build the networks that `model` asks for, untrained.

    Args:
        model: As in `Autoencoder`.
        shape: The shape of one row.
        latent: The width of the latent; a Keras model keeps its own.
        plan: Gives the output activation.
        seed: Draws the initial weights.
        sequence: Rows are windows of a time series, (length, channels), not grey images.

    Raises:
        UnknownName: There is no such model.
        InvalidArgument: The model doesn't suit rows of this shape.
    """
    recipe = recipe_of(model)
    if recipe is not None:
        return recipe.build(shape, latent=latent, plan=plan, seed=seed, name=recipe.name)
    if isinstance(model, keras.Model):
        return _adopt_keras(model, shape)
    if model == "auto":
        suits = suits_conv(shape, sequence=sequence)
        model = "conv" if suits and plan.output.value != "softmax" else "dense"
    told: dict[str, Any] = {"latent": latent, "plan": plan, "seed": seed}
    if model == "dense":
        # A table has few rows: it starts from PCA instead.
        table = len(shape) == 1
        return build_dense(shape, direct=table, normalise=not table, **told)
    if model == "conv":
        return build_conv(shape, sequence=sequence, **told)
    known = ["auto", "conv", "dense", *(_RECIPE + name for name in sorted(RECIPES))]
    raise UnknownName("model", "Autoencoder", known, got=str(model))


def _adopt_keras(model: Any, shape: tuple[int, ...]) -> Networks:
    """Clone a Keras model: fitting the estimator must not change the user's."""
    if tuple(model.input_shape[1:]) != shape or tuple(model.output_shape[1:]) != shape:
        must_be = f"a Keras model from and to rows of shape {shape}"
        got = f"{model.input_shape[1:]} to {model.output_shape[1:]}"
        raise InvalidArgument("model", "Autoencoder", must_be, got=got)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    parts = {layer.name: layer for layer in clone.layers}
    encoder, decoder = parts.get("encoder"), parts.get("decoder")
    if encoder is None or decoder is None:
        must_be = "a Keras model with layers named 'encoder' and 'decoder'"
        raise InvalidArgument("model", "Autoencoder", must_be, got=sorted(parts))
    if math.prod(encoder.output_shape[1:]) != math.prod(decoder.input_shape[1:]):
        must_be = "a Keras model whose decoder takes what its encoder gives"
        raise InvalidArgument("model", "Autoencoder", must_be, got=encoder.output_shape)
    return Networks(clone, encoder, decoder)
