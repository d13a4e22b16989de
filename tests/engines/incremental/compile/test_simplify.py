"""Graphs are simplified without anybody noticing."""

import numpy as np
import torch
from torch import fx, nn
from torch.nn import functional as F

from preddiff.engines.incremental import Incremental
from preddiff.engines.incremental.compile.simplify import simplified
from preddiff.models.networks.network import Network
from small_networks import Function, conv, trained


def test_nobodys_modules_are_changed(rng):
    module = nn.Sequential(conv(3, 4), trained(nn.BatchNorm2d(4)), nn.ReLU(inplace=True)).eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    Incremental(Network(module), inputs, [0], (4, 4), node="2", dtype=torch.bfloat16)
    assert module[2].inplace
    assert module[0].weight.dtype == torch.float32
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])


def graph_of(module):
    return fx.symbolic_trace(module.eval())


def test_nothing_works_in_place(rng):
    module = Function(
        lambda m, x: (lambda y: torch.cat([y.relu_(), F.relu(y, inplace=True), m.b(y)], 1))(m.a(x)),
        a=conv(3, 4), b=nn.ReLU(inplace=True),
    ).eval()  # fmt: skip
    x = torch.randn(1, 3, 8, 8)
    result = simplified(graph_of(module), x[:1])
    torch.testing.assert_close(result(x), module(x))
    for node in result.graph.nodes:
        assert not node.kwargs.get("inplace")
        assert not str(node.target).endswith("_")
        if node.op == "call_module":
            assert not getattr(result.get_submodule(str(node.target)), "inplace", False)


def test_normalisation_is_folded_where_nothing_else_takes_the_convolution():
    torch.manual_seed(0)
    norm = trained(nn.BatchNorm2d(4))
    alone = nn.Sequential(conv(3, 4), norm, nn.ReLU()).eval()
    shared = Function(lambda m, x: (lambda y: m.b(y) + y)(m.a(x)), a=conv(3, 4), b=norm).eval()
    x = torch.randn(2, 3, 8, 8)
    for module, kept in ((alone, 0), (shared, 1)):
        result = simplified(graph_of(module), x[:1])
        torch.testing.assert_close(result(x), module(x), atol=1e-5, rtol=1e-5)
        held = [
            node for node in result.graph.nodes
            if node.op == "call_module"
            and isinstance(result.get_submodule(str(node.target)), nn.BatchNorm2d)
        ]  # fmt: skip
        assert len(held) == kept


def test_normalisation_by_the_batchs_own_statistics_is_kept():
    module = nn.Sequential(conv(3, 4), nn.BatchNorm2d(4, track_running_stats=False))
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(simplified(graph_of(module), x[:1])(x), module.eval()(x))
