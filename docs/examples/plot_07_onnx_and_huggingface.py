"""
Networks in files, and those of HuggingFace
===========================================

An ONNX file, and a module that returns an object with ``logits``, as HuggingFace's do.
"""

import tempfile
import warnings
from pathlib import Path
from types import SimpleNamespace

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
# A file, here written by torch: ``preddiff explain cat.jpg --model net.onnx`` is the same at the command line.

how = {"sampler": "blurred", "window": 4, "stride": 2}
path = Path(tempfile.mkdtemp()) / "net.onnx"
with warnings.catch_warnings(action="ignore"):
    torch.onnx.export(network, (torch.zeros(1, 3, 32, 32),), str(path), dynamo=False)
of_file = preddiff.load_model(path, output="logits", labels=["disc", "square"])
explanation = preddiff.explain(of_file, given[0], **how)
figure = preddiff.figure(explanation)
figure

# %%
# A module like those of HuggingFace: names of classes are taken from its configuration.


class ForImageClassification(nn.Module):
    """A network with a configuration, that returns an object."""

    def __init__(self, trunk):
        super().__init__()
        self.trunk = trunk
        self.config = SimpleNamespace(id2label={0: "disc", 1: "square"})

    def forward(self, pixel_values):
        """Return an object with logits."""
        return SimpleNamespace(logits=self.trunk(pixel_values))


model = preddiff.load_model(ForImageClassification(network).eval(), output="logits")
same = preddiff.explain(model, given[0], **how)
print(same.labels, float(abs(same.relevance - explanation.relevance).max()))
