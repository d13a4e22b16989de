"""The order of boxes in memory."""

import pytest
import torch

from preddiff.engines.incremental.execute.layout import channels_last, empty_boxes


@pytest.mark.parametrize(
    ("shape", "axes", "strides"),
    [
        ((1, 3, 4, 5), (2, 3), (60, 1, 15, 3)),
        ((1, 3, 2, 4, 5), (2, 3, 4), (120, 1, 60, 15, 3)),
        ((1, 3, 5), (2,), (15, 5, 1)),
        ((1, 4, 5, 3), (1, 2), (60, 15, 3, 1)),
        ((1, 7), (), (7, 1)),
    ],
)
def test_channels_are_last_where_they_are_axis_1(shape, axes, strides):
    tensor = torch.rand(shape)
    found = channels_last(tensor, axes)
    assert torch.equal(found, tensor)
    assert found.stride() == strides
    lengths = tuple(shape[axis] for axis in axes)
    room = empty_boxes(tensor, 2, axes, lengths, torch.bfloat16)
    assert room.shape == (2, *shape[1:])
    assert room.stride() == strides
    assert room.dtype == torch.bfloat16


def test_what_is_in_order_is_not_copied():
    tensor = channels_last(torch.rand(2, 3, 4, 5), (2, 3))
    assert channels_last(tensor, (2, 3)).data_ptr() == tensor.data_ptr()


def test_boxes_are_as_long_as_wanted():
    assert empty_boxes(torch.rand(1, 3, 9, 9), 4, (2, 3), (5, 2)).shape == (4, 3, 5, 2)
