"""Loops over boxes, compiled by numba: each reads and writes memory once, which is what it costs.

They work on channels-last memory on a processor, in float32 or bfloat16 (as the upper halves of
float32 numbers), and compute in float32. `combination.py` and `operations.py` say in torch what
they do. Lengths, offsets and strides come for three spatial axes (z, y, x) always; letters: n row
(a draw), w window, c channel.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numba import njit, types
from numba.extending import overload
from numpy.typing import NDArray

_KINDS = (torch.float32, torch.bfloat16)
_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}
_NOTHING = np.empty(0, dtype=np.float32)

Offsets = NDArray[np.int64]


def can(*tensors: torch.Tensor) -> bool:
    """Whether tensors (n, channel, *spatial) are of the kind that the loops work on."""
    return all(t.ndim in _LAST and t.device.type == "cpu" and t.dtype in _KINDS for t in tensors)


def add_up(
    out: torch.Tensor,
    parts: Sequence[tuple[torch.Tensor, Offsets]],
    clamped: tuple[torch.Tensor, Offsets, float, float] | None,
) -> None:
    """Write a sum of one or two changes, and what a clamp makes of it.

    With b the base, a clamp's change is clamp(b + sum) - clamp(b).

    Parameters
    ----------
    out : (n, channel, *spatial), may be some of the channels of a tensor.
    parts : changes (n, channel, *spatial), 0 beyond their edges, and where each begins in `out`
        (window, axis).
    clamped : base (1, channel, *spatial), where `out` begins in it (window, axis), lowest and
        highest value; None where the sum itself is wanted.
    """
    (a, a_at), (b, b_at) = parts[0], parts[-1]
    to, to_steps, sizes = _flat(out)
    first, first_steps, first_sizes = _flat(a)
    other, other_steps, other_sizes = _flat(b)
    if len(parts) == 1:
        other_sizes = (0, 0, 0)
    base, steps, at, low, high = _NOTHING, [0, 0, 0], a_at, 0.0, 0.0
    if clamped is not None:
        under, at, low, high = clamped
        base, (_, *steps), _ = _flat(under)
    _add_up(
        to, to_steps, sizes,
        first, first_steps, first_sizes, _three(a_at),
        other, other_steps, other_sizes, _three(b_at),
        base, tuple(steps), _three(at), clamped is not None, np.float32(low), np.float32(high),
        len(out), len(out) // len(a_at), out.shape[1],
    )  # fmt: skip


def pool(
    out: torch.Tensor,
    change: torch.Tensor,
    before: torch.Tensor,
    after: torch.Tensor,
    places: tuple[Offsets, Offsets],
    sliding: Sequence[tuple[int, int, int, int]],
) -> None:
    """Write the change of a max-pooling.

    Parameters
    ----------
    out, change : (n, channel, *spatial), of the output and of the input.
    before, after : (1, channel, *spatial), the pooling's input and output on the unperturbed input.
    places : where `change` begins in `before`, and `out` in `after`, (window, axis).
    sliding : kernel, stride, padding before, dilation of each spatial axis.
    """
    change = change.contiguous(memory_format=_LAST[change.ndim])
    to, to_steps, sizes = _flat(out)
    own, own_steps, own_sizes = _flat(change)
    source, source_steps, source_sizes = _flat(before)
    top, top_steps, _ = _flat(after)
    rows = ((1, 1, 0, 1),) * (3 - len(sliding)) + tuple(sliding)
    kernel, stride, padding, dilation = zip(*rows, strict=True)
    _pool(
        to, to_steps, sizes, own, own_steps, own_sizes, _three(places[0]),
        source, source_steps[1:], source_sizes, top, top_steps[1:], _three(places[1]),
        kernel, stride, padding, dilation,
        len(out), len(out) // len(places[0]), out.shape[1],
    )  # fmt: skip


def _flat(tensor: torch.Tensor) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
    """A tensor as one row of memory, with its steps along (n, z, y, x) and its sizes (z, y, x)."""
    if tensor.shape[1] > 1 and tensor.stride(1) != 1:
        tensor = tensor.contiguous(memory_format=_LAST[tensor.ndim])
    strides, sizes = tensor.stride(), tensor.shape
    reach = 1 + sum((n - 1) * step for n, step in zip(sizes, strides, strict=True))
    flat = tensor.as_strided((reach,), (1,))
    values = (flat.view(torch.uint16) if flat.dtype == torch.bfloat16 else flat).numpy()
    if tensor.ndim == 4:
        return values, (strides[0], 0, *strides[2:]), (1, *sizes[2:])
    return values, (strides[0], *strides[2:]), tuple(sizes[2:])


def _three(offsets: Offsets) -> Offsets:
    """(window, axis) for three axes."""
    if offsets.shape[1] == 3:
        return offsets
    return np.concatenate([np.zeros((len(offsets), 1), dtype=np.int64), offsets], axis=1)


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
    joined = joined and (not clamped or steps[2] == channels)
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
                    q = (at[w, 0] + z) * steps[0] + (at[w, 1] + y) * steps[1]
                    q += (at[w, 2] + x) * steps[2]
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
                        p = np.uint64(iz * steps[0] + iy * steps[1] + left * channels)
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
                    q = (at[w, 0] + z) * after_steps[0] + (at[w, 1] + y) * after_steps[1]
                    q += (at[w, 2] + x) * after_steps[2]
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
