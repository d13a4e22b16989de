"""Sums of changes, held against numpy."""

import numpy as np
import pytest
import torch

from preddiff.engines.incremental.execute.kernels.memory import FlatTensor
from preddiff.engines.incremental.execute.kernels.sums import add_up

AT_A = np.array([[0, -1, 1], [0, 2, -2], [0, 0, 0]])
AT_B = np.array([[0, 1, 0], [0, -3, 3], [0, 9, 9]])  # the last one lies elsewhere


def pasted(change, at, shape):
    """A change put where it belongs, 0 around it."""
    result = np.zeros(shape)
    for n, y, x in np.ndindex(len(change), *change.shape[2:]):
        to = at[n // 2, 1] + y, at[n // 2, 2] + x
        if 0 <= to[0] < shape[2] and 0 <= to[1] < shape[3]:
            result[n, :, to[0], to[1]] = change[n, :, y, x]
    return result


@pytest.mark.parametrize("clamp", [None, (-0.3, 0.8)])
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("part", [False, True])
def test_changes_are_added_where_they_lie(part, count, clamp):
    torch.manual_seed(0)
    room = torch.empty(6, 5, 5, 6).contiguous(memory_format=torch.channels_last)
    out = room.narrow(1, 1, 3) if part else room
    channels = out.shape[1]
    changes = [torch.randn(6, channels, 4, 3), torch.randn(6, channels, 2, 4)][:count]
    expected = sum(
        pasted(change.numpy(), at, out.shape)
        for change, at in zip(changes, (AT_A, AT_B), strict=False)
    )
    clamped = None
    if clamp:
        base, at = torch.randn(1, channels, 9, 9), np.array([[0, 0, 0], [0, 4, 3], [0, 2, 1]])
        clamped = (FlatTensor.of(base), at, *clamp)
        for n in range(6):
            y, x = at[n // 2, 1:]
            below = base[0, :, y : y + 5, x : x + 6].double().numpy()
            expected[n] = np.clip(below + expected[n], *clamp) - np.clip(below, *clamp)
    add_up(out, list(zip(changes, (AT_A, AT_B), strict=False)), clamped)
    np.testing.assert_allclose(out, expected, atol=1e-6)
