"""Local response normalisation (Krizhevsky et al. 2012, section 3.3), in any precision."""

import torch
from torch.nn import functional as F


def local_response_norm(
    x: torch.Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> torch.Tensor:
    """torch's function of this name, whose pooling knows float32 and float64 only on processors.

    Squares are summed over `size` neighbouring channels by a convolution 1×1 with a band of ones.
    """
    channels = x.shape[1]
    number = torch.arange(channels, device=x.device)
    before = number[:, None] - number  # how many channels an input lies before an output
    band = ((before <= size // 2) & (before >= -((size - 1) // 2))).to(x.dtype)
    flat = (x * x).reshape(len(x), channels, -1, 1)
    weight = (band * (alpha / size))[..., None, None]
    scale = F.conv2d(flat, weight, x.new_full((channels,), k))
    return x * scale.pow_(-beta).reshape(x.shape)
