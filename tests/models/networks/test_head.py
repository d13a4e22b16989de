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
    with pytest.raises(
        ModelError, match="output='odds': expected one of auto, logits, probabilities"
    ):
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


class Ended(nn.Module):
    """A network with something after its logits, which a trace sees or does not."""

    def __init__(self, classes, end, *, traceable=True):
        super().__init__()
        torch.manual_seed(1)
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(12, classes))
        self.end = end
        self.traceable = traceable

    def forward(self, x):
        if not self.traceable and x.sum() < -1e9:
            return x
        return self.end(self.body(x))


ENDS = {
    "sigmoid, view": (1, lambda z: torch.sigmoid(z).view(-1, 1)),
    "sigmoid, view of the size": (1, lambda z: torch.sigmoid(z).view(z.size(0), 1)),
    "sigmoid, clamp": (1, lambda z: torch.sigmoid(z).clamp(1e-6, 1 - 1e-6)),
    "sigmoid, narrow clamp": (1, lambda z: torch.clamp(torch.sigmoid(z), min=0.45, max=0.55)),
    "sigmoid, float": (3, lambda z: torch.sigmoid(z).float()),
    "sigmoid in place": (1, lambda z: z.sigmoid_()),
    "softmax of one class": (2, lambda z: torch.softmax(z, 1)[:, 1:]),
    "softmax of the other": (2, lambda z: torch.softmax(z, 1)[:, :1]),
    "softmax, select, unsqueeze": (2, lambda z: torch.softmax(z, -1)[:, 1].unsqueeze(1)),
    "softmax without background": (3, lambda z: torch.softmax(z, 1)[:, 1:]),
    "softmax of one of three": (3, lambda z: torch.softmax(z, 1)[:, 1:2]),
    "softmax of maps": (3, lambda z: z[:, :, None, None].softmax(1).flatten(1)),
    "hard sigmoid": (1, nn.functional.hardsigmoid),
    "exp of log": (3, lambda z: nn.functional.log_softmax(z, 1).exp()),
}


@pytest.mark.parametrize("name", ENDS)
def test_no_second_sigmoid_or_softmax_is_put_on_top(rng, name):
    network = Ended(*ENDS[name]).eval()
    x = rng.random((4, 3, 2, 2)).astype(np.float32)
    expected = logits_of(network, x).numpy()
    model = load_model(network)
    found = model.predict(x)
    np.testing.assert_allclose(found[:, -expected.shape[1] :], expected, atol=1e-6)
    assert model.output == "probabilities"
    assert found.shape[1] == max(2, expected.shape[1])


def test_a_short_precision_is_not_taken_for_logits(rng):
    network = Ended(3, lambda z: z.softmax(1).bfloat16()).eval()
    x = rng.random((4, 3, 2, 2)).astype(np.float32)
    expected = logits_of(network, x).float()
    np.testing.assert_allclose(load_model(network).predict(x), expected, atol=8e-3)


def test_a_logarithm_of_a_sigmoid_is_no_logit(rng):
    network = Ended(1, nn.functional.logsigmoid).eval()
    x = rng.random((4, 3, 2, 2)).astype(np.float32)
    expected = logits_of(network, x).exp()
    np.testing.assert_allclose(load_model(network).predict(x)[:, 1:], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("end", "traceable"),
    [
        (lambda z: torch.sigmoid(z), False),
        (lambda z: 1 - torch.sigmoid(z), True),
        (lambda z: 0.05 + 0.9 * torch.sigmoid(z), True),
        (lambda z: z[:, :, None].sigmoid().mean(2), True),
    ],
)
def test_values_in_the_unit_interval_that_nothing_explains_are_asked_about(rng, end, traceable):
    network = Ended(1, end, traceable=traceable).eval()
    x = rng.random((4, 3, 2, 2)).astype(np.float32)
    with pytest.raises(ModelError, match=r"lie in \[0, 1\] \(here 0.*output='probabilities'\) or"):
        load_model(network).predict(x)
    found = load_model(network, output="probabilities").predict(x)
    np.testing.assert_allclose(found[:, 1:], logits_of(network, x), atol=1e-6)
    same = load_model(network, preprocess={"output": "probabilities"}).predict(x)
    np.testing.assert_allclose(same, found)
    with pytest.raises(ModelError, match="output='p': expected one of auto, logits, probabilities"):
        load_model(network, preprocess={"output": "p"})


def test_logits_that_happen_to_lie_in_the_unit_interval_stay_logits():
    x = np.zeros((1, 3, 2, 2), dtype=np.float32)  # the values are the bias
    for traceable in (True, False):
        network = Ended(1, lambda z: z, traceable=traceable).eval()
        nn.init.constant_(network.body[1].bias, 0.4)
        bright = x + 0.01
        found = load_model(network).predict(bright)[:, 1:]
        np.testing.assert_allclose(found, logits_of(network, bright).sigmoid(), atol=1e-6)
