"""Convolutions and poolings."""

import torch

from preddiff.engines.incremental.compile.recognise.call import (
    Call,
    Size,
    TracedInput,
    per_axis,
    sizes,
)
from preddiff.engines.incremental.execute.convolution import Convolution
from preddiff.engines.incremental.execute.operation import Operation
from preddiff.engines.incremental.execute.pooling import (
    AveragePool,
    GlobalMean,
    MaxPool,
    padded_mean,
)
from preddiff.engines.incremental.execute.reach import Sliding


def convolution(
    call: Call,
    x: TracedInput,
    weight: object,
    bias: object = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Operation | None:
    """Recognise a convolution whose weights are known."""
    del bias  # is in the base
    if not (x.is_map and isinstance(weight, torch.Tensor)):
        return None
    kernel = tuple(weight.shape[2:])
    before = (0,) if isinstance(padding, str) else padding
    if padding == "same":  # of an odd number of zeros, torch puts the odd one at the end
        spread = per_axis(dilation, len(kernel))
        before = tuple((k - 1) * d // 2 for k, d in zip(kernel, spread, strict=True))
    sides = _sliding(x, kernel, stride, before, dilation)
    return Convolution(call.base, weight.detach().to(call.dtype), sides, groups)


def max_pool(
    call: Call,
    x: TracedInput,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Operation | None:
    """Recognise a max-pooling, unless the positions of the maxima are wanted as well."""
    del ceil_mode  # shows in the size of the base
    if return_indices or not x.is_map:
        return None
    sides = _sliding(x, kernel_size, stride, padding, dilation)
    return MaxPool(call.base, x.base, sides, call.dtype)


def average_pool(
    call: Call,
    x: TracedInput,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Operation | None:
    """Recognise an average pooling.

    What it divides by, at the edges above all, depends on three settings, whose combinations torch
    has rules for. They are not repeated here: the node's own result on ones says what it divides
    by at every output, relative to a plain mean over the padded input.
    """
    del ceil_mode, count_include_pad, divisor_override
    if not x.is_map:
        return None
    sides = _sliding(x, kernel_size, stride, padding)
    ones = torch.ones_like(x.base)
    return AveragePool(call.base, sides, call.native(ones) / padded_mean(ones, call.base, sides))


def adaptive_average_pool(call: Call, x: TracedInput, output_size: object) -> Operation | None:
    """Recognise an adaptive average pooling to one value, or to a size that divides the input's."""
    del output_size  # shows in the base
    if not x.is_map:
        return None
    outputs = sizes(call.base, x.axes)
    if all(n == 1 for n in outputs):
        return GlobalMean(call.base, x.axes, x.base, x.axes)
    if any(n % m for n, m in zip(x.sizes, outputs, strict=True)):
        return None
    kernel = tuple(n // m for n, m in zip(x.sizes, outputs, strict=True))
    return average_pool(call, x, kernel)


def mean(
    call: Call, x: TracedInput, dim: Size | None = None, keepdim: bool = False
) -> Operation | None:
    """Recognise a mean over all spatial axes and no others."""
    if dim is None or not x.axes:
        return None
    over = tuple(sorted(d % x.base.ndim for d in per_axis(dim, 1)))
    if over != tuple(sorted(x.axes)):
        return None
    return GlobalMean(call.base, x.axes if keepdim else (), x.base, over)


def _sliding(
    x: TracedInput,
    kernel: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
) -> list[Sliding]:
    """Return the settings along each spatial axis."""
    each = (per_axis(value, len(x.axes)) for value in (kernel, stride or kernel, padding, dilation))
    return [Sliding(*side) for side in zip(*each, strict=True)]
