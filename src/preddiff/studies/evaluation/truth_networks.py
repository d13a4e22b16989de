"""The networks where the truth is known, trained in seconds.

As in the paper of XAI-TRIS: a logistic regression, a multilayer perceptron and a convolutional
network, by Adam on the cross-entropy; of all epochs the one with the least loss on other pictures.
Otherwise than there, pictures are divided by their standard deviation and the learning rate rises
and falls (Smith & Topin 2019): convolutional networks then need 80 epochs, not 500.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Protocol

import numpy as np
import torch
from torch import nn

from preddiff.models.networks.network import Network
from preddiff.models.networks.preprocessing import Preprocessing
from preddiff.types import Batch, Integers

TRUTH_NETWORKS = {
    "linear": "logistic regression",
    "mlp": "multilayer perceptron",
    "cnn": "convolutional network",
}
"""Networks by name, as people read them."""

ENOUGH = 0.8
"""Share of right answers from which on a network is explained: the paper's."""

_TRAINING, _VALIDATION = 0.8, 0.1  # shares of the pictures
_BATCH = 512
_EPOCHS = 80
_RATE = 0.02  # Adam's, at its highest
_TRIES = 5  # small networks may end with units that never answer, and start again


class Labelled(Protocol):
    """Pictures and their classes."""

    @property
    def pictures(self) -> Batch:
        """(picture, channel, y, x) in [0, 1]."""

    @property
    def labels(self) -> Annotated[Integers, "picture"]:
        """(picture,), from 0."""


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A network, and how often it is right on the pictures that are left to test it."""

    name: str
    model: Network
    accuracy: float


def split(count: int) -> tuple[slice, slice, slice]:
    """Return which pictures are for training, for validation and for tests."""
    first, second = int(count * _TRAINING), int(count * (_TRAINING + _VALIDATION))
    return slice(0, first), slice(first, second), slice(second, count)


def trained(name: str, data: Labelled, seed: int = 0) -> TrainedNetwork:
    """Train a network; from other weights again while it is right too seldom.

    Parameters
    ----------
    name : one of `TRUTH_NETWORKS`.
    """
    training, validation, test = split(len(data.labels))
    values = torch.from_numpy(data.pictures)
    middle, spread = 0.5, float(data.pictures[training].std())
    inputs, labels = (values - middle) / spread, torch.from_numpy(data.labels)

    def accuracy(module: nn.Module, which: slice) -> float:
        with torch.inference_mode():
            return float((module(inputs[which]).argmax(1) == labels[which]).float().mean())

    classes = int(data.labels.max()) + 1
    best, right = None, -1.0
    with torch.random.fork_rng(devices=[]):
        for attempt in range(_TRIES):
            torch.manual_seed(seed * _TRIES + attempt)
            module = _fitted(
                _MAKERS[name](data.pictures, classes), inputs, labels, training, validation
            )
            if accuracy(module, validation) > right:
                best, right = module, accuracy(module, validation)
            if right >= ENOUGH:
                break
    assert best is not None  # noqa: S101 - tells the type checker
    shape = data.pictures.shape[2], data.pictures.shape[3]
    channels = data.pictures.shape[1]
    preprocessing = Preprocessing(
        size=shape, channels=channels, mean=(middle,) * channels, std=(spread,) * channels
    )
    model = Network(best, preprocessing, output="logits", spec=f"xai-tris {name}")
    return TrainedNetwork(name, model, accuracy(best, test))


def _fitted(
    module: nn.Module,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    training: slice,
    validation: slice,
) -> nn.Module:
    """Train a module, and return it with the weights of its best epoch."""
    x, y = inputs[training], labels[training]
    starts = range(0, len(x) - len(x) % _BATCH, _BATCH) or range(1)
    optimiser = torch.optim.Adam(module.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=_RATE, total_steps=_EPOCHS * len(starts)
    )
    best, least = module.state_dict(), np.inf
    for _epoch in range(_EPOCHS):
        module.train()
        order = torch.randperm(len(x))
        for start in starts:
            some = order[start : start + _BATCH]
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(module(x[some]), y[some])
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
        module.eval()
        with torch.inference_mode():
            missed = nn.functional.cross_entropy(module(inputs[validation]), labels[validation])
        if missed < least:
            least = float(missed)
            best = {key: value.clone() for key, value in module.state_dict().items()}
    module.load_state_dict(best)
    return module.eval()


def _logistic_regression(pictures: Batch, classes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(pictures[0].size, classes, bias=False))


def _perceptron(pictures: Batch, classes: int) -> nn.Module:
    """Return three hidden layers: an eighth of the pixels in the last, in pictures of 8×8."""
    pixels = pictures[0].size
    sizes = [pixels, 256, 256, 64] if pixels > 64 else [pixels, 32, 16, 8]
    layers: list[nn.Module] = [nn.Flatten()]
    for first, second in pairwise(sizes):
        layers += [nn.Linear(first, second), nn.ReLU()]
        if pixels > 64:
            layers.append(nn.Dropout(0.3))
    return _initialised(nn.Sequential(*layers, nn.Linear(sizes[-1], classes)))


def _convolutional(pictures: Batch, classes: int) -> nn.Module:
    """Return four convolutions, each with a pooling by two."""
    large = pictures.shape[-1] > 8
    widths, kernel = ((4, 8, 16, 32), 4) if large else ((4, 4, 4, 4), 2)
    layers: list[nn.Module] = []
    for first, second in pairwise((pictures.shape[1], *widths)):
        layers += [nn.Conv2d(first, second, kernel, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    body = nn.Sequential(*layers, nn.Flatten())
    with torch.inference_mode():
        features = body(torch.from_numpy(pictures[:1])).shape[1]
    return _initialised(nn.Sequential(*body, nn.Linear(features, classes)))


def _initialised(module: nn.Module) -> nn.Module:
    """Give a module's weights the variance of He et al. (2015), as in the paper."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
    return module


_MAKERS: dict[str, Callable[[Batch, int], nn.Module]] = {
    "linear": _logistic_regression,
    "mlp": _perceptron,
    "cnn": _convolutional,
}
