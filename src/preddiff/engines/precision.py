"""The precision of a network's arithmetic: float32, or a shorter one that a device is faster in."""

import time
from functools import cache

import torch

from preddiff.engines.base import PRECISIONS

DTYPES: dict[str, torch.dtype] = {name: getattr(torch, name) for name in PRECISIONS}

LARGEST_ERROR = 0.01
"""Share of the evidence's root mean square that a shorter precision may cost.

The draws' own error is larger: with ten of them some 16 % of the evidence of a window, and near
3 % of a pixel's relevance (GoogLeNet, 10×10 windows). Rounding of 1 % is lost in that.
"""

# A product of matrices as a batch of boxes makes it: rows are the pixels of all boxes, columns the
# channels of a 1×1 convolution. A larger one would keep units such as AMX busier than boxes do.
_ROWS, _CHANNELS_IN, _CHANNELS_OUT = 2048, 256, 256
_ROUNDS = 20
_CLEARLY = 1.5


def shorter(device: torch.device) -> list[str]:
    """Return the names of the precisions that a device computes in faster than in float32."""
    if device.type == "cuda":
        return ["bfloat16", "float16"]
    if device.type == "mps":
        return ["float16"]
    return ["bfloat16"] if device.type == "cpu" and _processor_gains() else []


@cache
def _processor_gains() -> bool:
    """Return whether products of matrices are clearly faster in bfloat16.

    They are timed because the processor's flags do not tell: some have AVX512-BF16 and gain
    nothing by it, but by AMX only. Those that gain are several times faster, the others slower: far
    enough from the limit on either side that a busy machine decides as an idle one does.
    """
    return _CLEARLY * _seconds(torch.bfloat16) < _seconds(torch.float32)


def _seconds(dtype: torch.dtype) -> float:
    """Return the seconds of a product of matrices."""
    left = torch.ones((_ROWS, _CHANNELS_IN), dtype=dtype)
    right = torch.ones((_CHANNELS_IN, _CHANNELS_OUT), dtype=dtype)
    seconds = []
    for _ in range(_ROUNDS + 1):
        begin = time.perf_counter()
        left @ right
        seconds.append(time.perf_counter() - begin)
    # The first round warms up. Of the others the minimum counts: whatever else runs on a machine
    # only ever adds to a time, so the least of many is nearest to what the work itself takes.
    return min(seconds[1:])
