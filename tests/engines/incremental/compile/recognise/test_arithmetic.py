"""Sums, products and concatenations."""

import pytest
import torch

from preddiff.engines.incremental.compile.recognise import arithmetic
from preddiff.engines.incremental.compile.recognise.call import Call, TracedInput
from preddiff.engines.incremental.execute.combination import Combination

A, B = (TracedInput(torch.randn(1, 4, 6, 6), (2, 3)) for _ in range(2))


def call(result):
    return Call(result, torch.add, torch.float32)


def test_a_sum_of_maps_is_a_combination():
    found = arithmetic.add(call(A.base + B.base), A, B)
    assert isinstance(found, Combination)
    assert found.pieces[0].inputs == (0, 1)
    assert arithmetic.add(call(A.base + A.base), A, A).pieces[0].inputs == (0, 0)


def test_a_constant_changes_no_change():
    for found in (
        arithmetic.add(call(A.base + 1), A, 1),
        arithmetic.add(call(1 + A.base), 1, A),
        arithmetic.subtract(call(A.base - 1), A, 1),
    ):
        change = torch.randn(2, 4, 3, 3)
        assert torch.equal(found.native(change), change)
    change = torch.ones(2)
    assert torch.equal(arithmetic.subtract(call(1 - A.base), 1, A).native(change), -change)


def test_a_constant_that_makes_the_output_larger_is_unknown():
    assert arithmetic.add(call(torch.randn(2, 4, 6, 6)), A, torch.randn(2, 1, 1, 1)) is None


def test_a_product_with_a_map_is_unknown():
    """The map would have to be cut to every box."""
    assert arithmetic.multiply(call(A.base), A, torch.randn(6, 6)) is None
    assert arithmetic.multiply(call(A.base), A, torch.randn(4, 1, 1)) is not None
    assert arithmetic.multiply(call(A.base), 2.0, A) is not None


def test_concatenations_are_along_axes_that_are_not_spatial():
    both = torch.cat([A.base, B.base], 1)
    found = arithmetic.concatenate(call(both), [A, B], 1)
    assert [(p.channels, p.inputs) for p in found.pieces] == [(4, (0,)), (4, (1,))]
    assert arithmetic.concatenate(call(torch.cat([A.base, B.base], 2)), [A, B], 2) is None
    assert arithmetic.concatenate(call(both), [A, B.base], 1) is None
    assert arithmetic.concatenate(call(both), A, 1) is None


def test_something_has_to_depend_on_the_input():
    with pytest.raises(TypeError, match="neither operand"):
        arithmetic.add(call(A.base), 1, 2)
