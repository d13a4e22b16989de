"""Fingerprints of a network's weights, whatever they are stored as."""

import hashlib
import io
from collections.abc import Iterator, Mapping

import torch
from torch import nn


def fingerprint(module: nn.Module) -> str:
    """Return the SHA-256 of the names and bits of all weights."""
    digest = hashlib.sha256()
    state = module.state_dict()
    for name, value in sorted(state.items()):
        digest.update(name.encode())
        for part in _bits(value):
            digest.update(part)
    if not state and isinstance(module, torch.jit.ScriptModule):  # frozen: weights are constants
        buffer = io.BytesIO()
        torch.jit.save(module, buffer)
        digest.update(buffer.getvalue())
    return digest.hexdigest()


def _bits(value: object) -> Iterator[bytes]:
    """Yield the bits of an entry: a tensor, or what quantised modules keep."""
    if isinstance(value, torch.Tensor):
        yield from _bits_of_tensor(value.detach().cpu())
    elif isinstance(value, Mapping):
        for name, each in sorted(value.items()):
            yield str(name).encode()
            yield from _bits(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _bits(each)
    else:
        yield str(value).encode()


def _bits_of_tensor(tensor: torch.Tensor) -> Iterator[bytes]:
    if tensor.is_quantized:
        if tensor.qscheme() in {torch.per_tensor_affine, torch.per_tensor_symmetric}:
            yield f"{tensor.q_scale()} {tensor.q_zero_point()}".encode()
        else:
            yield from _bits([tensor.q_per_channel_scales(), tensor.q_per_channel_zero_points()])
        tensor = tensor.int_repr()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    yield tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
