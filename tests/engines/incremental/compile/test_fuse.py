"""Several steps done in one."""

import pytest
import torch
from torch import fx, nn
from torch.nn import functional as F

from preddiff.engines.incremental.compile.trace import trace
from small_networks import Function, conv


def names(run, **layers):
    inputs = torch.rand(1, 3, 16, 16)
    module = Function(run, **layers).eval()
    with torch.inference_mode():
        program = trace(fx.symbolic_trace(module), inputs, (2, 3), torch.float32)
    return [step.name for step in program.body[1:]]


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (lambda m, x: F.relu(m.a(x) + m.b(x)), ["a", "b", "relu"]),
        (lambda m, x: torch.cat([F.relu(m.a(x)), F.relu(m.b(x))], 1), ["a", "b", "cat"]),
        (lambda m, x: F.relu(torch.cat([m.a(x), m.b(x)], 1)), ["a", "b", "relu"]),
        # A clamp of what is clamped is not one clamp, and a sum of clamped changes is not either.
        (lambda m, x: F.relu6(F.relu(m.a(x))), ["a", "relu", "relu6"]),
        (lambda m, x: F.relu(m.a(x)) + m.b(x), ["a", "relu", "b", "add"]),
    ],
)
def test_sums_concatenations_and_clamps_are_one_step(run, expected):
    assert names(run, a=conv(3, 4), b=conv(3, 4)) == expected


def test_what_something_else_takes_too_is_kept():
    found = names(lambda m, x: F.relu(y := m.a(x) + m.b(x)) * y, a=conv(3, 4), b=conv(3, 4))
    assert found == ["a", "b", "add", "relu", "mul"]


def test_padding_before_a_convolution_is_its_own():
    padded, cropped = (2, 0, 1, 3), (-2, -1, 0, -3)
    assert names(lambda m, x: m.a(F.pad(x, padded, value=0.7)), a=conv(3, 4)) == ["a"]
    assert names(lambda m, x: m.a(F.pad(x, cropped)), a=conv(3, 4)) == ["pad", "a"]
    assert names(lambda m, x: F.max_pool2d(F.pad(x, padded), 2), a=nn.Identity()) == [
        "pad", "max_pool2d",
    ]  # fmt: skip
