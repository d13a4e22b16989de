"""Nodes have names, and parts of a network give what the network gives."""

import numpy as np
import pytest
import torch
from torch import nn

import preddiff
from conftest import logits_of
from preddiff import load_model
from preddiff.errors import TargetError


def test_nodes_of_a_network_are_targets(rng, small_network):
    x = rng.random((2, 3, 16, 16)).astype(np.float32)
    model = load_model(small_network)
    assert model.nodes(x[0]) == {
        "0": (6, 16, 16), "1": (6, 16, 16), "2": (6, 8, 8), "3": (8, 8, 8), "4": (8, 8, 8),
        "5": (512,), "6": (4,),
    }  # fmt: skip
    with torch.inference_mode():
        hidden = small_network[:4](torch.from_numpy(x)).mean(dim=(2, 3))
    np.testing.assert_allclose(model.predict(x, "3"), hidden, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.predict(x, "6"), logits_of(small_network, x), rtol=1e-4)
    assert not model.is_probability("3")
    with pytest.raises(TargetError, match="no node '33'; .*nearest: 3"):
        model.predict(x, "33")


def test_explaining_a_node_gives_activation_differences(rng, small_network):
    x = rng.random((3, 16, 16)).astype(np.float32)
    e = preddiff.explain(small_network, x, [5], node="3", sampler="constant:0", window=8, stride=8)
    assert e.unit == "activation"
    filled = x.copy()
    filled[:, :8, 8:] = 0
    model = load_model(small_network)
    difference = model.predict(x[None], "3")[0, 5] - model.predict(filled[None], "3")[0, 5]
    assert e.evidence.sel(window=1).item() == pytest.approx(difference, abs=1e-6)
    assert e.relevance.values[0, 3, 12] == pytest.approx(difference, abs=1e-6)


class InPlace(nn.Module):
    """A network whose operations change their input, and throw away what they return."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(12, 3)

    def forward(self, x):
        x = x.flatten(1) - 0.5
        x.relu_()
        y = self.linear(x)
        nn.functional.relu(y, inplace=True)
        return y.softmax(1)


def test_operations_in_place_are_kept(rng):
    torch.manual_seed(0)
    network = InPlace().eval()
    x = rng.random((4, 3, 2, 2)).astype(np.float32)
    model = load_model(network)
    np.testing.assert_allclose(model.predict(x), logits_of(network, x), rtol=1e-5)
    logits = model.graph.outputs[0].all_input_nodes[0]
    seen_by_softmax = logits_of(model.graph.upto(logits, user=model.graph.outputs[0]), x)
    np.testing.assert_allclose(seen_by_softmax.softmax(1), logits_of(network, x), rtol=1e-5)
    assert (seen_by_softmax >= 0).all()
    assert (model.predict(x, "linear") < 0).any()  # what the layer itself gives
