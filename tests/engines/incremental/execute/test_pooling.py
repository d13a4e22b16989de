"""Poolings of boxes, compiled and in torch."""

import pytest
import torch
from torch.nn import functional as F

from preddiff.engines.incremental.execute.boxes import Box, Placement
from preddiff.engines.incremental.execute.kernels import memory
from preddiff.engines.incremental.execute.pooling import (
    AveragePool,
    GlobalMean,
    MaxPool,
    padded_mean,
)
from preddiff.engines.incremental.execute.reach import Interval, Sliding

STARTS = [(0, 0), (5, 3), (9, 9)]


def setting():
    """A base of 12×12 pixels, boxes of 3×3 changes, and whole changed maps."""
    torch.manual_seed(0)
    base, change = torch.randn(1, 4, 12, 12), torch.randn(6, 4, 3, 3)
    whole = base.repeat(6, 1, 1, 1)
    for n in range(6):
        y, x = STARTS[n // 2]
        whole[n, :, y : y + 3, x : x + 3] += change[n]
    return base, whole, Box(base, (2, 3), Placement(STARTS, (3, 3), False, 2), change=change)


@pytest.mark.parametrize("compiled", [True, False])
def test_maxima_of_base_and_changes(monkeypatch, compiled):
    if not compiled:
        monkeypatch.setattr(memory, "supports", lambda *_: False)
    base, whole, box = setting()
    pooled, expected = (F.max_pool2d(x, 3, 2, 1) for x in (base, whole))
    operation = MaxPool(pooled, base, [Sliding(3, 2, 1)] * 2, torch.float32)
    starts = [(0, 0), (2, 1), (4, 3)]
    found = operation.run(Placement(starts, (2, 3), False, 2), [box])
    for n in range(6):
        y, x = starts[n // 2]
        cut = expected[n, :, y : y + 2, x : x + 3]
        torch.testing.assert_close(found.value[n], cut)


@pytest.mark.parametrize("counts", [True, False])
def test_means_of_changes(counts):
    base, whole, box = setting()

    def native(x):
        return F.avg_pool2d(x, 3, 2, 1, count_include_pad=counts)

    sliding, ones = [Sliding(3, 2, 1)] * 2, torch.ones_like(base)
    share = native(ones) / padded_mean(ones, native(base), sliding)
    placement = Placement([(0, 0)] * 3, (6, 6), True, 2)
    found = AveragePool(native(base), sliding, share).run(placement, [box])
    torch.testing.assert_close(found.value, native(whole), atol=1e-5, rtol=0)


@pytest.mark.parametrize("keepdim", [True, False])
def test_means_of_whole_maps_are_in_float32(keepdim):
    base, whole, box = setting()
    axes = (2, 3) if keepdim else ()
    result = base.mean((2, 3), keepdim)
    operation = GlobalMean(result, axes, base, (2, 3))
    short = Box(base, (2, 3), box.placement, change=box.change.bfloat16())
    placement = Placement([(0,) * len(axes)] * 3, (1,) * len(axes), True, 2)
    found = operation.run(placement, [short]).change
    assert found.dtype == torch.float32
    expected = whole.mean((2, 3), keepdim) - result
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)
    assert operation.reach(0, [Interval(torch.tensor([3]).numpy(), torch.tensor([5]).numpy())]) == (
        0,
        1,
    )
