"""Commands as a person runs them, and a module of small models for them."""

import subprocess
import sys

FACTORY = """
import torch
from torch import nn
from preddiff.models.networks.network import Network
from preddiff.models.networks.preprocessing import Preprocessing

def make():
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 22 * 22, 5)]
    network = nn.Sequential(*layers).eval()
    how = Preprocessing(size=(24, 24), short_side=24, mean=(0.5,) * 3)
    return Network(network, how, spec="tiny", labels=["ant", "bee", "cat, house cat", "dog", "elk"])

def make_module():
    return nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()

def make_float():
    return 3.5
"""

TINY = ("--model", "tiny_model:make", "--window", 6, "--stride", 6)


def run(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "preddiff", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )
