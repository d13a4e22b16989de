"""Max-pooling of a base with changes, held against torch."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from preddiff.engines.incremental.execute.kernels.max_pool import pool
from preddiff.engines.incremental.execute.kernels.memory import FlatTensor


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation"),
    [(3, 2, 1, 1), (2, 2, 0, 1), (3, 1, 1, 2), (5, 3, 2, 1)],
)
def test_it_is_the_difference_of_two_poolings(kernel, stride, padding, dilation, dtype):
    torch.manual_seed(0)
    base = torch.randn(1, 3, 12, 11)
    starts = np.array([[0, 0, 0], [0, 4, 5], [0, 8, 7]])
    change = torch.randn(6, 3, 4, 4).to(dtype)
    whole = base.repeat(6, 1, 1, 1)
    for n in range(6):
        y, x = starts[n // 2, 1:]
        whole[n, :, y : y + 4, x : x + 4] += change[n].float()
    before, after = (F.max_pool2d(x, kernel, stride, padding, dilation) for x in (base, whole))
    at = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 1]])
    out = torch.empty(6, 3, before.shape[2] - 1, before.shape[3] - 1, dtype=dtype)
    out = out.contiguous(memory_format=torch.channels_last)
    sliding = tuple((1 if name in "ksd" else 0, n, n) for name, n in
                    (("k", kernel), ("s", stride), ("p", padding), ("d", dilation)))  # fmt: skip
    before_flat = FlatTensor.of(before.contiguous(memory_format=torch.channels_last))
    base_flat = FlatTensor.of(base.contiguous(memory_format=torch.channels_last))
    pool(out, change, base_flat, before_flat, (starts, at), sliding)
    for n in range(6):
        y, x = at[n // 2, 1:]
        cut = np.s_[:, y : y + out.shape[2], x : x + out.shape[3]]
        expected = (after[n] - before[0])[cut].to(dtype)
        assert torch.equal(out[n], expected)
