"""Networks are told from other models."""

import sys

from torch import nn

from conftest import Softmax
from preddiff.models import load_model
from preddiff.models.kind import is_network


def test_networks_are_and_functions_are_not(monkeypatch):
    network, function = load_model(nn.Flatten().eval()), load_model(Softmax((3, 4, 4)))
    assert is_network(network)
    assert not is_network(function)
    monkeypatch.delitem(sys.modules, "preddiff.models.networks.network")  # nobody imported them
    assert not is_network(function)
    assert "preddiff.models.networks.network" not in sys.modules
