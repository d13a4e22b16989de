"""Max-pooling of a base with changes."""

import numpy as np
import torch

from preddiff.engines.incremental.execute.kernels.bfloat16 import narrow, widen
from preddiff.engines.incremental.execute.kernels.memory import FlatTensor
from preddiff.engines.incremental.execute.layout import CHANNELS_LAST
from preddiff.method.compiled import compiled
from preddiff.types import Integers


def pool(
    out: torch.Tensor,
    change: torch.Tensor,
    before: FlatTensor,
    after: FlatTensor,
    starts: tuple[Integers, Integers],
    sliding: tuple[tuple[int, ...], ...],
) -> None:
    """Write the change of a max-pooling, max(b + d) - max(b).

    The maximum is taken in float32, over base plus change where there is one and over the base
    around it; only the difference is rounded as changes are.

    Parameters
    ----------
    out, change : (n, channel, *spatial), of the output and of the input.
    before, after : (1, channel, *spatial), the pooling's input and output on the unperturbed input.
    starts : where `change` begins in `before`, and `out` in `after`, (window, 3).
    sliding : kernels, strides, paddings before and dilations along z, y, x.
    """
    change = change.contiguous(memory_format=CHANNELS_LAST[change.ndim])
    to, own = FlatTensor.of(out), FlatTensor.of(change)
    kernel, stride, padding, dilation = sliding
    _pool(
        to.values, to.steps, to.sizes, own.values, own.steps, own.sizes, starts[0],
        before.values, before.steps, before.sizes, after.values, after.steps, starts[1],
        kernel, stride, padding, dilation,
        out.shape[0], out.shape[0] // len(starts[0]), out.shape[1],
    )  # fmt: skip


@compiled
def _fill(top, count, value):  # type: ignore[no-untyped-def]
    for i in range(count):
        top[i] = value


@compiled
def _maximum(top, t, values, p, count):  # type: ignore[no-untyped-def]
    for i in range(count):
        top[t + i] = max(top[t + i], values[p + i])


@compiled
def _maximum_of_sum(top, t, base, p, change, q, count):  # type: ignore[no-untyped-def]
    for i in range(count):
        top[t + i] = max(top[t + i], base[p + i] + widen(change[q + i]))


@compiled
def _store_change(to, o, top, after, q, count):  # type: ignore[no-untyped-def]
    for i in range(count):
        to[o + i] = narrow(top[i] - after[q + i], to[0])


@compiled
def _store_change_of_three(to, o, values, p, step, after, q, count):  # type: ignore[no-untyped-def]
    for i in range(count):
        top = max(max(values[p + i], values[p + step + i]), values[p + step + step + i])
        to[o + i] = narrow(top - after[q + i], to[0])


@compiled
def _pool(  # type: ignore[no-untyped-def]
    to, to_steps, sizes, d, d_steps, d_sizes, d_at,
    base, steps, base_sizes, after, after_steps, at,
    kernel, stride, padding, dilation,
    rows, draws, channels,
):  # fmt: skip
    # One axis after the other: first the maxima of a column of inputs (over z and y), then those of
    # neighbouring columns (over x). A kernel of 3×3 takes 3 + 3 comparisons instead of 9.
    widest = (sizes[2] - 1) * stride[2] + (kernel[2] - 1) * dilation[2] + 1
    columns = np.empty(widest * channels, dtype=np.float32)
    top = np.empty(channels, dtype=np.float32)
    lowest, zero, many = np.float32(-np.inf), np.uint64(0), np.uint64(channels)
    for n in range(rows):
        w = n // draws
        reach = at[w, 2] * stride[2] - padding[2]
        left, right = max(reach, 0), min(reach + widest, base_sizes[2])
        # Columns left, ..., right - 1 are inside of the input; from_x, ..., to_x - 1 have changes.
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
                            _maximum(columns, zero, base, p, width)
                            continue
                        first = np.uint64((from_x - left) * channels)
                        last = np.uint64((to_x - left) * channels)
                        q = n * d_steps[0] + dz * d_steps[1] + dy * d_steps[2]
                        q = np.uint64(q + (from_x - d_at[w, 2]) * channels)
                        _maximum(columns, zero, base, p, first)
                        _maximum_of_sum(columns, first, base, p + first, d, q, last - first)
                        _maximum(columns, last, base, p + last, width - last)
                for x in range(sizes[2]):
                    o = n * to_steps[0] + z * to_steps[1] + y * to_steps[2] + x * to_steps[3]
                    q = (at[w, 0] + z) * after_steps[1] + (at[w, 1] + y) * after_steps[2]
                    q += (at[w, 2] + x) * after_steps[3]
                    o, q = np.uint64(o), np.uint64(q)
                    begin = reach + x * stride[2] - left
                    # Kernels of three (GoogLeNet, ResNet) inside of the input: no loop over kx.
                    if kernel[2] == 3 and begin >= 0 and begin + 2 * dilation[2] < right - left:
                        p, step = np.uint64(begin * channels), np.uint64(dilation[2] * channels)
                        _store_change_of_three(to, o, columns, p, step, after, q, many)
                        continue
                    _fill(top, many, lowest)
                    for kx in range(kernel[2]):
                        ix = begin + kx * dilation[2]
                        if 0 <= ix < right - left:
                            _maximum(top, zero, columns, np.uint64(ix * channels), many)
                    _store_change(to, o, top, after, q, many)
