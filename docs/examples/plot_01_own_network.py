"""
Why did my network say so?
==========================

A network of one's own: a module in evaluation mode, and the names of its classes.
"""

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
network = trained(given[:100], kinds[:100])

# %%
# A module is enough. Pictures are floats in [0, 1], (channel, y, x); where pictures have to be resized
# or normalised, say ``preprocess=``.

model = preddiff.load_model(network, labels=["disc", "square"])
explanation = preddiff.explain(model, given[0], sets=1500, window=4, stride=2)
print(explanation, explanation.values)

# %%
# Red pixels are evidence for the answer, blue ones against it, in bits: with the pixels of a window
# of +1 bit unknown, the odds of the class would be half.

figure = preddiff.figure(explanation)
figure

# %%
# The result shows itself as its page: click a pixel to read its value.

explanation
