"""Programs that are made of graphs."""

import numpy as np
import torch
from torch import fx, nn
from torch.nn import functional as F

from preddiff.engines.incremental import Incremental
from preddiff.engines.incremental.check import deviation
from preddiff.engines.incremental.compile.trace import trace
from preddiff.models.networks.network import Network
from small_networks import Function, conv, corners_and_others, trained


class Asserting(nn.Module):
    """What torch.fx cannot trace, and torch.export can."""

    def __init__(self):
        super().__init__()
        self.first, self.second = conv(3, 4, padding=1), conv(4, 4, padding=1)
        self.norm, self.head = trained(nn.BatchNorm2d(4)), nn.Linear(4 * 64, 5)

    def forward(self, x):
        assert isinstance(x.shape[1], int)
        y = torch.relu_(self.norm(self.first(x)))
        y = F.max_pool2d(y + torch.relu(self.second(y)), 2)
        return self.head(y.view(x.shape[0], -1))


def test_torch_export_serves_where_fx_does_not(rng):
    torch.manual_seed(0)
    model = Network(Asserting().eval(), output="logits")
    inputs = rng.random((3, 16, 16)).astype(np.float32)
    assert model.graph is None
    incremental = Incremental(model, inputs, [0], (3, 3))
    starts = corners_and_others(rng, (16, 16), (3, 3))
    draws = rng.random((len(starts), 2, 3, 3, 3)).astype(np.float32)
    assert deviation(incremental, starts, draws) < 1e-5
    assert incremental.program.whole == ["view_default"]


def program(module, size=16):
    inputs = torch.rand(1, 3, size, size)
    with torch.inference_mode():
        return trace(fx.symbolic_trace(module.eval()), inputs, (2, 3), torch.float32)


def test_the_tail_begins_after_the_features_that_everything_goes_through():
    head = nn.Sequential(nn.Flatten(), nn.Linear(4 * 196, 8), nn.ReLU(), nn.Linear(8, 5))
    found = program(nn.Sequential(conv(3, 4), nn.ReLU(), head))
    assert [step.name for step in found.body] == ["input_1", "_0", "_1", "_2_0"]
    assert [step.name for step in found.tail] == ["_2_1", "_2_2", "_2_3"]
    assert found.whole == ["_2_0"]


def test_features_that_something_passes_by_do_not_end_the_body():
    module = Function(
        lambda m, x: m.b(x.mean((2, 3))) + m.a(x).mean((2, 3)), a=conv(3, 5), b=nn.Linear(3, 5)
    )
    assert program(module).tail == []


def test_unknown_arguments_make_an_operation_unknown():
    """Rather than being ignored."""
    known = program(Function(lambda m, x: F.softmax(m.a(x), 1), a=conv(3, 4)))
    unknown = program(Function(lambda m, x: F.layer_norm(x, (16,)), a=conv(3, 4)))
    assert known.whole == []
    assert unknown.whole == ["layer_norm"]


def test_bases_are_what_the_network_gives():
    torch.manual_seed(0)
    module = nn.Sequential(conv(3, 4), nn.ReLU(), nn.MaxPool2d(2)).eval()
    inputs = torch.rand(1, 3, 16, 16)
    with torch.inference_mode():
        found = trace(fx.symbolic_trace(module), inputs, (2, 3), torch.float32)
        torch.testing.assert_close(found.body[-1].tensor, module(inputs))
    assert found.body[-1].tensor.is_contiguous(memory_format=torch.channels_last)


def test_only_what_the_output_needs_is_run():
    module = Function(lambda m, x: (m.b(x), m.a(x))[1], a=conv(3, 4), b=conv(3, 9))
    assert [step.name for step in program(module).body] == ["x", "a"] or [
        step.name for step in program(module).body
    ] == ["input_1", "a"]
