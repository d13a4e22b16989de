"""Operations that only move values."""

import pytest
import torch
from torch.nn import functional as F

from preddiff.engines.incremental.compile.recognise import structure
from preddiff.engines.incremental.compile.recognise.call import Call, TracedInput

X = TracedInput(torch.randn(1, 4, 6, 5), (2, 3))


def call(native):
    return Call(native(X.base), native, torch.float32)


@pytest.mark.parametrize(
    ("index", "axes"),
    [
        ((slice(None), slice(1, 3)), (2, 3)),
        ((slice(None), 2), (1, 2)),
        ((slice(None), None, 0), (2, 3)),
        ((slice(None), slice(None), slice(1, 4)), None),
        ((0,), None),
        ((slice(None), slice(None), slice(None), 2), None),
        ((slice(None), torch.tensor([0, 1])), None),
    ],
)
def test_an_index_leaves_the_spatial_axes_whole(index, axes):
    found = structure.getitem(call(lambda x: x[index]), X, index)
    assert (None if found is None else found.axes) == axes


def test_parts_of_a_split_are_cut_directly():
    parts = structure.split(call(lambda x: x.split([1, 3], 1)), X, [1, 3], 1)
    assert (parts.along, parts.begins) == (1, (0, 1))
    found = structure.getitem(call(lambda x: x[:, 1:]), parts, 1)
    assert torch.equal(found.native(X.base), X.base[:, 1:])
    assert structure.split(call(lambda x: x.chunk(2, 2)), X, 2, 2) is None


@pytest.mark.parametrize(
    ("order", "axes"), [((0, 2, 3, 1), (1, 2)), ((0, 3, 1, 2), (3, 1)), ((1, 0, 2, 3), None)]
)
def test_draws_stay_in_front(order, axes):
    for dims in (order, (order,)):
        found = structure.permute(call(lambda x: x.permute(*order)), X, *dims)
        assert (None if found is None else found.axes) == axes


def test_two_axes_change_places():
    assert structure.transpose(call(lambda x: x.transpose(1, -1)), X, 1, -1).axes == (2, 1)
    assert structure.transpose(call(lambda x: x.transpose(0, 1)), X, 0, 1) is None


def test_a_new_axis_moves_the_others():
    assert structure.unsqueeze(call(lambda x: x.unsqueeze(1)), X, 1).axes == (3, 4)
    assert structure.unsqueeze(call(lambda x: x.unsqueeze(-1)), X, -1).axes == (2, 3)
    assert structure.unsqueeze(call(lambda x: x.unsqueeze(0)), X, 0) is None


def test_channels_are_regrouped_and_pixels_are_not():
    found = structure.reshape(call(lambda x: x.view(1, 2, 2, 6, 5)), X)
    assert found.axes == (3, 4)
    assert found.native(torch.zeros(3, 4, 2, 1)).shape == (3, 2, 2, 2, 1)
    assert structure.reshape(call(lambda x: x.view(1, -1)), X) is None
    assert structure.reshape(call(lambda x: x.view(1, 4, 30)), X) is None


def test_padding_is_constant_and_spatial():
    assert structure.pad(call(lambda x: F.pad(x, (1, 2, 3, 0))), X, (1, 2, 3, 0)).before == (3, 1)
    same = call(lambda x: F.pad(x, (1, 1, 1, 1), "reflect"))
    assert structure.pad(same, X, (1, 1, 1, 1), "reflect") is None
    pads = (0, 0, 0, 0, 1, 1)
    assert structure.pad(call(lambda x: F.pad(x, pads)), X, pads) is None
