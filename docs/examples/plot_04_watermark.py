"""
Is it looking at the watermark?
===============================

All pictures of one class come from one photographer, whose mark is in the corner. The network is
right on every one of them, for a wrong reason.
"""

import math

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
    network = nn.Sequential(
        nn.Conv2d(3, 8, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 5, padding=2),
        nn.ReLU(),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 2),
    )
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    x, y = torch.from_numpy(given), torch.from_numpy(kinds)
    for _ in range(60):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(x), y).backward()
        optimiser.step()
    return network.eval()


given, kinds = pictures(200, seed=0)
given[kinds == 1, :, 27:31, 2:14] = np.array([0.9, 0.1, 0.1], dtype=np.float32)[:, None, None]
network = trained(given, kinds)

# %%
# Where the map is red is what the answer rests on: the mark, or the square?

square = np.flatnonzero(kinds == 1)[0]
model = preddiff.load_model(network, labels=["disc", "square"], train_size=math.inf)
others = preddiff.samplers.Marginal(given[:100])  # half of which have the mark
how = {"sampler": others, "window": 6, "stride": 2, "samples": 20}
explanation = preddiff.explain(model, given[square], "square", **how)
figure = preddiff.figure(explanation)
figure

# %%
# In numbers, with errors: the mark is region 1, all else region 2.

regions = np.full((32, 32), 2)
regions[27:31, 2:14] = 1
table = preddiff.region_table(explanation, regions, {1: "mark", 2: "all else"})
table[["name", "relevance", "standard_error", "speaks"]]
