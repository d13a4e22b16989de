"""Local response normalisation: values divided by a power of their neighbours' squares."""

import numpy as np
import torch

from preddiff.engines.incremental.execute.kernels.memory import FlatTensor
from preddiff.engines.incremental.execute.layout import CHANNELS_LAST
from preddiff.method.compiled import compiled


def respond(x: torch.Tensor, size: int, alpha: float, beta: float, k: float) -> torch.Tensor:
    """Return x / (k + alpha / size · Σ x²)^beta of float32 values (n, channel, *spatial).

    The sum is over the `size` channels around each one (Krizhevsky et al. 2012, section 3.3; with
    torch's alpha, which is divided by the size). It works on values, not on changes, as it divides.
    """
    x = x.contiguous(memory_format=CHANNELS_LAST[x.ndim])
    out = torch.empty_like(x)
    share = np.float32(alpha / size)
    before = size // 2
    _respond(
        FlatTensor.of(out).values, FlatTensor.of(x).values, x.numel() // x.shape[1], x.shape[1],
        before, size - before, share, np.float32(beta), np.float32(k),
    )  # fmt: skip
    return out


@compiled
def _respond(  # type: ignore[no-untyped-def]
    to, values, pixels, channels, before, after, share, beta, k
):
    squares = np.empty(channels, dtype=np.float32)
    scale = np.empty(channels, dtype=np.float32)
    for pixel in range(pixels):
        p = np.uint64(pixel * channels)
        for c in range(np.uint64(channels)):
            squares[c] = share * values[p + c] * values[p + c]
        for c in range(channels):
            total = k
            for other in range(max(0, c - before), min(channels, c + after)):
                total += squares[other]
            scale[c] = total
        if beta == np.float32(0.75):  # two roots are much faster than a power
            for c in range(np.uint64(channels)):
                scale[c] = np.float32(1) / np.sqrt(scale[c] * np.sqrt(scale[c]))
        else:
            for c in range(channels):
                scale[c] = scale[c] ** -beta
        for c in range(np.uint64(channels)):
            to[p + c] = values[p + c] * scale[c]
