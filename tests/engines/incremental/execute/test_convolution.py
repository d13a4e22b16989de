"""Convolutions of changes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from preddiff.engines.incremental.execute import convolution
from preddiff.engines.incremental.execute.boxes import Box, Placement
from preddiff.engines.incremental.execute.convolution import Convolution, inputs_seen
from preddiff.engines.incremental.execute.reach import Interval, Sliding, clipped


@settings(max_examples=200)
@given(data=st.data())
def test_a_fit_gives_the_wanted_outputs(data):
    """Of a line with changes somewhere: its convolution, cut to where the changes reach."""
    side = Sliding(
        data.draw(st.integers(1, 5)), data.draw(st.integers(1, 3)),
        data.draw(st.integers(0, 3)), data.draw(st.integers(1, 2)),
    )  # fmt: skip
    size = data.draw(st.integers(max(side.extent, 4), 16))
    low = data.draw(st.integers(0, size - 2))
    high = data.draw(st.integers(low + 1, size))
    line = torch.zeros(1, 1, size)
    line[..., low:high] = torch.arange(1.0, high - low + 1)
    weight = torch.arange(1.0, side.kernel + 1).view(1, 1, -1)
    expected = F.conv1d(line, weight, None, side.stride, side.padding, side.dilation)
    reached = clipped(side.reach(Interval(low, high)), expected.shape[2])
    first, last = int(reached.low), int(reached.high)
    base = torch.zeros_like(expected)
    operation = Convolution(base, weight, [side], 1)
    box = Box(
        line * 0, (2,), Placement([(low,)], (high - low,), False, 1), change=line[..., low:high]
    )
    found = operation.run(Placement([(first,)], (last - first,), False, 1), [box])
    torch.testing.assert_close(found.change, expected[..., first:last])


def test_boxes_that_lie_differently_are_put_together_first():
    torch.manual_seed(0)
    weight, side = torch.randn(4, 3, 3, 3), Sliding(3, 2, 1)
    starts = [(2, 2), (3, 2), (5, 6)]
    change = torch.randn(3, 3, 3, 3)
    whole = torch.zeros(3, 3, 12, 12)
    for n, (y, x) in enumerate(starts):
        whole[n, :, y : y + 3, x : x + 3] = change[n]
    expected = F.conv2d(whole, weight, None, 2, 1)
    operation = Convolution(expected[:1] * 0, weight, [side, side], 1)
    box = Box(whole[:1] * 0, (2, 3), Placement(starts, (3, 3), False, 1), change=change)
    outputs = [(1, 1), (1, 1), (2, 3)]
    found = operation.run(Placement(outputs, (3, 3), False, 1), [box]).change
    for n, (y, x) in enumerate(outputs):
        torch.testing.assert_close(
            found[n], expected[n, :, y : y + 3, x : x + 3], atol=1e-5, rtol=0
        )


@pytest.mark.parametrize(
    ("kernel", "padding"), [((3, 3), (1, 1)), ((2, 5), (0, 2)), ((1, 1), (0, 0))]
)
def test_maps_side_by_side_are_convolved_one_by_one(kernel, padding):
    torch.manual_seed(0)
    inputs, weight = torch.randn(5, 3, 6, 4), torch.randn(2, 3, *kernel)

    def convolve(x):
        out = F.conv2d(x, weight, None, 1, padding)
        return out.contiguous(memory_format=torch.channels_last)

    found = convolution._side_by_side(convolve, inputs, padding[1])
    torch.testing.assert_close(found, convolve(inputs), atol=1e-5, rtol=0)


@pytest.mark.parametrize("kernel", [1, 3])
def test_short_precisions_have_ways_of_their_own(kernel):
    torch.manual_seed(0)
    weight = torch.randn(600, 1000, kernel, kernel).bfloat16()
    change = torch.randn(3, 1000, 4, 4)
    padding = kernel // 2
    expected = F.conv2d(change.bfloat16(), weight, None, 1, padding).float()
    placement = Placement([(0, 0)] * 3, (4, 4), True, 1)
    operation = Convolution(expected[:1], weight, [Sliding(kernel, 1, padding)] * 2, 1)
    assert operation._is_product == (kernel == 1)
    assert operation._is_wide
    box = Box(change[:1], (2, 3), placement, change=change)
    found = operation.run(placement, [box]).change
    assert found.dtype == torch.bfloat16
    scale = float(expected.abs().max())
    torch.testing.assert_close(found.float(), expected, atol=0.02 * scale, rtol=0)


def test_inputs_that_outputs_see():
    placement = Placement([(0, 3), (2, 1)], (2, 4), False, 1)
    starts, lengths = inputs_seen([Sliding(3, 2, 1), Sliding(2, 1, 0, 3)], placement)
    assert starts == [(-1, 3), (3, 1)]
    assert lengths == (5, 7)


def test_a_padding_before_it_is_added():
    operation = Convolution(torch.zeros(1, 2, 5), torch.zeros(2, 2, 3), [Sliding(3, 1, 1)], 1)
    operation.pad((2,))
    assert operation.sliding == (Sliding(3, 1, 3),)
