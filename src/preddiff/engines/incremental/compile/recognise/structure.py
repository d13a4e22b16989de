"""Operations that only move values: splitting, indexing, reordering, reshaping, padding."""

from collections.abc import Sequence

import torch

from preddiff.engines.incremental.compile.recognise.call import Call, TracedInput, TracedParts
from preddiff.engines.incremental.execute.operation import Operation
from preddiff.engines.incremental.execute.pointwise import Padding, Pointwise


def split(call: Call, x: TracedInput, _size: object, dim: int = 0) -> TracedParts | None:
    """Recognise a split; it is no operation, but says where the parts begin, for `getitem`."""
    along = dim % x.base.ndim
    parts = call.result
    if along in {0, *x.axes} or not isinstance(parts, list | tuple):
        return None
    lengths = [part.shape[along] for part in parts if isinstance(part, torch.Tensor)]
    return TracedParts(x.axes, along, tuple(sum(lengths[:n]) for n in range(len(lengths))))


def getitem(call: Call, x: TracedInput | TracedParts, index: object) -> Operation | None:
    """Recognise a part of a split, or an index that leaves the spatial axes whole."""
    if isinstance(x, TracedParts):
        return _part(call, x, index) if isinstance(index, int) else None
    axes, axis, result = [], 0, 0  # axes of the result; axis of x, and of the result, by now
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


def _part(call: Call, parts: TracedParts, number: int) -> Operation:
    """Return one part of a split, cut directly out of the tensor that was split."""
    along, begin, length = parts.along, parts.begins[number], call.base.shape[parts.along]

    def cut(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.narrow(along, begin, length)

    return Pointwise(call.base, parts.axes, cut, linear=True)


def unsqueeze(call: Call, x: TracedInput, dim: int) -> Operation | None:
    """Recognise a new axis, anywhere but in front of the draws."""
    new = dim % call.base.ndim
    axes = tuple(axis + (axis >= new) for axis in x.axes)
    return Pointwise(call.base, axes, call.native, linear=True) if new else None


def permute(call: Call, x: TracedInput, *dims: int | Sequence[int]) -> Operation | None:
    """Recognise another order of the axes that leaves the draws in front."""
    first = dims[0]
    given = first if isinstance(first, Sequence) else [d for d in dims if isinstance(d, int)]
    order = [d % x.base.ndim for d in given]
    if order[0] != 0:
        return None
    axes = tuple(order.index(axis) for axis in x.axes)
    return Pointwise(call.base, axes, call.native, linear=True)


def transpose(call: Call, x: TracedInput, dim0: int, dim1: int) -> Operation | None:
    """Recognise the exchange of two axes."""
    order = list(range(x.base.ndim))
    order[dim0], order[dim1] = order[dim1], order[dim0]
    return permute(call, x, order)


def reshape(call: Call, x: TracedInput, *_shape: object) -> Operation | None:
    """Recognise channels that are regrouped before the spatial axes, which stay as they are."""
    if not x.axes:
        return None
    first = x.axes[0]
    spatial = tuple(x.base.shape[first:])
    moved = call.base.ndim - len(spatial)
    if moved < 1 or tuple(call.base.shape[moved:]) != spatial or call.base.shape[0] != 1:
        return None
    front = tuple(call.base.shape[1:moved])

    def regroup(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.reshape(-1, *front, *tensor.shape[first:])

    axes = tuple(axis - first + moved for axis in x.axes)
    return Pointwise(call.base, axes, regroup, linear=True)


def pad(
    call: Call,
    x: TracedInput,
    pad: Sequence[int],
    mode: str = "constant",
    value: float | None = None,
) -> Operation | None:
    """Recognise constant padding along spatial axes."""
    del value  # is in the base
    count = x.base.ndim
    before = [0] * count
    for number in range(len(pad) // 2):  # pairs (before, after), the last axis first
        before[count - 1 - number] = pad[2 * number]
    padded = {a for a in range(count) if call.base.shape[a] != x.base.shape[a] or before[a]}
    if mode != "constant" or not padded <= set(x.axes):
        return None
    return Padding(call.base, x.axes, [before[axis] for axis in x.axes])
