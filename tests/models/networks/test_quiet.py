"""Torch prints nothing of its own where a network cannot be traced or does not run."""

import logging
import sys
import warnings

import pytest
import torch
from torch import fx, nn
from torch.nn import functional

import preddiff
from preddiff.errors import ModelError
from preddiff.models.networks.graph import Graph
from preddiff.models.networks.network import Network
from preddiff.models.networks.quiet import call, quiet
from small_networks import conv


class OnValues(nn.Module):
    def forward(self, x):
        return x * 2 if x.sum() > 0 else x


class OnEachValue(nn.Module):
    def forward(self, x):
        return torch.stack([each[each > 0.5].sum() for each in x])[:, None, None, None] + x


class AsNumpy(nn.Module):
    def forward(self, x):
        return x * torch.from_numpy(x.detach().numpy().copy())


class WhileLarge(nn.Module):
    def forward(self, x):
        while x.abs().mean().item() > 0.1:
            x = x / 2
        return x


@pytest.mark.parametrize("part", [OnValues, OnEachValue, AsNumpy, WhileLarge])
def test_a_network_that_cannot_be_traced_prints_nothing(rng, capfd, part):
    module = nn.Sequential(conv(3, 4), part(), nn.Flatten(), nn.Linear(4 * 36, 3)).eval()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = preddiff.explain(
            module, rng.random((3, 8, 8)), 0, engine="incremental", window=4, stride=4, samples=1,
            sampler="constant:0",
        )  # fmt: skip
    assert found.provenance["engine"] == "dense"
    assert capfd.readouterr() == ("", "")
    one = [each.message for each in told if "cannot be traced" in str(each.message)]
    assert len(one) == 1
    assert one[0].why
    assert "\n" not in str(one[0])


class OfEight(nn.Module):
    def forward(self, x):
        return functional.relu(x).reshape(-1, 3 * 8 * 8)


def test_a_traced_network_that_does_not_run_prints_nothing(rng, capfd):
    network = Network(fx.symbolic_trace(OfEight()).eval(), output="logits")
    with pytest.raises(ModelError, match="does not take an input of shape"):
        network.predict(rng.random((1, 3, 6, 6), dtype="f4"))
    assert network.nodes(rng.random((3, 6, 6), dtype="f4")) == {}
    with pytest.raises(RuntimeError, match="ShapeProp"):
        Graph(OfEight()).shapes(torch.zeros(1, 3, 6, 6))
    assert capfd.readouterr() == ("", "")


def test_hooks_of_a_traced_network_are_called():
    traced = fx.symbolic_trace(OfEight())
    traced.register_forward_hook(lambda _module, _inputs, values: values + 1)
    assert (call(traced, torch.zeros(1, 3, 8, 8)) == 1).all()


def test_what_is_printed_after_a_quiet_block_is_seen(capfd, caplog):
    logger = logging.getLogger("torch.fx")
    with pytest.raises(ValueError, match="trouble"), quiet():  # noqa: PT012
        logger.error("a graph")
        sys.stderr.write("a graph")
        raise ValueError("trouble")
    assert capfd.readouterr().err == ""
    assert caplog.messages == []
    logging.getLogger("mine").error("heard")
    sys.stderr.write("seen")
    assert capfd.readouterr().err == "seen"
    assert caplog.messages == ["heard"]
