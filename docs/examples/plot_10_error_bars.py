"""
Error bars: how sure is the map?
================================

Every number comes from random draws, and has a standard error.
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
model = preddiff.load_model(trained(given[:100], kinds[:100]), labels=["disc", "square"])
how = {"window": 5, "sampler": preddiff.samplers.Marginal(given[100:])}

# %%
# Draw until the error of the map is below a share of its size: a quick look, then a better one.

for tolerance in (0.5, 0.25):
    explanation = preddiff.explain(model, given[0], tolerance=tolerance, **how)
    draws = explanation.provenance["evaluations"] - 1
    print(f"asked for {tolerance:.0%}: {explanation.precision_text} after {draws:,} draws")

# %%
# Two seeds differ by about what the errors say: of a normal deviation, 95 % lie within 1.96 errors.

other = preddiff.explain(model, given[0], tolerance=0.25, seed=1, **how)
off = (explanation.relevance - other.relevance) / np.hypot(
    explanation.standard_error, other.standard_error
)
print(f"{float((abs(off) < 1.96).mean()):.0%} of the pixels")

# %%
# They are errors of the draws: how the map would change with others, not whether the network is right.

figure = preddiff.figure(explanation)
figure
