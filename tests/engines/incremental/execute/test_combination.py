"""Sums, concatenations and clamps in one pass, compiled and in torch."""

import pytest
import torch

from preddiff.engines.incremental.execute.boxes import Box, Placement
from preddiff.engines.incremental.execute.combination import Clamp, Combination, Piece, clamped
from preddiff.engines.incremental.execute.kernels import memory

STARTS = [(0, 0), (3, 2)]


@pytest.fixture(params=["compiled", "torch"])
def loops(request, monkeypatch):
    if request.param == "torch":
        monkeypatch.setattr(memory, "supports", lambda *_: False)


def box(base, starts, lengths, change):
    return Box(base, (2, 3), Placement(starts, lengths, False, 2), change=change)


@pytest.mark.usefixtures("loops")
def test_pieces_are_sums_beside_each_other_and_clamped():
    torch.manual_seed(0)
    bases = [torch.randn(1, 3, 8, 8) for _ in range(2)]
    changes = [torch.randn(4, 3, 3, 3), torch.randn(4, 3, 4, 2)]
    boxes = [
        box(bases[0], STARTS, (3, 3), changes[0]),
        box(bases[1], [(1, 1), (2, 3)], (4, 2), changes[1]),
    ]
    wholes = [each.repeat(4, 1, 1, 1) for each in bases]
    for whole, each in zip(wholes, boxes, strict=True):
        for n in range(4):
            y, x = each.placement.starts[n // 2]
            h, w = each.placement.lengths
            whole[n, :, y : y + h, x : x + w] += each.change[n]
    low, high = -0.5, 0.7
    expected = torch.cat([(wholes[0] + wholes[1]).clamp(low, high), wholes[1]], 1)
    base = torch.cat([(bases[0] + bases[1]).clamp(low, high), bases[1]], 1)
    pieces = [Piece(3, (0, 1), Clamp(bases[0] + bases[1], low, high)), Piece(3, (1,))]
    starts = [(0, 0), (1, 2)]
    operation = Combination(base, (2, 3), pieces, torch.float32)
    found = operation.run(Placement(starts, (6, 5), False, 2), boxes)
    for n in range(4):
        y, x = starts[n // 2]
        torch.testing.assert_close(
            found.value[n], expected[n, :, y : y + 6, x : x + 5], atol=1e-5, rtol=0
        )


@pytest.mark.usefixtures("loops")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_small_change_of_a_large_value_is_not_rounded_away(dtype):
    base = torch.full((1, 2, 4, 4), 1024.0)
    change = torch.full((2, 2, 2, 2), 2.0**-8).to(dtype)
    operation = clamped(base, (2, 3), base, (0.0, float("inf")), dtype)
    placement = Placement([(1, 1)], (2, 2), False, 2)
    found = operation.run(placement, [box(base, [(1, 1)], (2, 2), change)])
    assert found.change.dtype == dtype
    torch.testing.assert_close(found.change, change)


def test_a_clamp_of_some_channels():
    base = torch.randn(1, 4, 3, 3)
    part = Clamp(base, 0.0, 6.0).narrow(1, 2)
    assert torch.equal(part.base, base[:, 1:3])
    assert (part.low, part.high) == (0.0, 6.0)
