"""From a node of the graph to the operation that does the same on boxes.

One function per operation, with the parameters of its torch namesake; it returns None where the
operation must see whole outputs. `RECOGNISED` lists the names under which each goes.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional as F

from preddiff.engines.incremental.execute import kernels as compiled
from preddiff.engines.incremental.execute.combination import Combination, Piece, rectifier
from preddiff.engines.incremental.execute.operations import (
    AveragePool,
    Convolution,
    GlobalMean,
    MaxPool,
    Native,
    Operation,
    Padding,
    Pointwise,
    mean_of_whole,
)
from preddiff.engines.incremental.execute.regions import Sliding


@dataclass(frozen=True)
class Parts:
    """A tensor cut along an axis that is not spatial, and where each part begins."""

    axis: int
    begins: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Seen:
    """An input of a node that depends on the network's input.

    Attributes
    ----------
    base : (1, ...), its value on the unperturbed input; or a tuple of such.
    axes : which axes are spatial; none where that is not known.
    parts : how a tuple is cut out of one tensor, if it is.
    """

    base: Any
    axes: tuple[int, ...]
    parts: Parts | None = None


@dataclass(frozen=True, eq=False)
class Call:
    """A node: its output on the unperturbed input, its own operation on tensors, and in which
    precision changes are."""

    base: Any
    native: Native
    dtype: torch.dtype

    def like(self, x: Seen, *, linear: bool = False) -> Operation | None:
        """Pointwise, if the output has the input's spatial axes."""
        if self.base.ndim != x.base.ndim or _sizes(self.base, x.axes) != _sizes(x.base, x.axes):
            return None
        return Pointwise(self.base, x.axes, self.native, linear=linear)


def _sizes(base: torch.Tensor, axes: Sequence[int]) -> tuple[int, ...]:
    return tuple(base.shape[axis] for axis in axes)


def _usual(x: Seen) -> bool:
    """(n, channel, *spatial), as convolutions want it."""
    return len(x.axes) > 0 and x.axes == tuple(range(2, x.base.ndim))


def _each(value: int | Sequence[int], count: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, Sequence) else (value,)
    return values * count if len(values) == 1 else values


def _convolution(
    call: Call,
    x: Seen,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Operation | None:
    del bias  # is in the base
    if not (_usual(x) and isinstance(weight, torch.Tensor)):
        return None
    kernel = tuple(weight.shape[2:])
    if padding == "same":  # which puts the odd one of the zeros behind
        spread = _each(dilation, len(kernel))
        padding = tuple((k - 1) * d // 2 for k, d in zip(kernel, spread, strict=True))
    sliding = _sliding(x, kernel, stride, 0 if padding == "valid" else padding, dilation)
    return Convolution(call.base, weight.detach().to(call.dtype), sliding, groups)


def _max_pool(
    call: Call,
    x: Seen,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Operation | None:
    del ceil_mode  # seen in the size of the base
    if return_indices or not _usual(x):
        return None
    sliding = _sliding(x, kernel_size, stride, padding, dilation)
    return MaxPool(call.base, x.base, sliding, call.dtype)


def _sliding(
    x: Seen, kernel: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1
) -> list[Sliding]:
    """A row for each spatial axis, from numbers for all of them or one for each."""
    each = (_each(value, len(x.axes)) for value in (kernel, stride or kernel, padding, dilation))
    return [Sliding(*side) for side in zip(*each, strict=True)]


def _average_pool(
    call: Call,
    x: Seen,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Operation | None:
    del ceil_mode, count_include_pad, divisor_override  # seen in what the node makes of ones
    if not _usual(x):
        return None
    sliding = _sliding(x, kernel_size, stride, padding)
    ones = torch.ones_like(x.base)
    return AveragePool(
        call.base, sliding, call.native(ones) / mean_of_whole(ones, call.base, sliding)
    )


def _adaptive_average(call: Call, x: Seen, output_size: Any) -> Operation | None:
    del output_size  # seen in the base
    if not _usual(x):
        return None
    inputs, outputs = _sizes(x.base, x.axes), _sizes(call.base, x.axes)
    if all(n == 1 for n in outputs):
        return GlobalMean(call.base, x.axes, x.base, x.axes)
    if any(n % m for n, m in zip(inputs, outputs, strict=True)):
        return None
    kernel = tuple(n // m for n, m in zip(inputs, outputs, strict=True))
    return _average_pool(call, x, kernel)


def _mean(call: Call, x: Seen, dim: Any = None, keepdim: bool = False) -> Operation | None:
    if dim is None or not x.axes:
        return None
    over = tuple(sorted(d % x.base.ndim for d in _each(dim, 1)))
    if over != tuple(sorted(x.axes)):
        return None
    return GlobalMean(call.base, x.axes if keepdim else (), x.base, over)


def _pointwise(call: Call, x: Seen, *_args: Any, **_kwargs: Any) -> Operation | None:
    return call.like(x)


def _unchanged(call: Call, x: Seen, *_args: Any, **_kwargs: Any) -> Operation | None:
    return call.like(x, linear=True)


def _rectifier(call: Call, x: Seen, inplace: bool = False) -> Operation | None:
    return _clamp(call, x, 0.0, math.inf, inplace)


def _relu6(call: Call, x: Seen, inplace: bool = False) -> Operation | None:
    return _clamp(call, x, 0.0, 6.0, inplace)


def _clamp(
    call: Call,
    x: Seen,
    min: Any = None,  # noqa: A002
    max: Any = None,  # noqa: A002
    inplace: bool = False,
) -> Operation | None:
    del inplace  # undone before
    if any(isinstance(end, torch.Tensor | Seen) for end in (min, max)):
        return call.like(x)
    limits = -math.inf if min is None else float(min), math.inf if max is None else float(max)
    return rectifier(call.base, x.axes, x.base, limits, call.dtype)


def _across_channels(call: Call, x: Seen, *_args: Any, **_kwargs: Any) -> Operation | None:
    return call.like(x) if _usual(x) else None


def _response(
    call: Call, x: Seen, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Operation | None:
    if not _usual(x):
        return None

    def normalised(values: torch.Tensor) -> torch.Tensor:
        known = compiled.can(values) and values.dtype == torch.float32
        result = compiled.respond(values, size, alpha, beta, k) if known else call.native(values)
        return cast(torch.Tensor, result)

    return Pointwise(call.base, x.axes, normalised)


def _softmax(call: Call, x: Seen, dim: int | None = None, **_kwargs: Any) -> Operation | None:
    return None if dim is None or dim % x.base.ndim in x.axes else call.like(x)


def _linear(
    call: Call, x: Seen, weight: torch.Tensor, bias: torch.Tensor | None = None
) -> Operation | None:
    del bias  # is in the base
    if x.base.ndim - 1 in x.axes or not isinstance(weight, torch.Tensor):
        return None
    return Pointwise(call.base, x.axes, product(weight.detach().to(call.dtype)), linear=True)


def product(weight: torch.Tensor) -> Native:
    """Rows times weights, in the weights' precision.

    By oneDNN, which on AMD's processors is faster than MKL, torch's own choice.
    """
    known = (weight.device.type, weight.dtype) == ("cpu", torch.float32)
    packed = known and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]

    def times(rows: torch.Tensor) -> torch.Tensor:
        if packed and rows.ndim == 2:
            return F.linear(rows.to_mkldnn(), weight).to_dense()
        return F.linear(rows.to(weight.dtype), weight)

    return times


def _layer_norm(call: Call, x: Seen, shape: Any, *_args: Any, **_kwargs: Any) -> Operation | None:
    first = x.base.ndim - len(_each(shape, 1))
    return None if any(axis >= first for axis in x.axes) else call.like(x)


def _sum(call: Call, a: Any, b: Any) -> Operation | None:
    if isinstance(a, Seen) and isinstance(b, Seen):
        if _usual(a) and _usual(b) and a.base.shape == b.base.shape:
            piece = Piece(a.base.shape[1], _numbers([a, b]))
            return Combination(call.base, a.axes, [piece], call.dtype)
        return _together(call, [a, b], linear=True)
    x = a if isinstance(a, Seen) else b
    if call.base.shape != x.base.shape:
        return None
    return Pointwise(call.base, x.axes, lambda t: t, linear=True)  # a constant changes no change


def _difference(call: Call, a: Any, b: Any) -> Operation | None:
    if isinstance(a, Seen):
        both = isinstance(b, Seen)
        return _together(call, [a, b], linear=True) if both else _sum(call, a, b)
    if call.base.shape != b.base.shape:
        return None
    return Pointwise(call.base, b.axes, torch.neg, linear=True)


def _product(call: Call, a: Any, b: Any, **_kwargs: Any) -> Operation | None:
    if isinstance(a, Seen) and isinstance(b, Seen):
        return _together(call, [a, b])
    x, constant = (a, b) if isinstance(a, Seen) else (b, a)
    if call.base.shape != x.base.shape:
        return None
    if isinstance(constant, torch.Tensor):
        shape = (1,) * (x.base.ndim - constant.ndim) + tuple(constant.shape)
        if any(shape[axis] != 1 for axis in x.axes):
            return None
    return call.like(x)


def _numbers(inputs: Sequence[Seen]) -> tuple[int, ...]:
    """Which of a step's inputs each is: a node that is taken twice is one input."""
    bases = list(dict.fromkeys(id(each.base) for each in inputs))
    return tuple(bases.index(id(each.base)) for each in inputs)


def _together(call: Call, parts: Sequence[Any], *, linear: bool = False) -> Operation | None:
    """Several inputs that lie over each other."""
    first = parts[0]
    for part in parts:
        if not isinstance(part, Seen) or part.axes != first.axes:
            return None
        if _sizes(part.base, part.axes) != _sizes(call.base, part.axes):
            return None
    return call.like(first, linear=linear)


def _concatenation(call: Call, tensors: Any, dim: int = 0) -> Operation | None:
    if isinstance(tensors, Seen) or not isinstance(tensors[0], Seen):
        return None
    if dim % tensors[0].base.ndim in {0, *tensors[0].axes}:
        return None
    if all(isinstance(each, Seen) and _usual(each) for each in tensors) and dim == 1:
        if len({_sizes(each.base, each.axes) for each in tensors}) > 1:
            return None
        numbers = _numbers(tensors)
        pieces = [Piece(t.base.shape[1], (n,)) for t, n in zip(tensors, numbers, strict=True)]
        return Combination(call.base, tensors[0].axes, pieces, call.dtype)
    return _together(call, tensors, linear=True)


def _split(call: Call, x: Seen, _size: Any, dim: int = 0) -> Parts | None:
    """Not an operation: where the parts begin, for `getitem`."""
    axis = dim % x.base.ndim
    if axis in {0, *x.axes}:
        return None
    lengths = [part.shape[axis] for part in call.base]
    return Parts(axis, tuple(sum(lengths[:number]) for number in range(len(lengths))))


def _getitem(call: Call, x: Seen, index: Any) -> Operation | None:
    if x.parts is not None and isinstance(index, int):
        along, begin = x.parts.axis, x.parts.begins[index]
        length = call.base.shape[along]

        def cut(tensor: torch.Tensor) -> torch.Tensor:
            return tensor.narrow(along, begin, length)

        return Pointwise(call.base, x.axes, cut, linear=True)
    if not isinstance(x.base, torch.Tensor):
        return None
    axes, axis, result = [], 0, 0
    for each in index if isinstance(index, tuple) else (index,):
        if not (each is None or isinstance(each, int | slice)):
            return None
        if each is not None:
            if axis in {0, *x.axes} and each != slice(None):
                return None
            axes += [result] if axis in x.axes else []
            axis += 1
        result += 0 if isinstance(each, int) else 1
    axes += [old - axis + result for old in x.axes if old >= axis]
    return Pointwise(call.base, tuple(axes), call.native, linear=True)


def _unsqueezed(call: Call, x: Seen, dim: int) -> Operation | None:
    new = dim % call.base.ndim
    axes = tuple(axis + (axis >= new) for axis in x.axes)
    return Pointwise(call.base, axes, call.native, linear=True) if new else None


def _permutation(call: Call, x: Seen, *dims: Any) -> Operation | None:
    order = [d % x.base.ndim for d in (dims[0] if isinstance(dims[0], Sequence) else dims)]
    if order[0] != 0:
        return None
    axes = tuple(order.index(axis) for axis in x.axes)
    return Pointwise(call.base, axes, call.native, linear=True)


def _transposition(call: Call, x: Seen, dim0: int, dim1: int) -> Operation | None:
    order = list(range(x.base.ndim))
    order[dim0], order[dim1] = order[dim1], order[dim0]
    return _permutation(call, x, order)


def _shape(call: Call, x: Seen, *_shape: Any) -> Operation | None:
    """Channels regrouped in front of the spatial axes, which stay as they are."""
    if not x.axes:
        return None
    first = x.axes[0]
    behind = tuple(x.base.shape[first:])
    moved = call.base.ndim - len(behind)
    if moved < 1 or tuple(call.base.shape[moved:]) != behind or call.base.shape[0] != 1:
        return None
    front = tuple(call.base.shape[1:moved])

    def regroup(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.reshape(-1, *front, *tensor.shape[first:])

    return Pointwise(
        call.base, tuple(axis - first + moved for axis in x.axes), regroup, linear=True
    )


def _padding(
    call: Call, x: Seen, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Operation | None:
    del value  # is in the base
    count = x.base.ndim
    before = [0] * count
    for number in range(len(pad) // 2):
        before[count - 1 - number] = pad[2 * number]
    padded = {a for a in range(count) if call.base.shape[a] != x.base.shape[a] or before[a]}
    if mode != "constant" or not padded <= set(x.axes):
        return None
    return Padding(call.base, x.axes, [before[axis] for axis in x.axes])


Recogniser = Callable[..., Any]

_ROWS: dict[Recogniser, str] = {
    _convolution: "conv1d conv2d conv3d",
    _max_pool: "max_pool1d max_pool2d max_pool3d",
    _average_pool: "avg_pool1d avg_pool2d avg_pool3d",
    _adaptive_average: "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d",
    _mean: "mean",
    _rectifier: "relu ReLU",
    _relu6: "relu6 ReLU6",
    _clamp: "clamp clip hardtanh",
    _pointwise: "leaky_relu elu selu celu gelu silu mish hardswish hardsigmoid "
    "sigmoid logsigmoid tanh softplus softsign tanhshrink hardshrink softshrink threshold "
    "abs exp sqrt square pow erf batch_norm "
    "LeakyReLU ELU SELU CELU GELU SiLU Mish Hardswish Hardsigmoid Sigmoid "
    "LogSigmoid Tanh Softplus Softsign Tanhshrink Hardshrink Softshrink Threshold "
    "BatchNorm1d BatchNorm2d BatchNorm3d",
    _unchanged: "dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout "
    "stochastic_depth contiguous clone detach neg "
    "Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout Identity",
    _response: "local_response_norm",
    _across_channels: "prelu channel_shuffle PReLU ChannelShuffle Softmax2d",
    _softmax: "softmax log_softmax",
    _linear: "linear",
    _layer_norm: "layer_norm",
    _sum: "add",
    _difference: "sub",
    _product: "mul div truediv",
    _concatenation: "cat concat concatenate",
    _split: "split chunk",
    _getitem: "getitem",
    _permutation: "permute",
    _transposition: "transpose swapaxes",
    _shape: "view reshape",
    _unsqueezed: "unsqueeze",
    _padding: "pad",
}
RECOGNISED: dict[str, Recogniser] = {
    name: recogniser for recogniser, names in _ROWS.items() for name in names.split()
}


def arguments(module: nn.Module) -> tuple[str, tuple[Any, ...]]:
    """A module as the function that it is, and the function's arguments after the input."""
    name = type(module).__name__
    m: Any = module
    if name in {"Conv1d", "Conv2d", "Conv3d"} and m.padding_mode == "zeros":
        return f"conv{name[4:]}", (m.weight, m.bias, m.stride, m.padding, m.dilation, m.groups)
    if name in {"MaxPool1d", "MaxPool2d", "MaxPool3d"}:
        said = (m.kernel_size, m.stride, m.padding, m.dilation, m.ceil_mode, m.return_indices)
        return f"max_pool{name[7:]}", said
    if name in {"AvgPool1d", "AvgPool2d", "AvgPool3d"}:
        return f"avg_pool{name[7:]}", (m.kernel_size, m.stride, m.padding)
    if name in {"AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d"}:
        return f"adaptive_avg_pool{name[15:]}", (m.output_size,)
    if name == "LocalResponseNorm":
        return "local_response_norm", (m.size, m.alpha, m.beta, m.k)
    if name == "Linear":
        return "linear", (m.weight, m.bias)
    if name == "Hardtanh":
        return "hardtanh", (m.min_val, m.max_val)
    if name in {"Softmax", "LogSoftmax"}:
        return "softmax", (m.dim,)
    if name == "LayerNorm":
        return "layer_norm", (m.normalized_shape,)
    if isinstance(module, nn.modules.padding._ConstantPadNd):
        return "pad", (m.padding, "constant", m.value)
    return name, ()
