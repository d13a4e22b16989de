"""In which precision to compute: float32, or a shorter one that a device is faster in."""

import time
from functools import cache

import torch

BY_NAME = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
LARGEST_ERROR = 0.01
"""Of the evidence's root mean square, that a shorter precision may cost."""

_PRODUCT = 2048, 256, 256  # rows, channels in and out, as of a batch of boxes
_ROUNDS = 20  # the best counts: on a busy machine most wait for their turn


def shorter(device: torch.device) -> list[str]:
    """Names of precisions that a device computes in faster than in float32."""
    if device.type == "cuda":
        return ["bfloat16", "float16"]
    if device.type == "mps":
        return ["float16"]
    return ["bfloat16"] if device.type == "cpu" and _processor_gains() else []


@cache
def _processor_gains() -> bool:
    """Whether products of matrices are faster in bfloat16.

    Timed, as AVX512-BF16 alone does not tell: some processors have it and gain by AMX only.
    """
    return _seconds(torch.bfloat16) < _seconds(torch.float32)


def _seconds(dtype: torch.dtype) -> float:
    """Of a product of matrices."""
    rows, before, after = _PRODUCT
    left, right = (torch.ones(shape, dtype=dtype) for shape in ((rows, before), (before, after)))
    seconds = []
    for _ in range(_ROUNDS + 1):
        begin = time.perf_counter()
        left @ right
        seconds.append(time.perf_counter() - begin)
    return min(seconds[1:])  # the first warms up
