"""How much arithmetic boxes save."""

import torch
from torch import fx, nn

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


def test_the_first_of_nested_values():
    assert first_leaf(((3, 4), [5])) == 3
    assert first_leaf(7) == 7
