"""In which precision to compute: float32, or a shorter one that the processor has hardware for."""

import torch

BY_NAME = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
LARGEST_ERROR = 0.01
"""Of the evidence's root mean square, that a shorter precision may cost."""


def shorter(device: torch.device) -> list[str]:
    """Names of precisions that a device computes in faster than in float32."""
    if device.type == "cuda":
        return ["bfloat16", "float16"]
    if device.type == "mps":
        return ["float16"]
    return ["bfloat16"] if device.type == "cpu" and _processor_has_bfloat16() else []


def _processor_has_bfloat16() -> bool:
    """AVX512-BF16 or AMX; without them torch computes bfloat16 slower than float32."""
    tests = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, test, lambda: False)() for test in tests)
