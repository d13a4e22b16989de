"""Whole outputs, for operations that are not known."""

import torch

from preddiff.engines.incremental.execute.boxes import Box, Placement
from preddiff.engines.incremental.execute.whole import WholeOutput, whole

BASE = torch.arange(16.0).view(1, 1, 4, 4)


def test_unknown_operations_see_whole_values():
    box = Box(BASE, (2, 3), Placement([(1, 2)], (1, 2), False, 1), change=torch.ones(1, 1, 1, 2))
    expected = BASE.clone()
    expected[0, 0, 1, 2:] += 1
    assert torch.equal(whole(box), expected)
    operation = WholeOutput(BASE.cumsum(2), lambda x, factor: factor * x.cumsum(2))
    found = operation.run(Placement([()], (), True, 1), [box, 2])
    assert torch.equal(found.value, 2 * expected.cumsum(2))
    assert found.axes == ()


def test_what_is_no_tensor_is_handed_on():
    box = Box(BASE, (2, 3), Placement([(0, 0)], (4, 4), True, 1), value=BASE + 1)
    parts = WholeOutput(BASE.chunk(2, 2), lambda x: x.chunk(2, 2)).run(box.placement, [box])
    assert isinstance(parts, tuple)
    assert torch.equal(parts[1], BASE[:, :, 2:] + 1)
