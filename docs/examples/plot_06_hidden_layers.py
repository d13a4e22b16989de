"""
What does a hidden layer see?
=============================

The same question, asked of a channel of a hidden layer instead of a class.
"""

from collections import OrderedDict

import numpy as np
import torch
from torch import nn

import preddiff


def pictures(count, seed):
    """Return pictures of discs (0) and squares (1) on noise, and their classes."""
    rng = np.random.default_rng(seed)
    found = rng.uniform(0.3, 0.5, size=(count, 3, 32, 32)).astype(np.float32)
    kinds = rng.integers(0, 2, size=count)
    y, x = np.mgrid[:32, :32]
    for picture, kind in zip(found, kinds, strict=True):
        cy, cx = rng.integers(9, 23, size=2)
        disc = (y - cy) ** 2 + (x - cx) ** 2 <= 36
        square = (abs(y - cy) <= 5) & (abs(x - cx) <= 5)
        picture[:, square if kind else disc] += 0.4
    return found, kinds


def trained(given, kinds):
    """Return a small network that was trained for a few seconds."""
    torch.manual_seed(0)
    layers = {
        "conv1": nn.Conv2d(3, 8, 5, padding=2),
        "relu1": nn.ReLU(),
        "pool1": nn.MaxPool2d(2),
        "conv2": nn.Conv2d(8, 16, 5, padding=2),
        "relu2": nn.ReLU(),
        "pool2": nn.AdaptiveMaxPool2d(1),
        "flatten": nn.Flatten(),
        "linear": nn.Linear(16, 2),
    }
    network = nn.Sequential(OrderedDict(layers))
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    x, y = torch.from_numpy(given), torch.from_numpy(kinds)
    for _ in range(60):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(x), y).backward()
        optimiser.step()
    return network.eval()


given, kinds = pictures(200, seed=0)
model = preddiff.load_model(trained(given[:100], kinds[:100]), labels=["disc", "square"])

# %%
# Nodes have the names of the module's graph.

print(dict(model.nodes(given[0])))

# %%
# Of the two most active channels of the second convolution: which pixels raise their mean?

explanation = preddiff.explain(
    model, given[0], targets="top2", node="relu2", sampler="blurred", window=4, stride=2
)
figure = preddiff.figure(explanation)
figure
