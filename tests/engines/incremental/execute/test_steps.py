"""Programs of steps."""

import pytest
import torch

from preddiff.engines.incremental.execute.pointwise import Pointwise
from preddiff.engines.incremental.execute.steps import FromShapes, NetworkInput, Step, needed

BASE = torch.zeros(1, 2, 4, 4)


def step(name, *inputs):
    return Step(name, Pointwise(BASE, (2, 3), torch.relu), list(inputs))


def test_steps_that_lead_to_the_wanted_one_are_kept_and_counted():
    source = Step("x", NetworkInput(BASE, (2, 3)), [])
    a = step("a", source)
    unused = step("unused", a)
    b = step("b", a, a)
    assert needed([source, a, unused, b], b) == [source, a, b]
    assert [each.users for each in (source, a, b)] == [1, 2, 0]


def test_a_step_without_a_tensor_says_so():
    size = Step("size", FromShapes(16, int), [])
    assert size.base == 16
    assert size.axes == ()
    with pytest.raises(TypeError, match="size gives a int: expected a tensor"):
        _ = size.tensor
