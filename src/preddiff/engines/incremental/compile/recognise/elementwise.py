"""Operations on each pixel by itself: activations, clamps, normalisations, linear layers."""

import math

import torch
from torch.nn import functional as F

from preddiff.engines.incremental.compile.recognise.call import Call, Size, TracedInput, per_axis
from preddiff.engines.incremental.execute.combination import clamped
from preddiff.engines.incremental.execute.kernels import memory, response
from preddiff.engines.incremental.execute.operation import Native, Operation
from preddiff.engines.incremental.execute.pointwise import Pointwise


def pointwise(call: Call, x: TracedInput, *args: object, **kwargs: object) -> Operation | None:
    """Recognise a function of each value that is the same at every pixel."""
    others = (*args, *kwargs.values())
    return call.pointwise(x) if all(_is_same_everywhere(each, x) for each in others) else None


def _is_same_everywhere(value: object, x: TracedInput) -> bool:
    """Return whether an argument is a constant that is the same at every pixel of a box.

    Boxes cut from another input, or from a tensor over the pixels, would have to be those of x.
    """
    if isinstance(value, TracedInput):
        return False
    if not isinstance(value, torch.Tensor):
        return True
    shape = (1,) * (x.base.ndim - value.ndim) + tuple(value.shape)
    return len(shape) == x.base.ndim and all(shape[axis] == 1 for axis in x.axes)


def normalisation(call: Call, x: TracedInput, *args: object, **kwargs: object) -> Operation | None:
    """Recognise a normalisation by known statistics of each channel."""
    if any(isinstance(each, TracedInput) for each in (*args, *kwargs.values())):
        return None
    return call.pointwise(x)


def unchanged(call: Call, x: TracedInput, *_args: object, **_kwargs: object) -> Operation | None:
    """Recognise what is linear in each value: a copy, dropout (which does nothing), a sign."""
    return call.pointwise(x, linear=True)


def relu(call: Call, x: TracedInput, inplace: bool = False) -> Operation | None:
    """Recognise a rectifier."""
    return clamp(call, x, 0.0, math.inf, inplace)


def relu6(call: Call, x: TracedInput, inplace: bool = False) -> Operation | None:
    """Recognise a rectifier that ends at 6."""
    return clamp(call, x, 0.0, 6.0, inplace)


def clamp(
    call: Call,
    x: TracedInput,
    min: object = None,  # noqa: A002
    max: object = None,  # noqa: A002
    inplace: bool = False,
) -> Operation | None:
    """Recognise a clamp between two numbers, either of which may be missing."""
    del inplace  # undone by simplify.py
    low, high = -math.inf if min is None else min, math.inf if max is None else max
    if not (isinstance(low, int | float) and isinstance(high, int | float)):
        return pointwise(call, x, low, high)
    return clamped(call.base, x.axes, x.base, (float(low), float(high)), call.dtype)


def across_channels(
    call: Call, x: TracedInput, *args: object, **kwargs: object
) -> Operation | None:
    """Recognise what mixes the channels of a pixel, which must be axis 1."""
    return normalisation(call, x, *args, **kwargs) if x.is_map else None


def local_response_norm(
    call: Call, x: TracedInput, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Operation | None:
    """Recognise local response normalisation."""
    if not x.is_map:
        return None

    def normalised(values: torch.Tensor) -> torch.Tensor:
        if memory.supports(values) and values.dtype == torch.float32:
            return response.respond(values, size, alpha, beta, k)
        result: torch.Tensor = call.native(values)
        return result

    return Pointwise(call.base, x.axes, normalised)


def softmax(
    call: Call, x: TracedInput, dim: int | None = None, **_kwargs: object
) -> Operation | None:
    """Recognise a softmax along an axis that is not spatial."""
    return None if dim is None or dim % x.base.ndim in x.axes else call.pointwise(x)


def layer_norm(call: Call, x: TracedInput, shape: Size, *_args: object) -> Operation | None:
    """Recognise a layer normalisation over axes that are not spatial."""
    first = x.base.ndim - len(per_axis(shape, 1))
    return None if any(axis >= first for axis in x.axes) else call.pointwise(x)


def linear(call: Call, x: TracedInput, weight: object, bias: object = None) -> Operation | None:
    """Recognise a fully connected layer along an axis that is not spatial."""
    del bias  # is in the base
    if x.base.ndim - 1 in x.axes or not isinstance(weight, torch.Tensor):
        return None
    product = _product(weight.detach().to(call.dtype))
    return Pointwise(call.base, x.axes, product, linear=True)


def _product(weight: torch.Tensor) -> Native:
    """Return the function of rows times weights, in the weights' precision.

    In float32 by oneDNN, which on AMD's processors is faster than MKL, torch's own choice.
    """
    known = (weight.device.type, weight.dtype) == ("cpu", torch.float32)
    packed = known and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]

    def times(rows: torch.Tensor) -> torch.Tensor:
        if packed and rows.ndim == 2:
            return F.linear(rows.to_mkldnn(), weight).to_dense()
        return F.linear(rows.to(weight.dtype), weight)

    return times
