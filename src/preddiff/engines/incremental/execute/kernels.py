"""Loops over boxes, compiled by numba: each reads and writes memory once, which is what it costs.

They work on channels-last memory on a processor, in float32 or bfloat16 (as the upper halves of
float32 numbers), and compute in float32. `combination.py` and `operations.py` say in torch what
they do. Lengths, offsets and strides come for three spatial axes (z, y, x) always; letters: n row
(a draw), w window, c channel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numba import njit, types
from numba.extending import overload
from numpy.typing import NDArray

_KINDS = (torch.float32, torch.bfloat16)
_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}

Offsets = NDArray[np.int64]


def can(*tensors: torch.Tensor) -> bool:
    """Whether tensors (n, channel, *spatial) are of the kind that the loops work on."""
    return all(t.ndim in _LAST and t.device.type == "cpu" and t.dtype in _KINDS for t in tensors)


@dataclass(frozen=True, eq=False)
class Flat:
    """A tensor (n, channel, *spatial) as one row of memory.

    Attributes
    ----------
    values : as numpy's float32, or bfloat16's bits.
    steps : from one n, z, y, x to the next.
    sizes : along z, y, x.
    """

    values: NDArray[Any]
    steps: tuple[int, ...]
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, tensor: torch.Tensor) -> "Flat":
        if tensor.shape[1] > 1 and tensor.stride(1) != 1:
            tensor = tensor.contiguous(memory_format=_LAST[tensor.ndim])
        strides, sizes = tensor.stride(), tensor.shape
        reach = 1
        for n, step in zip(sizes, strides, strict=True):
            reach += (n - 1) * step
        flat = tensor.as_strided((reach,), (1,))
        values = (flat.view(torch.uint16) if flat.dtype == torch.bfloat16 else flat).numpy()
        if len(sizes) == 4:
            return cls(values, (strides[0], 0, strides[2], strides[3]), (1, sizes[2], sizes[3]))
        return cls(values, (strides[0], *strides[2:]), tuple(sizes[2:]))


_NOTHING = Flat(np.empty(0, dtype=np.float32), (0, 0, 0, 0), (0, 0, 0))


def add_up(
    out: torch.Tensor,
    parts: Sequence[tuple[torch.Tensor, Offsets]],
    clamped: tuple[Flat, Offsets, float, float] | None,
) -> None:
    """Write a sum of one or two changes, and what a clamp makes of it.

    With b the base, a clamp's change is clamp(b + sum) - clamp(b).

    Parameters
    ----------
    out : (n, channel, *spatial), may be some of the channels of a tensor.
    parts : changes (n, channel, *spatial), 0 beyond their edges, and where each begins in `out`
        (window, 3).
    clamped : base (1, channel, *spatial), where `out` begins in it (window, 3), lowest and
        highest value; None where the sum itself is wanted.
    """
    (a, a_at), (b, b_at) = parts[0], parts[-1]
    base, at, low, high = clamped or (_NOTHING, a_at, 0.0, 0.0)
    to, first = Flat.of(out), Flat.of(a)
    other = Flat.of(b) if len(parts) > 1 else first
    _add_up(
        to.values, to.steps, to.sizes,
        first.values, first.steps, first.sizes, a_at,
        other.values, other.steps, other.sizes if len(parts) > 1 else _NOTHING.sizes, b_at,
        base.values, base.steps, at, clamped is not None, np.float32(low), np.float32(high),
        out.shape[0], out.shape[0] // len(a_at), out.shape[1],
    )  # fmt: skip


def pool(
    out: torch.Tensor,
    change: torch.Tensor,
    before: Flat,
    after: Flat,
    places: tuple[Offsets, Offsets],
    sliding: tuple[tuple[int, ...], ...],
) -> None:
    """Write the change of a max-pooling.

    Parameters
    ----------
    out, change : (n, channel, *spatial), of the output and of the input.
    before, after : (1, channel, *spatial), the pooling's input and output on the unperturbed input.
    places : where `change` begins in `before`, and `out` in `after`, (window, 3).
    sliding : kernels, strides, paddings before and dilations along z, y, x.
    """
    change = change.contiguous(memory_format=_LAST[change.ndim])
    to, own = Flat.of(out), Flat.of(change)
    kernel, stride, padding, dilation = sliding
    _pool(
        to.values, to.steps, to.sizes, own.values, own.steps, own.sizes, places[0],
        before.values, before.steps, before.sizes, after.values, after.steps, places[1],
        kernel, stride, padding, dilation,
        out.shape[0], out.shape[0] // len(places[0]), out.shape[1],
    )  # fmt: skip


def respond(x: torch.Tensor, size: int, alpha: float, beta: float, k: float) -> torch.Tensor:
    """Local response normalisation (Krizhevsky et al. 2012, section 3.3) of float32 values."""
    x = x.contiguous(memory_format=_LAST[x.ndim])
    out = torch.empty_like(x)
    share = np.float32(alpha / size)
    before = size // 2
    _respond(
        Flat.of(out).values, Flat.of(x).values, x.numel() // x.shape[1], x.shape[1],
        before, size - before, share, np.float32(beta), np.float32(k),
    )  # fmt: skip
    return out


def _wide(value: Any) -> Any:
    """A stored number as float32."""
    raise NotImplementedError(value)


def _stored(value: Any, like: Any) -> Any:
    """A float32 number as it is stored, rounded to the nearest even."""
    raise NotImplementedError(value, like)


@overload(_wide)
def _wide_of(value):  # type: ignore[no-untyped-def]
    if value == types.uint16:
        return lambda value: np.uint32(np.uint32(value) << np.uint32(16)).view(np.float32)
    return lambda value: value


@overload(_stored)
def _stored_of(value, like):  # type: ignore[no-untyped-def]  # noqa: ARG001
    if like != types.uint16:
        return lambda value, like: value  # noqa: ARG005

    def rounded(value, like):  # type: ignore[no-untyped-def]  # noqa: ARG001
        bits = np.float32(value).view(np.uint32)
        odd = np.uint32(np.uint32(bits >> np.uint32(16)) & np.uint32(1))
        up = np.uint32(np.uint32(0x7FFF) + odd)
        return np.uint16(np.uint32(bits + up) >> np.uint32(16))

    return rounded


# Places in memory are unsigned: of signed ones numba asks whether they count from the end, which
# keeps loops from being done many numbers at a time. Whole arrays and places are handed on, as
# slices cost more than short loops.


@njit(nogil=True, cache=True)
def _one(to, o, a, p, base, q, count, clamped, low, high):  # type: ignore[no-untyped-def]
    if clamped:
        for i in range(count):
            b = _wide(base[q + i])
            value = min(max(_wide(a[p + i]) + b, low), high) - min(max(b, low), high)
            to[o + i] = _stored(value, to[0])
    else:
        for i in range(count):
            to[o + i] = _stored(_wide(a[p + i]), to[0])


@njit(nogil=True, cache=True)
def _two(to, o, a, p, other, r, base, q, count, clamped, low, high):  # type: ignore[no-untyped-def]
    if clamped:
        for i in range(count):
            b = _wide(base[q + i])
            value = _wide(a[p + i]) + _wide(other[r + i])
            value = min(max(value + b, low), high) - min(max(b, low), high)
            to[o + i] = _stored(value, to[0])
    else:
        for i in range(count):
            to[o + i] = _stored(_wide(a[p + i]) + _wide(other[r + i]), to[0])


@njit(nogil=True, cache=True)
def _none(to, o, count):  # type: ignore[no-untyped-def]
    for i in range(count):
        to[o + i] = 0


@njit(nogil=True, cache=True)
def _add_up(  # type: ignore[no-untyped-def]
    to, to_steps, sizes,
    a, a_steps, a_sizes, a_at,
    b, b_steps, b_sizes, b_at,
    base, steps, at, clamped, low, high,
    rows, draws, channels,
):  # fmt: skip
    # Where neighbours along x follow each other in memory everywhere, a run of them is one loop.
    joined = to_steps[3] == channels and a_steps[3] == channels
    joined = joined and (b_sizes[2] == 0 or b_steps[3] == channels)
    joined = joined and (not clamped or steps[3] == channels)
    for n in range(rows):
        w = n // draws
        for z in range(sizes[0]):
            for y in range(sizes[1]):
                az, ay, bz, by = z - a_at[w, 0], y - a_at[w, 1], z - b_at[w, 0], y - b_at[w, 1]
                in_a = 0 <= az < a_sizes[0] and 0 <= ay < a_sizes[1]
                in_b = 0 <= bz < b_sizes[0] and 0 <= by < b_sizes[1]
                x = 0
                while x < sizes[2]:
                    ax, bx = x - a_at[w, 2], x - b_at[w, 2]
                    has_a = in_a and 0 <= ax < a_sizes[2]
                    has_b = in_b and 0 <= bx < b_sizes[2]
                    end = x + 1
                    if joined:
                        end = sizes[2]
                        for edge in (-ax, a_sizes[2] - ax, -bx, b_sizes[2] - bx):
                            if edge > 0:
                                end = min(end, x + edge)
                    count = np.uint64((end - x) * channels)
                    o = n * to_steps[0] + z * to_steps[1] + y * to_steps[2] + x * to_steps[3]
                    p = n * a_steps[0] + az * a_steps[1] + ay * a_steps[2] + ax * a_steps[3]
                    r = n * b_steps[0] + bz * b_steps[1] + by * b_steps[2] + bx * b_steps[3]
                    q = (at[w, 0] + z) * steps[1] + (at[w, 1] + y) * steps[2]
                    q += (at[w, 2] + x) * steps[3]
                    o, p, q, r = np.uint64(o), np.uint64(p), np.uint64(q), np.uint64(r)
                    if has_a and has_b:
                        _two(to, o, a, p, b, r, base, q, count, clamped, low, high)
                    elif has_a:
                        _one(to, o, a, p, base, q, count, clamped, low, high)
                    elif has_b:
                        _one(to, o, b, r, base, q, count, clamped, low, high)
                    else:
                        _none(to, o, count)
                    x = end


@njit(nogil=True, cache=True)
def _fill(top, count, value):  # type: ignore[no-untyped-def]
    for i in range(count):
        top[i] = value


@njit(nogil=True, cache=True)
def _raise(top, t, values, p, count):  # type: ignore[no-untyped-def]
    for i in range(count):
        top[t + i] = max(top[t + i], values[p + i])


@njit(nogil=True, cache=True)
def _raise_to_sum(top, t, base, p, change, q, count):  # type: ignore[no-untyped-def]
    for i in range(count):
        top[t + i] = max(top[t + i], base[p + i] + _wide(change[q + i]))


@njit(nogil=True, cache=True)
def _less(to, o, top, after, q, count):  # type: ignore[no-untyped-def]
    for i in range(count):
        to[o + i] = _stored(top[i] - after[q + i], to[0])


@njit(nogil=True, cache=True)
def _highest_of_three(to, o, values, p, step, after, q, count):  # type: ignore[no-untyped-def]
    for i in range(count):
        top = max(max(values[p + i], values[p + step + i]), values[p + step + step + i])
        to[o + i] = _stored(top - after[q + i], to[0])


@njit(nogil=True, cache=True)
def _pool(  # type: ignore[no-untyped-def]
    to, to_steps, sizes, d, d_steps, d_sizes, d_at,
    base, steps, base_sizes, after, after_steps, at,
    kernel, stride, padding, dilation,
    rows, draws, channels,
):  # fmt: skip
    # One axis after the other: first the largest of each column of inputs, then of its neighbours.
    widest = (sizes[2] - 1) * stride[2] + (kernel[2] - 1) * dilation[2] + 1
    columns = np.empty(widest * channels, dtype=np.float32)
    top = np.empty(channels, dtype=np.float32)
    lowest, zero, many = np.float32(-np.inf), np.uint64(0), np.uint64(channels)
    for n in range(rows):
        w = n // draws
        reach = at[w, 2] * stride[2] - padding[2]
        left, right = max(reach, 0), min(reach + widest, base_sizes[2])
        from_x = min(max(d_at[w, 2], left), right)
        to_x = max(min(d_at[w, 2] + d_sizes[2], right), from_x)
        for z in range(sizes[0]):
            for y in range(sizes[1]):
                width = np.uint64((right - left) * channels)
                _fill(columns, width, lowest)
                for kz in range(kernel[0]):
                    iz = (at[w, 0] + z) * stride[0] - padding[0] + kz * dilation[0]
                    if iz < 0 or iz >= base_sizes[0]:
                        continue
                    for ky in range(kernel[1]):
                        iy = (at[w, 1] + y) * stride[1] - padding[1] + ky * dilation[1]
                        if iy < 0 or iy >= base_sizes[1]:
                            continue
                        p = np.uint64(iz * steps[1] + iy * steps[2] + left * channels)
                        dz, dy = iz - d_at[w, 0], iy - d_at[w, 1]
                        if dz < 0 or dz >= d_sizes[0] or dy < 0 or dy >= d_sizes[1]:
                            _raise(columns, zero, base, p, width)
                            continue
                        first = np.uint64((from_x - left) * channels)
                        last = np.uint64((to_x - left) * channels)
                        q = n * d_steps[0] + dz * d_steps[1] + dy * d_steps[2]
                        q = np.uint64(q + (from_x - d_at[w, 2]) * channels)
                        _raise(columns, zero, base, p, first)
                        _raise_to_sum(columns, first, base, p + first, d, q, last - first)
                        _raise(columns, last, base, p + last, width - last)
                for x in range(sizes[2]):
                    o = n * to_steps[0] + z * to_steps[1] + y * to_steps[2] + x * to_steps[3]
                    q = (at[w, 0] + z) * after_steps[1] + (at[w, 1] + y) * after_steps[2]
                    q += (at[w, 2] + x) * after_steps[3]
                    o, q = np.uint64(o), np.uint64(q)
                    begin = reach + x * stride[2] - left
                    if kernel[2] == 3 and begin >= 0 and begin + 2 * dilation[2] < right - left:
                        p, step = np.uint64(begin * channels), np.uint64(dilation[2] * channels)
                        _highest_of_three(to, o, columns, p, step, after, q, many)
                        continue
                    _fill(top, many, lowest)
                    for kx in range(kernel[2]):
                        ix = begin + kx * dilation[2]
                        if 0 <= ix < right - left:
                            _raise(top, zero, columns, np.uint64(ix * channels), many)
                    _less(to, o, top, after, q, many)


@njit(nogil=True, cache=True)
def _respond(  # type: ignore[no-untyped-def]
    to, values, places, channels, before, behind, share, beta, k
):
    squares = np.empty(channels, dtype=np.float32)
    scale = np.empty(channels, dtype=np.float32)
    for place in range(places):
        p = np.uint64(place * channels)
        for c in range(np.uint64(channels)):
            squares[c] = share * values[p + c] * values[p + c]
        for c in range(channels):
            total = k
            for other in range(max(0, c - before), min(channels, c + behind)):
                total += squares[other]
            scale[c] = total
        if beta == np.float32(0.75):  # two roots are much faster than a power
            for c in range(np.uint64(channels)):
                scale[c] = np.float32(1) / np.sqrt(scale[c] * np.sqrt(scale[c]))
        else:
            for c in range(channels):
                scale[c] = scale[c] ** -beta
        for c in range(np.uint64(channels)):
            to[p + c] = values[p + c] * scale[c]
