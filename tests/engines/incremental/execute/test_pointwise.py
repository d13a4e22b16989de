"""Operations that keep every pixel where it is, or move all of them."""

import torch

from preddiff.engines.incremental.execute.boxes import Box, Placement
from preddiff.engines.incremental.execute.pointwise import Padding, Pointwise
from preddiff.engines.incremental.execute.reach import Interval

BASE = torch.arange(36.0).view(1, 1, 6, 6)


def box(start, change):
    return Box(BASE, (2, 3), Placement([start], (2, 2), False, 1), change=change)


def test_linear_operations_work_on_changes_and_others_on_values():
    change = torch.full((1, 1, 2, 2), 2.0)
    placement = Placement([(1, 1)], (2, 2), False, 1)
    linear = Pointwise(3 * BASE, (2, 3), lambda x: 3 * x, linear=True)
    assert (linear.run(placement, [box((1, 1), change)]).change == 6).all()
    square = Pointwise(BASE**2, (2, 3), torch.square)
    found = square.run(placement, [box((1, 1), change)]).value
    torch.testing.assert_close(found, (BASE[:, :, 1:3, 1:3] + 2) ** 2)


def test_inputs_may_have_boxes_elsewhere():
    ones = torch.ones(1, 1, 2, 2)
    both = Pointwise(2 * BASE, (2, 3), torch.add, linear=True)
    placement = Placement([(1, 1)], (3, 3), False, 1)
    found = both.run(placement, [box((1, 1), ones), box((2, 2), 2 * ones)]).change
    assert found[0, 0].tolist() == [[1, 1, 0], [1, 3, 2], [0, 2, 2]]
    assert both.reach(0, [Interval(1, 3), Interval(2, 4)]) == (1, 4)


def test_padding_moves_changes():
    padding = Padding(torch.zeros(1, 1, 9, 7), (2, 3), (2, -1))
    assert padding.reach(0, [Interval(1, 3)]) == (3, 5)
    assert padding.reach(1, [Interval(1, 3)]) == (0, 2)
    change = torch.ones(1, 1, 2, 2)
    found = padding.run(Placement([(2, 0)], (3, 3), False, 1), [box((1, 1), change)]).change
    assert found[0, 0].tolist() == [[0, 0, 0], [1, 1, 0], [1, 1, 0]]
