"""What recognisers are given."""

import pytest
import torch

from preddiff.engines.incremental.compile.recognise.call import (
    Call,
    TracedInput,
    input_numbers,
    per_axis,
)


def test_one_number_stands_for_all_axes():
    assert per_axis(3, 2) == (3, 3)
    assert per_axis([3], 2) == (3, 3)
    assert per_axis((3, 4), 2) == (3, 4)


def test_a_node_that_is_taken_twice_is_one_input():
    a, b = (TracedInput(torch.rand(1, 2, 3), (2,)) for _ in range(2))
    assert input_numbers([a, b, a]) == (0, 1, 0)


def test_maps_have_their_spatial_axes_last():
    assert TracedInput(torch.rand(1, 2, 3, 4), (2, 3)).is_map
    assert not TracedInput(torch.rand(1, 3, 4, 2), (1, 2)).is_map
    assert not TracedInput(torch.rand(1, 5), ()).is_map


def test_a_pointwise_operation_keeps_the_spatial_axes():
    x = TracedInput(torch.rand(1, 2, 5, 5), (2, 3))
    same = Call(torch.rand(1, 7, 5, 5), torch.relu, torch.float32)
    shorter = Call(torch.rand(1, 2, 5, 4), torch.relu, torch.float32)
    assert same.pointwise(x) is not None
    assert shorter.pointwise(x) is None


def test_a_node_of_several_values_has_no_base():
    with pytest.raises(TypeError, match="gives a tuple: expected a tensor"):
        _ = Call((torch.rand(1), torch.rand(1)), torch.relu, torch.float32).base
