"""Local response normalisation is torch's."""

import pytest
import torch
from torch.nn import functional as F

from preddiff.engines.incremental.execute.kernels.response import respond


@pytest.mark.parametrize("beta", [0.75, 0.4])
@pytest.mark.parametrize("size", [1, 4, 5])
def test_it_is_torchs(size, beta):
    x = torch.randn(3, 7, 4, 5)
    expected = F.local_response_norm(x, size, 0.3, beta, 1.2)
    torch.testing.assert_close(respond(x, size, 0.3, beta, 1.2), expected)
