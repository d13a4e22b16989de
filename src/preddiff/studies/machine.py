"""The machine that a published number was measured on."""

import torch

from preddiff.results import provenance

# Extensions that decide how fast products of matrices are, and the private function of torch that
# tells of each. Versions without such a function count as machines without the extension.
_CPU_FEATURES = {
    "AVX2": "_is_avx2_supported",
    "AVX512": "_is_avx512_supported",
    "AVX512-BF16": "_is_avx512_bf16_supported",
    "AMX": "_is_amx_tile_supported",
}


def describe() -> str:
    """Return one line with the system, its processors, the libraries' versions and the date."""
    facts = provenance.environment()
    features = [
        name for name, test in _CPU_FEATURES.items() if getattr(torch.cpu, test, lambda: False)()
    ]
    return f"{facts['machine']} ({', '.join(features)}); {facts['libraries']}; {facts['date'][:10]}"
