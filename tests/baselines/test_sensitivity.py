"""Sensitivity is the largest absolute derivative over channels."""

import numpy as np
import torch
from torch import nn

from conftest import Softmax
from preddiff.baselines.sensitivity import sensitivity
from preddiff.models import load_model
from preddiff.models.networks.network import Network


def test_of_a_linear_network_it_is_its_largest_weight(rng):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 4, 2)).eval()
    inputs = rng.random((3, 4, 4), dtype=np.float32)
    found = sensitivity(Network(network, output="logits"), inputs, [1, 0])
    weights = network[1].weight.detach().numpy().reshape(2, 3, 4, 4)
    np.testing.assert_allclose(found, np.abs(weights).max(axis=1)[::-1], rtol=1e-6)


def test_functions_have_no_gradient(rng):
    model = load_model(Softmax((3, 4, 4)))
    assert sensitivity(model, rng.random((3, 4, 4), dtype=np.float32), [0]) is None
