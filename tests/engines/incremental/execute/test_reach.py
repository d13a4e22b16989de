"""The outputs that a range of inputs reaches."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from preddiff.engines.incremental.execute.reach import (
    Interval,
    Sliding,
    clipped,
    everything,
    shifted,
    union,
)


@settings(max_examples=150)
@given(data=st.data())
def test_a_sliding_range_is_what_a_change_of_the_inputs_reaches(data):
    """Brute force: change every run of inputs of a convolution and see which outputs move."""
    side = Sliding(
        kernel=data.draw(st.integers(1, 5)),
        stride=data.draw(st.integers(1, 4)),
        padding=data.draw(st.integers(0, 4)),
        dilation=data.draw(st.integers(1, 3)),
    )
    size = data.draw(st.integers(max(1, side.extent - 2 * side.padding), 18))
    weight = torch.ones(1, 1, side.kernel)

    def outputs(values):
        return F.conv1d(values, weight, None, side.stride, side.padding, side.dilation)[0, 0]

    low = data.draw(st.integers(0, size - 1))
    high = data.draw(st.integers(low + 1, size))
    values = torch.zeros(1, 1, size)
    values[..., low:high] = 1
    moved = np.flatnonzero(outputs(values).numpy())
    count = len(outputs(values))
    found = clipped(side.reach(Interval(np.array(low), np.array(high))), count)
    assert 0 <= found.low < found.high <= count
    if side.dilation == 1 and side.kernel >= side.stride and len(moved):
        assert (found.low, found.high) == (moved.min(), moved.max() + 1)
    assert all(found.low <= place < found.high for place in moved)
    first, length = side.first_seen(found.low), side.seen(found.high - found.low)
    assert length == (found.high - found.low - 1) * side.stride + side.extent
    assert first == found.low * side.stride - side.padding


def test_padding_moves_a_range():
    assert shifted(Interval(2, 5), 3) == (5, 8)
    assert clipped(shifted(Interval(2, 5), -4), 10) == (0, 1)


def test_several_inputs_reach_the_shortest_interval_that_holds_all():
    a = Interval(np.array([1, 5]), np.array([3, 8]))
    b = Interval(np.array([2, 3]), np.array([6, 7]))
    low, high = union([a, b])
    assert low.tolist() == [1, 3]
    assert high.tolist() == [6, 8]


def test_a_global_operation_reaches_everything():
    low, high = everything(Interval(np.array([1, 5]), np.array([3, 8])), 9)
    assert low.tolist() == [0, 0]
    assert high.tolist() == [9, 9]
