"""
In place of Captum's Occlusion
==============================

The same call, with draws of what could stand there instead of zeros, and in bits.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from captum.attr import Occlusion
from torch import nn

from preddiff.adapters.captum import PredictionDifference
from preddiff.samplers import Marginal


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
network = nn.Sequential(network, nn.Softmax(1)).eval()
inputs = torch.from_numpy(given[:2])
asked = {
    "target": torch.from_numpy(kinds[:2]),
    "sliding_window_shapes": (3, 6, 6),
    "strides": (3, 2, 2),
}

# %%
# With a constant and the difference of probabilities, it gives what Occlusion gives.

occlusion = Occlusion(network).attribute(inputs, baselines=0, **asked)
same = PredictionDifference(network, measure="DP").attribute(inputs, baselines=0, **asked)
print(float((occlusion - same).abs().max()))

# %%
# Its own question: what if these pixels were unknown? Of tensors that were normalised, say by what
# (``mean=``, ``std=``), since samplers know pictures in [0, 1].

evidence = PredictionDifference(network, sampler=Marginal(given[100:])).attribute(inputs, **asked)
figure, (first, *others) = plt.subplots(1, 3, figsize=(9, 3), layout="constrained")
first.imshow(given[0].transpose(1, 2, 0))
first.set_title("input")
shown = {"occlusion": occlusion, "evidence in bits": evidence}
for axes, (name, values) in zip(others, shown.items(), strict=True):
    end = float(values[0, 0].abs().max())
    image = axes.imshow(values[0, 0], cmap="RdBu_r", vmin=-end, vmax=end)
    axes.set_title(name)
    figure.colorbar(image, ax=axes, shrink=0.8)
