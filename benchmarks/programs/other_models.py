"""The seed models without Keras: plain PyTorch, scikit-learn, PyOD."""

import contextlib
import itertools
from typing import Any

from benchmarks.programs.clock import Clock, read_mnist, scale


def train_torch(
    *, model: str, rows: int, batch: int, seconds: float, seed: int, compiled: bool = False
) -> dict[str, float]:
    """Fit a seed model with the loop that PyTorch's own tutorials show."""
    import torch

    torch.manual_seed(seed)
    images = torch.from_numpy(scale(read_mnist(rows)))
    images = images.reshape(rows, -1) if model == "dense" else images.reshape(rows, 1, 28, 28)
    network: Any = _dense() if model == "dense" else _conv()
    functional = torch.nn.functional
    loss_of = functional.binary_cross_entropy if model == "dense" else functional.mse_loss
    optimizer = torch.optim.Adam(network.parameters())
    if compiled:
        network = torch.compile(network)
    clock, enough = Clock(seconds=seconds), False
    while not enough:
        order = torch.randperm(rows)
        for first in range(0, rows, batch):
            x = images[order[first : first + batch]]
            optimizer.zero_grad()
            loss_of(network(x), x).backward()
            optimizer.step()
        enough = clock.mark()
    return clock.summary(rows)


def _dense() -> Any:
    from torch import nn

    widths = (784, 128, 64, 28, 64, 128, 784)
    layers = []
    for width, following in itertools.pairwise(widths):
        layers += [nn.Linear(width, following), nn.ReLU()]
    return nn.Sequential(*layers[:-1], nn.Sigmoid())


def _conv() -> Any:
    from torch import nn

    strided: dict[str, Any] = {"stride": 2, "padding": 1}
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, **strided),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, **strided),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(7 * 7 * 64, 16),
        nn.Linear(16, 7 * 7 * 64),
        nn.Unflatten(1, (64, 7, 7)),
        nn.ConvTranspose2d(64, 64, 3, output_padding=1, **strided),
        nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 3, output_padding=1, **strided),
        nn.ReLU(),
        nn.ConvTranspose2d(32, 1, 3, padding=1),
        nn.Sigmoid(),
    )


def train_sklearn(*, rows: int, batch: int, seconds: float, seed: int) -> dict[str, float]:
    """Fit scikit-learn's MLPRegressor of the same widths."""
    from sklearn.neural_network import MLPRegressor

    images = scale(read_mnist(rows)).reshape(rows, -1)
    widths = (128, 64, 28, 64, 128)
    network = MLPRegressor(hidden_layer_sizes=widths, batch_size=batch, random_state=seed)
    clock = Clock(seconds=seconds)
    while True:
        network.partial_fit(images, images)  # one pass over the rows
        if clock.mark():
            return clock.summary(rows)


class _EnoughError(Exception):
    """Ends PyOD's training, which has no other way to stop."""


def train_pyod(*, rows: int, batch: int, seconds: float, seed: int) -> dict[str, float]:
    """Fit PyOD's AutoEncoder of the same widths, without batch normalisation and dropout."""
    from pyod.models.auto_encoder import AutoEncoder

    images = scale(read_mnist(rows)).reshape(rows, -1)
    clock = Clock(seconds=seconds)

    class Marked(AutoEncoder):  # type: ignore[misc]  # PyOD ships no types
        def epoch_update(self) -> None:
            if clock.mark():
                raise _EnoughError

    detector = Marked(
        hidden_neuron_list=[128, 64, 28],
        preprocessing=False,
        batch_norm=False,
        dropout_rate=0,
        epoch_num=10**6,
        batch_size=batch,
        random_state=seed,
        verbose=0,
    )
    with contextlib.suppress(_EnoughError):
        detector.fit(images)
    # PyOD leaves out the rows of a short last batch.
    return clock.summary(rows - rows % batch)
