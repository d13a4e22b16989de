"""Operations on several tensors that lie over each other: sums, products, concatenations."""

from collections.abc import Sequence

import torch

from preddiff.engines.incremental.compile.recognise.call import (
    Call,
    Operand,
    TracedInput,
    input_numbers,
    sizes,
)
from preddiff.engines.incremental.execute.combination import Combination, Piece
from preddiff.engines.incremental.execute.operation import Operation
from preddiff.engines.incremental.execute.pointwise import Pointwise


def add(call: Call, a: Operand, b: Operand) -> Operation | None:
    """Recognise a sum; a constant changes no change."""
    if isinstance(a, TracedInput) and isinstance(b, TracedInput):
        if a.is_map and b.is_map and a.base.shape == b.base.shape:
            piece = Piece(a.base.shape[1], input_numbers([a, b]))
            return Combination(call.base, a.axes, [piece], call.dtype)
        return _together(call, [a, b], linear=True)
    x = _traced(a, b)
    if call.base.shape != x.base.shape:
        return None
    return Pointwise(call.base, x.axes, lambda t: t, linear=True)


def subtract(call: Call, a: Operand, b: Operand) -> Operation | None:
    """Recognise a difference."""
    if isinstance(a, TracedInput):
        both = isinstance(b, TracedInput)
        return _together(call, [a, b], linear=True) if both else add(call, a, b)
    x = _traced(a, b)
    if call.base.shape != x.base.shape:
        return None
    return Pointwise(call.base, x.axes, torch.neg, linear=True)


def multiply(call: Call, a: Operand, b: Operand, **_kwargs: object) -> Operation | None:
    """Recognise a product or a quotient; by a constant, if that is the same at every pixel."""
    if isinstance(a, TracedInput) and isinstance(b, TracedInput):
        return _together(call, [a, b])
    x, constant = _traced(a, b), b if isinstance(a, TracedInput) else a
    if call.base.shape != x.base.shape:
        return None
    if isinstance(constant, torch.Tensor):
        shape = (1,) * (x.base.ndim - constant.ndim) + tuple(constant.shape)
        if any(shape[axis] != 1 for axis in x.axes):
            return None
    return call.pointwise(x)


def concatenate(call: Call, tensors: object, dim: int = 0) -> Operation | None:
    """Recognise a concatenation along an axis that is not spatial."""
    if not isinstance(tensors, Sequence) or not isinstance(tensors[0], TracedInput):
        return None
    first = tensors[0]
    if dim % first.base.ndim in {0, *first.axes}:
        return None
    maps = [each for each in tensors if isinstance(each, TracedInput) and each.is_map]
    if len(maps) == len(tensors) and dim == 1:
        if len({each.sizes for each in maps}) > 1:
            return None
        numbers = input_numbers(maps)
        pieces = [Piece(t.base.shape[1], (n,)) for t, n in zip(maps, numbers, strict=True)]
        return Combination(call.base, first.axes, pieces, call.dtype)
    return _together(call, tensors, linear=True)


def _traced(a: Operand, b: Operand) -> TracedInput:
    """Return the one of two operands that depends on the input."""
    x = a if isinstance(a, TracedInput) else b
    if not isinstance(x, TracedInput):
        raise TypeError("neither operand depends on the network's input")
    return x


def _together(call: Call, parts: Sequence[object], *, linear: bool = False) -> Operation | None:
    """Return the operation on boxes of inputs that all have the output's spatial axes."""
    first = parts[0]
    if not isinstance(first, TracedInput):
        return None
    for part in parts:
        if not isinstance(part, TracedInput) or part.axes != first.axes:
            return None
        if part.sizes != sizes(call.base, part.axes):
            return None
    return call.pointwise(first, linear=linear)
