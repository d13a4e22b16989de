"""Logits or probabilities: what a network returns, found or said."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from conftest import logits_of
from preddiff import load_model
from preddiff.errors import ModelError


def test_logits_get_a_softmax(rng, small_network):
    x = rng.random((5, 3, 16, 16)).astype(np.float32)
    model = load_model(small_network)
    expected = logits_of(small_network, x).softmax(1)
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5)
    assert model.output == "logits"


def test_a_network_that_ends_in_a_softmax_gives_probabilities(rng, small_network):
    x = rng.random((5, 3, 16, 16)).astype(np.float32)
    model = load_model(nn.Sequential(small_network, nn.Softmax(1)).eval())
    np.testing.assert_allclose(model.predict(x), load_model(small_network).predict(x), rtol=1e-5)
    assert model.output == "probabilities"


def test_the_caller_can_say_what_the_output_is(rng, small_network):
    x = rng.random((5, 3, 16, 16)).astype(np.float32)
    plain = load_model(small_network, output="probabilities").predict(x)
    np.testing.assert_allclose(plain, logits_of(small_network, x), rtol=1e-5, atol=1e-7)
    with pytest.raises(ModelError, match="output='odds': expected auto, logits or probabilities"):
        load_model(small_network, output="odds")


def test_one_logit_stands_for_two_classes(rng, small_network):
    x = rng.random((5, 3, 16, 16)).astype(np.float32)
    single = nn.Sequential(small_network, nn.Linear(4, 1)).eval()
    p = load_model(single, output="logits").predict(x)
    np.testing.assert_allclose(p[:, 1], logits_of(single, x).sigmoid()[:, 0], rtol=1e-5)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    sigmoid = load_model(nn.Sequential(single, nn.Sigmoid()).eval())
    np.testing.assert_allclose(sigmoid.predict(x), p, rtol=1e-5)
    np.testing.assert_array_less(0, np.abs(sigmoid.gradient(x[0], [0])).max())


def test_probabilities_keep_their_digits_near_one():
    """In float32, 1 - p is 0 here; the odds come from the logits in float64 instead."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False), nn.Softmax(1)).eval()
    module[1].weight.data = torch.tensor([[30.0, 0, 0, 0], [0, 0, 0, 0]])
    p = load_model(module).predict(np.ones((1, 1, 2, 2), dtype=np.float32))[0]
    assert p[1] == pytest.approx(math.exp(-30), rel=1e-6)


class Undecided(nn.Module):
    """A network whose trace is not what it does: it looks at a flag that tracing does not see."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(12, 3)
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        scale = 3.0 if self.calls == 2 else 1.0  # the first call is the model's, the second fx's
        return (scale * self.linear(x.flatten(1))).softmax(1)


def test_a_trace_that_says_something_else_is_not_trusted(rng):
    torch.manual_seed(0)
    network = Undecided().eval()
    x = rng.random((4, 3, 2, 2)).astype(np.float32)
    expected = logits_of(network, x)
    np.testing.assert_allclose(load_model(network).predict(x), expected, rtol=1e-5)
