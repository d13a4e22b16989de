"""Whole passes by onnxruntime: the network's own numbers, or torch's passes as they were."""

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.swin_transformer import SwinTransformer
from torchvision.models.vision_transformer import VisionTransformer
from torchvision.ops import SqueezeExcitation

import preddiff
from preddiff.media import kept
from preddiff.models.networks import exported
from preddiff.models.networks.exported import Exported
from preddiff.models.networks.network import Network
from preddiff.samplers import Constant
from preddiff.studies.benchmark import networks as networks_of_benchmark
from small_networks import conv


@pytest.fixture
def inputs(rng):
    return rng.random((3, 16, 16), dtype=np.float32)


@pytest.fixture(autouse=True)
def never_slower(monkeypatch):
    """The clock decides nothing here, but where a test says so."""
    monkeypatch.setattr(Exported, "is_slower", lambda *_: False)


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


def test_what_was_faster_is_timed_once(small_network, inputs, monkeypatch, tmp_path):
    exports, seconds = [], iter([9, 9, 5, 3, 1, 5, 3, 9])  # of torch and of the other in turn
    init = Exported.__init__

    def counting(self, *arguments):
        exports.append(1)
        init(self, *arguments)

    class Clock:
        now = 0.0

        def perf_counter(self):
            self.calls = getattr(self, "calls", -1) + 1
            if self.calls % 3:
                self.now += next(seconds)
            return self.now

    monkeypatch.undo()
    monkeypatch.setenv(kept.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(Exported, "__init__", counting)
    monkeypatch.setattr(exported, "time", Clock())
    network = Network(small_network)
    assert network.faster(inputs) is network  # in 1 s at least, the other in 3
    assert Network(small_network).faster(inputs).runtime is None
    assert len(exports) == 1
    begun_by_it = Network(small_network).faster(inputs, runtime="onnxruntime 1.0")
    assert isinstance(begun_by_it, Exported)
    assert len(exports) == 2


def test_what_torch_began_it_goes_on_with(small_network, inputs):
    network = Network(small_network)
    assert network.faster(inputs, runtime="torch") is network


def test_attention_is_exported_without_its_own_operation(rng, capfd):
    """And torch goes on as before: with a way of its own, where nobody wants gradients."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    network = Network(nn.Sequential(layer, nn.Flatten()).eval(), output="values")
    inputs = rng.random((4, 8), dtype=np.float32)
    assert isinstance(network.faster(inputs), Exported)
    assert torch.backends.mha.get_fastpath_enabled()
    assert capfd.readouterr() == ("", "")


def kinds_of_today():
    """Small ones of the networks that most people use: windows, gates, patches, attention."""
    torch.manual_seed(0)
    gates = nn.Sequential(conv(3, 8), nn.SiLU(), SqueezeExcitation(8, 2), nn.Flatten())
    return {
        "ConvNeXt": ConvNeXt([CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 1)], num_classes=3),
        "Swin": SwinTransformer([4, 4], 8, [2, 1], [1, 2], [2, 2], num_classes=3),
        "ViT": VisionTransformer(16, 4, 1, 2, 8, 16, num_classes=3),
        "squeeze and excitation": nn.Sequential(gates, nn.Linear(8 * 196, 3)),
    }


@pytest.mark.parametrize("kind", ["ConvNeXt", "Swin", "ViT", "squeeze and excitation"])
def test_networks_of_today_are_exported(kind, inputs, rng):
    module = kinds_of_today()[kind].eval()
    networks_of_benchmark._randomise_zero_layers(module)
    network = Network(module, output="logits")
    faster = network.faster(inputs)
    assert isinstance(faster, Exported)
    batch = rng.random((3, *inputs.shape), dtype=np.float32)
    found = faster.predict(batch)
    assert np.abs(found[0] - found[1]).max() > 1e-4
    np.testing.assert_allclose(found, network.predict(batch), atol=1e-6)


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
def test_torch_makes_the_passes_where_the_export_is_wrong_or_impossible(module, inputs, capfd):
    network = Network(module.eval(), output="logits")
    assert network.faster(inputs) is network
    assert capfd.readouterr() == ("", "")


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
