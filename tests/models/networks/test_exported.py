"""Whole passes by onnxruntime: the network's own numbers, or torch's passes as they were."""

import numpy as np
import pytest
import torch
from torch import nn

import preddiff
from preddiff.models.networks import exported
from preddiff.models.networks.exported import Exported
from preddiff.models.networks.network import Network
from preddiff.samplers import Constant


@pytest.fixture
def inputs(rng):
    return rng.random((3, 16, 16), dtype=np.float32)


@pytest.mark.parametrize("count", [1, 5])
def test_the_values_are_the_networks(small_network, inputs, rng, count):
    network = Network(small_network)
    faster = network.faster(inputs)
    batch = rng.random((count, *inputs.shape), dtype=np.float32)
    assert isinstance(faster, Exported)
    np.testing.assert_allclose(faster.predict(batch), network.predict(batch), atol=1e-6)
    np.testing.assert_allclose(faster.both_sides(batch), network.both_sides(batch), atol=1e-6)


def test_a_node_is_the_networks(small_network, inputs):
    network = Network(small_network)
    faster = network.faster(inputs, "3")
    assert isinstance(faster, Exported)
    np.testing.assert_allclose(
        faster.predict(inputs[None], "3"), network.predict(inputs[None], "3"), rtol=1e-5, atol=1e-6
    )


def test_the_embedded_network_is_run_by_onnxruntime(embedded, rng):
    inputs = rng.random(embedded.shape, dtype=np.float32)
    faster = embedded.faster(inputs)
    assert faster.runtime.startswith("onnxruntime ")
    np.testing.assert_allclose(
        faster.predict(inputs[None]), embedded.predict(inputs[None]), atol=1e-5
    )


class OfTwo(nn.Module):
    """Logits that are right for the number of inputs that it was exported with only."""

    def forward(self, x):
        bias = torch.zeros(2) if len(x) == 2 else torch.ones(2) * torch.arange(2)
        return x.flatten(1)[:, :2] + bias


class Unknown(nn.Module):
    """Logits by an operation that ONNX has no name for."""

    def forward(self, x):
        return torch.special.bessel_j0(x.flatten(1)[:, :2])


@pytest.mark.parametrize("module", [OfTwo(), Unknown()])
def test_torch_makes_the_passes_where_the_export_is_wrong_or_impossible(module, inputs):
    network = Network(module.eval(), output="logits")
    assert network.faster(inputs) is network


def test_torch_makes_the_passes_of_other_precisions_and_without_onnxruntime(
    small_network, inputs, monkeypatch
):
    network = Network(nn.Sequential(nn.Flatten(), nn.Linear(768, 2)).double().eval())
    assert network.faster(inputs) is network

    def missing():
        raise ImportError

    monkeypatch.setattr(exported, "runtime", missing)
    network = Network(small_network)
    assert network.faster(inputs) is network


def test_a_result_of_sets_says_what_ran_the_network(small_network, inputs):
    network = Network(small_network)
    settings = {"sampler": Constant(0.5), "window": 4, "sets": 200, "targets": [0]}
    e = preddiff.explain(network, inputs, **settings)
    assert e.provenance["runtime"].startswith("onnxruntime ")
    by_torch = preddiff.explain(lambda x: network.predict(x), inputs, **settings)
    assert "runtime" not in by_torch.provenance
    np.testing.assert_allclose(e.relevance, by_torch.relevance, atol=1e-4)
