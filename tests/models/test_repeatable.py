"""Predictions that depend on luck or company are refused before a run."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import preddiff
from preddiff.errors import ModelError
from small_networks import Function, conv

RUN = {"window": 6, "stride": 6, "samples": 2}


def network(run, **layers):
    torch.manual_seed(0)
    return Function(run, c=conv(3, 6), l=nn.Linear(6, 4), **layers).eval()


def batch_statistics(m, x):
    return m.l(F.relu(m.b(m.c(x))).mean((2, 3)))


def dropout(m, x):
    return m.l(F.dropout(m.c(x).relu().mean((2, 3))))


def test_a_network_that_normalises_by_the_batch_is_refused(rng):
    module = network(batch_statistics, b=nn.BatchNorm2d(6, track_running_stats=False))
    with pytest.raises(ModelError, match="other values in a batch"):
        preddiff.explain(module, rng.random((3, 24, 24), "f4"), **RUN)


def test_dropout_as_a_function_is_refused(rng):
    with pytest.raises(ModelError, match="other values each time"):
        preddiff.explain(network(dropout), rng.random((3, 24, 24), "f4"), **RUN)


def test_callables_are_tested_as_networks_are(rng):
    def company(batch):
        p = 1 / (1 + np.exp(batch.mean() - batch.mean((1, 2, 3))))
        return np.stack([p, 1 - p], axis=1)

    def luck(batch):
        p = rng.random(len(batch))
        return np.stack([p, 1 - p], axis=1)

    inputs = rng.random((3, 24, 24), "f4")
    for model, why in ((company, "in a batch"), (luck, "each time")):
        with pytest.raises(ModelError, match=why):
            preddiff.explain(model, inputs, **RUN)


def test_a_network_that_normalises_each_picture_is_not_refused(rng):
    module = network(batch_statistics, b=nn.InstanceNorm2d(6))
    assert preddiff.explain(module, rng.random((3, 24, 24), "f4"), **RUN).evidence.size
