"""
Why this class and not that one?
================================

The evidence for a class is against all others together. A contrast asks about two.
"""

import numpy as np
import torch
from torch import nn

import preddiff


def pictures(count, seed):
    """Return pictures of discs (0), rings (1) and squares (2) on noise, and their classes."""
    rng = np.random.default_rng(seed)
    found = rng.uniform(0.3, 0.5, size=(count, 3, 32, 32)).astype(np.float32)
    kinds = rng.integers(0, 3, size=count)
    y, x = np.mgrid[:32, :32]
    for picture, kind in zip(found, kinds, strict=True):
        cy, cx = rng.integers(9, 23, size=2)
        far = (y - cy) ** 2 + (x - cx) ** 2
        square = (abs(y - cy) <= 5) & (abs(x - cx) <= 5)
        picture[:, (far <= 36, (far <= 36) & (far > 6), square)[kind]] += 0.4
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
        nn.Linear(16, 3),
    )
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    x, y = torch.from_numpy(given), torch.from_numpy(kinds)
    for _ in range(100):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(x), y).backward()
        optimiser.step()
    return network.eval()


given, kinds = pictures(300, seed=0)
network = trained(given, kinds)

# %%
# A disc speaks against a square by its outline, and against a ring by having no hole. The evidence for
# "disc" is against both.

labels = ["disc", "ring", "square"]
model = preddiff.load_model(network, labels=labels)
how = {
    "sampler": preddiff.samplers.Marginal(given[100:200]),
    "window": 5,
    "stride": 2,
    "samples": 20,
    "train_size": len(given),
}
disc = given[np.flatnonzero(kinds == 0)[0]]
figure = preddiff.figure(preddiff.explain(model, disc, "disc", **how))
figure

# %%
# Targets may be contrasts: the log-odds of the first, if it is one of the two.

against_ring = preddiff.explain(model, disc, "disc against ring", **how)
figure_of_ring = preddiff.figure(against_ring)
figure_of_ring

# %%
# The same disc, against a square:

against_square = preddiff.explain(model, disc, "disc against square", **how)
figure_of_square = preddiff.figure(against_square)
figure_of_square
