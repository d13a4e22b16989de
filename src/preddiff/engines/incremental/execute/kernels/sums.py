"""Sums of changes, clamped over the base or not."""

from collections.abc import Sequence

import numpy as np
import torch

from preddiff.engines.incremental.execute.kernels.bfloat16 import narrow, widen
from preddiff.engines.incremental.execute.kernels.memory import NOTHING, FlatTensor
from preddiff.method.compiled import compiled
from preddiff.types import Integers


def add_up(
    out: torch.Tensor,
    parts: Sequence[tuple[torch.Tensor, Integers]],
    clamped: tuple[FlatTensor, Integers, float, float] | None,
) -> None:
    """Write a sum of one or two changes, and what a clamp makes of it.

    With b the base, a clamp's change is clamp(b + sum) - clamp(b).

    Parameters
    ----------
    out : (n, channel, *spatial), may be some of the channels of a tensor.
    parts : changes (n, channel, *spatial), 0 beyond their edges, and where each begins in `out`
        along z, y, x: (window, 3), negative if before it.
    clamped : base (1, channel, *spatial), where `out` begins in it (window, 3), lowest and
        highest value; None where the sum itself is wanted.
    """
    (a, a_at), (b, b_at) = parts[0], parts[-1]
    base, at, low, high = clamped or (NOTHING, a_at, 0.0, 0.0)
    to, first = FlatTensor.of(out), FlatTensor.of(a)
    other = FlatTensor.of(b) if len(parts) > 1 else first
    _add_up(
        to.values, to.steps, to.sizes,
        first.values, first.steps, first.sizes, a_at,
        other.values, other.steps, other.sizes if len(parts) > 1 else NOTHING.sizes, b_at,
        base.values, base.steps, at, clamped is not None, np.float32(low), np.float32(high),
        out.shape[0], out.shape[0] // len(a_at), out.shape[1],
    )  # fmt: skip


@compiled
def _one_change(to, o, a, p, base, q, count, clamped, low, high):  # type: ignore[no-untyped-def]
    if clamped:
        for i in range(count):
            b = widen(base[q + i])
            value = min(max(widen(a[p + i]) + b, low), high) - min(max(b, low), high)
            to[o + i] = narrow(value, to[0])
    else:
        for i in range(count):
            to[o + i] = narrow(widen(a[p + i]), to[0])


@compiled
def _two_changes(to, o, a, p, other, r, base, q, count, clamped, low, high):  # type: ignore[no-untyped-def]
    if clamped:
        for i in range(count):
            b = widen(base[q + i])
            value = widen(a[p + i]) + widen(other[r + i])
            value = min(max(value + b, low), high) - min(max(b, low), high)
            to[o + i] = narrow(value, to[0])
    else:
        for i in range(count):
            to[o + i] = narrow(widen(a[p + i]) + widen(other[r + i]), to[0])


@compiled
def _no_change(to, o, count):  # type: ignore[no-untyped-def]
    for i in range(count):
        to[o + i] = 0


@compiled
def _add_up(  # type: ignore[no-untyped-def]
    to, to_steps, sizes,
    a, a_steps, a_sizes, a_at,
    b, b_steps, b_sizes, b_at,
    base, steps, at, clamped, low, high,
    rows, draws, channels,
):  # fmt: skip
    # Where neighbours along x follow each other in memory everywhere, a run of them is one loop:
    # layers with the largest boxes have few channels (64, say), and starting a loop costs time.
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
                        # As far as the same changes are present: to the next edge of either box.
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
                        _two_changes(to, o, a, p, b, r, base, q, count, clamped, low, high)
                    elif has_a:
                        _one_change(to, o, a, p, base, q, count, clamped, low, high)
                    elif has_b:
                        _one_change(to, o, b, r, base, q, count, clamped, low, high)
                    else:
                        _no_change(to, o, count)
                    x = end
