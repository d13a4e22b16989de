"""Tensors as rows of memory, for compiled loops."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from preddiff.engines.incremental.execute.layout import CHANNELS_LAST

_DTYPES = (torch.float32, torch.bfloat16)


def supports(*tensors: torch.Tensor) -> bool:
    """Return whether tensors (n, channel, *spatial) are of the kind that the loops work on."""
    return all(
        t.ndim in CHANNELS_LAST and t.device.type == "cpu" and t.dtype in _DTYPES for t in tensors
    )


@dataclass(frozen=True, eq=False)
class FlatTensor:
    """A tensor (n, channel, *spatial), channels last, as one row of memory.

    Attributes
    ----------
    values : numpy's float32, or bfloat16's bits, which numpy has no type for.
    steps : from one n, z, y, x to the next; 0 along an axis that there is not.
    sizes : along z, y, x; 1 along an axis that there is not.
    """

    values: NDArray[np.float32] | NDArray[np.uint16]
    steps: tuple[int, ...]
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, tensor: torch.Tensor) -> "FlatTensor":
        """Return a view of a tensor's memory; a copy only where its channels are not last.

        Some of the channels of a wider tensor are a view, too: the row then holds the channels in
        between, and the steps skip them.
        """
        if tensor.shape[1] > 1 and tensor.stride(1) != 1:
            tensor = tensor.contiguous(memory_format=CHANNELS_LAST[tensor.ndim])
        strides, sizes = tensor.stride(), tensor.shape
        length = 1 + sum((n - 1) * step for n, step in zip(sizes, strides, strict=True))
        flat = tensor.as_strided((length,), (1,))
        values = (flat.view(torch.uint16) if flat.dtype == torch.bfloat16 else flat).numpy()
        if len(sizes) == 4:
            return cls(values, (strides[0], 0, strides[2], strides[3]), (1, sizes[2], sizes[3]))
        return cls(values, (strides[0], *strides[2:]), tuple(sizes[2:]))


NOTHING = FlatTensor(np.empty(0, dtype=np.float32), (0, 0, 0, 0), (0, 0, 0))
"""Stands for an input that there is not."""
