"""Convolutions by Winograd's tiles."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from preddiff.engines.incremental.execute import winograd


@pytest.mark.parametrize("padding", [(0, 0), (1, 1), (2, 1)])
def test_tiles_are_a_convolution(monkeypatch, padding):
    torch.manual_seed(0)
    inputs, weight = torch.randn(2, 5, 9, 7), torch.randn(6, 5, 3, 3)
    expected = F.conv2d(inputs, weight, None, 1, padding)
    found = winograd.Tiles(weight)(inputs, padding)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    monkeypatch.setattr(winograd, "_MAX_TILE_BYTES", 1)  # a draw at a time
    np.testing.assert_allclose(winograd.Tiles(weight)(inputs, padding), expected, atol=1e-4)


def test_the_matrices_follow_from_the_points():
    """As the module derives them: values at five points and the leading coefficient."""
    points = [0, 1, -1, 2, -2]
    outputs, filters, inputs = np.zeros((4, 6)), np.zeros((6, 3)), np.zeros((6, 6))
    for n, p in enumerate(points):
        others = [q for q in points if q != p]
        outputs[:, n] = [p**power for power in range(4)]
        filters[n] = np.array([1, p, p**2]) / np.prod([p - q for q in others])
        inputs[n, :5] = np.poly(others)[::-1]
    outputs[3, 5] = filters[5, 2] = 1
    inputs[5] = np.poly(points)[::-1]
    np.testing.assert_array_equal(winograd._OUTPUT, outputs)
    np.testing.assert_allclose(winograd._FILTER, filters, rtol=1e-15)
    np.testing.assert_array_equal(winograd._INPUT, inputs)


@pytest.mark.parametrize(
    ("shape", "stride", "dilation", "dtype", "pays"),
    [
        ((192, 192, 3, 3), 1, 1, torch.float32, True),
        ((191, 192, 3, 3), 1, 1, torch.float32, False),
        ((192, 192, 3, 3), 2, 1, torch.float32, False),
        ((192, 192, 3, 3), 1, 2, torch.float32, False),
        ((192, 192, 3, 3), 1, 1, torch.bfloat16, False),
        ((192, 192, 5, 5), 1, 1, torch.float32, False),
    ],
)
def test_it_pays_for_plain_3x3_convolutions_of_many_channels(shape, stride, dilation, dtype, pays):
    weight = torch.empty(shape, dtype=dtype)
    assert winograd.pays(weight, (stride,) * 2, (dilation,) * 2) == pays
