"""How much arithmetic boxes save."""

import subprocess
import sys

import torch
from torch import fx, nn
from torch.nn import functional

from preddiff.engines.incremental.compile.multiply_adds import first_leaf, multiply_adds
from preddiff.engines.incremental.compile.trace import trace
from preddiff.engines.incremental.execute.boxes import Placement
from small_networks import conv


def test_a_changed_input_meets_all_weights_once_per_stride():
    module = nn.Sequential(conv(3, 4, stride=2), nn.Flatten(), nn.Linear(4 * 49, 5)).eval()
    with torch.inference_mode():
        program = trace(fx.symbolic_trace(module), torch.rand(1, 3, 16, 16), (2, 3), torch.float32)
    source, convolution = program.body[:2]
    placements = {id(source): Placement([(0, 0)], (4, 6), False, 1)}
    assert multiply_adds(convolution, placements) == (4 * 3 * 9 * 49, 4 * 3 * 9 * 24 / 4)
    linear = program.tail[-1]
    assert multiply_adds(linear, placements) == (5 * 196, 5 * 196)


class Attention(nn.Module):
    """Attention as functions of weights, as torch.export gives every layer."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(24, 8))
        self.own = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        tokens = x.flatten(2).transpose(1, 2)
        query, key, value = functional.linear(tokens, self.weight).chunk(3, 2)
        mixed = (query @ key.transpose(1, 2)).softmax(2) @ value
        return self.own(mixed, mixed, mixed)[0].mean(1)


def test_functions_and_products_without_weights_count():
    module = nn.Sequential(conv(3, 8, padding=1), Attention()).eval()
    with torch.inference_mode():
        program = trace(fx.symbolic_trace(module), torch.rand(1, 3, 6, 6), (2, 3), torch.float32)
    counts = {step.name: step.multiply_adds for step in (*program.body, *program.tail)}
    assert counts["linear"] == 36 * 8 * 24
    assert [n for name, n in counts.items() if name.startswith("matmul")] == [36 * 36 * 8] * 2
    assert counts["_1_own"] == 36 * 8 * (24 + 8)


def test_a_linear_layer_at_each_pixel_costs_its_box():
    module = nn.Sequential(Channels(), nn.Linear(3, 5)).eval()
    with torch.inference_mode():
        program = trace(fx.symbolic_trace(module), torch.rand(1, 3, 8, 8), (2, 3), torch.float32)
    linear = program.body[-1]
    placements = {id(linear): Placement([(0, 0)], (4, 2), False, 1)}
    assert multiply_adds(linear, placements) == (64 * 15, 8 * 15)


class Channels(nn.Module):
    """Channels go last."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1)


def test_the_first_of_nested_values():
    assert first_leaf(((3, 4), [5])) == 3
    assert first_leaf(7) == 7


def test_counting_does_not_import_torchs_compiler():
    """Which takes seconds, of every first run."""
    code = (
        "import sys, torch; from torch import nn; "
        "from preddiff.engines.incremental.compile.multiply_adds import counted; "
        "m = nn.Linear(2, 3); print(counted(m, [torch.zeros(1, 2)], m)[1]); "
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["6", "False"]
