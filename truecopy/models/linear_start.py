"""Starts a table's network at PCA: what is linear needs no training, the rest is learned on top.

A small table gives a network too few steps to find by gradients what PCA solves exactly. The
direct connections of `build_dense` are set to PCA, those of the hidden layers to 0: the network
begins as PCA, with gradients for both. (The idea of residual networks that start as the identity:
Zhang, Dauphin & Ma 2019, Fixup; starting autoencoders from PCA: Hinton & Salakhutdinov 2006
pretrained for the same reason.)
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from truecopy.facts import PlanFacts
from truecopy.models.networks import Networks, list_blocks
from truecopy.models.pca import PrincipalComponents

Floats = NDArray[np.float64]

# Shares nearer to 0 or 1 than this would start where a sigmoid is flat.
_LEAST_SHARE: Final = 0.02


def starts_linear(networks: Networks) -> bool:
    """Tell whether a network is ours and has the direct connections that PCA is put on."""
    layers = [layer.name for part in (networks.encoder, networks.decoder) for layer in part.layers]
    return networks.model.name == "dense" and {"with_row", "with_code"} <= set(layers)


def start_linear(networks: Networks, pca: PrincipalComponents, plan: PlanFacts) -> None:
    """Set the weights of a dense network with direct connections so that it copies as PCA does.

    An output that isn't linear is PCA's to first order around the features' means.

    Args:
        networks: From `build_dense(..., direct=True)`; changed in place.
        pca: Of the training rows in scaled units, as wide as the latent.
        plan: Gives the outputs' activations.
    """
    components = pca.components
    code = networks.encoder.get_layer("latent")
    _set(code, components.T, -pca.mean @ components.T)
    first = 0
    blocks = list_blocks(plan) or [(plan.output.value, len(pca.mean))]
    for number, (activation, width) in enumerate(blocks):
        part = slice(first, first + width)
        first += width
        origin, slope = _linearise(activation, pca.mean[part])
        name = "output" if len(blocks) == 1 else f"output_{number}"
        _set(networks.decoder.get_layer(name), components[:, part] / slope, origin)


def _set(layer: Any, direct: Floats, bias: Floats) -> None:
    """Give a layer these weights for its direct inputs, which come first, and 0 for the rest."""
    kernel = np.zeros(layer.kernel.shape, np.float32)
    kernel[: len(direct)] = direct
    layer.set_weights([kernel, np.asarray(bias, np.float32)])


def _linearise(activation: str, mean: Floats) -> tuple[Floats, Floats]:
    """Return where an activation gives the `mean`, and its slope there."""
    if activation == "sigmoid":
        share = np.clip(mean, _LEAST_SHARE, 1 - _LEAST_SHARE)
        return np.log(share / (1 - share)), share * (1 - share)
    if activation == "softmax":
        # Deviations within a group sum to 0, so the other shares' part of the slope does, too.
        share = np.maximum(mean, _LEAST_SHARE)
        return np.log(share), share
    if activation == "tanh":
        share = np.clip(mean, _LEAST_SHARE - 1, 1 - _LEAST_SHARE)
        return np.arctanh(share), 1 - share**2
    if activation == "softplus":
        share = np.maximum(mean, _LEAST_SHARE)
        return np.log(np.expm1(share)), -np.expm1(-share)
    return mean, np.ones_like(mean)
