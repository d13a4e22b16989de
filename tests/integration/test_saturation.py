"""Networks that are very sure: their evidence is that of their logits."""

import math
import warnings

import numpy as np
import pytest
import torch
from scipy import special
from torch import nn

from preddiff import explain, models
from preddiff.errors import EngineWarning

ONES = np.ones((1, 4, 4), dtype=np.float32)
SETTINGS = {"sampler": "constant:0", "window": 2, "samples": 1}


def network(margins, end):
    """Logits that are as large as the margins on an input of ones, a sixteenth from each pixel."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(16, len(margins), bias=False), end).eval()
    weights = torch.tensor(margins)[:, None].expand(-1, 16) / 16
    module[1].weight.data = weights.clone()
    return module


def probabilities(batch):
    z = 60 / 16 * batch.reshape(len(batch), -1).sum(axis=1, dtype=np.float64)
    return np.stack([special.expit(-z), special.expit(z)], axis=1)


SURE = {
    "sigmoid": network([60.0], nn.Sigmoid()),
    "one logit": network([60.0], nn.Identity()),
    "softmax": network([0.0, 60.0], nn.Softmax(1)),
    "logits": network([0.0, 60.0], nn.Identity()),
    "linear": models.Linear(np.full((1, 4, 4), 60 / 16)),
    "callable": probabilities,
}


@pytest.mark.parametrize("engine", ["auto", "dense"])
@pytest.mark.parametrize("name", SURE)
def test_evidence_of_a_sure_model_is_not_lost(name, engine):
    """A quarter of a margin of 60 nats is 21.6 bits, where 1 - p is below 1e-19."""
    found = explain(SURE[name], ONES, [0, 1], train_size=math.inf, engine=engine, **SETTINGS)
    bits = 15 / math.log(2)
    np.testing.assert_allclose(found.evidence[1], bits, rtol=1e-6)
    np.testing.assert_allclose(found.evidence[0], -bits, rtol=1e-6)


def test_a_stated_number_of_examples_that_leaves_nothing_is_warned_of():
    with pytest.warns(EngineWarning, match="train_size=40 takes 100 % of the evidence"):
        explain(SURE["linear"], ONES, 1, train_size=40, **SETTINGS)


def test_evidence_of_a_hidden_input_of_which_a_model_is_sure():
    """The input itself leaves it in doubt; what is hidden speaks against it."""
    module = network([-60.0], nn.Sigmoid())
    found = explain(module, ONES, [0, 1], train_size=math.inf, **(SETTINGS | {"window": 4}))
    np.testing.assert_allclose(found.evidence[0], 60 / math.log(2), rtol=1e-6)
    module = network([0.0], nn.Sigmoid())
    nn.init.constant_(module[1].weight, 100 / 16)
    settings = SETTINGS | {"window": 4, "sampler": "constant:1"}
    found = explain(module, 0 * ONES, [1], train_size=math.inf, **settings)
    np.testing.assert_allclose(found.evidence[0], -100 / math.log(2), rtol=1e-6)


def test_it_is_said_when_the_laplace_correction_takes_the_evidence():
    module = network([20.0], nn.Sigmoid())
    with pytest.warns(
        EngineWarning,
        match=r"train_size=1281167 takes 93 % .*train_size=len\(X\).*--train-size inf",
    ):
        explain(module, ONES, 1, **SETTINGS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        explain(network([4.0], nn.Sigmoid()), ONES, 1, **SETTINGS)
        explain(module, ONES, 1, train_size=math.inf, **SETTINGS)
        explain(module, ONES, 1, measure="DP", **SETTINGS)
        explain(module, ONES, 1, train_size=1281167, **SETTINGS)  # stated
