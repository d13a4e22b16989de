"""Poolings: of maxima, which work on values, and of means, which are linear and work on changes."""

import math
from collections.abc import Sequence
from functools import cached_property

import torch
from torch.nn import functional as F

from preddiff.engines.incremental.execute import reach
from preddiff.engines.incremental.execute.boxes import Box, Placement, Start, gather
from preddiff.engines.incremental.execute.convolution import inputs_seen
from preddiff.engines.incremental.execute.kernels import max_pool, memory
from preddiff.engines.incremental.execute.kernels.memory import FlatTensor
from preddiff.engines.incremental.execute.layout import channels_last, empty_boxes
from preddiff.engines.incremental.execute.operation import Native
from preddiff.engines.incremental.execute.reach import Interval, Sliding

_AVERAGES: dict[int, Native] = {3: F.avg_pool1d, 4: F.avg_pool2d, 5: F.avg_pool3d}


class MaxPool:
    """Max-pooling. An output needs all that it sees: changed values, and the base around them."""

    def __init__(
        self,
        base: torch.Tensor,
        source: torch.Tensor,
        sliding: Sequence[Sliding],
        dtype: torch.dtype,
    ) -> None:
        self.base = base
        self.axes = tuple(range(2, base.ndim))
        self.sliding = tuple(sliding)
        self.dtype = dtype
        self._source = channels_last(source, self.axes)

    def reach(self, axis: int, inputs: list[Interval]) -> Interval:
        """Return the outputs that see a change."""
        return self.sliding[axis].reach(inputs[0])

    @cached_property
    def _flats(self) -> tuple[FlatTensor, FlatTensor]:
        return FlatTensor.of(self._source), FlatTensor.of(self.base)

    @cached_property
    def _zyx(self) -> tuple[tuple[int, ...], ...]:
        """Kernels, strides, paddings and dilations, each along z, y and x."""
        sides = [Sliding(1)] * (3 - len(self.sliding)) + list(self.sliding)
        return tuple(zip(*sides, strict=True))

    def run(self, placement: Placement, boxes: list[Box]) -> Box:
        """Return the pooling's changes (compiled) or its values (in torch)."""
        box = boxes[0]
        if memory.supports(box.change, self._source):
            out = empty_boxes(self.base, len(box.change), self.axes, placement.lengths, self.dtype)
            starts = box.placement.starts_zyx, placement.starts_zyx
            max_pool.pool(out, box.change, *self._flats, starts, self._zyx)
            return Box(self.base, self.axes, placement, change=out)
        starts_seen, lengths = inputs_seen(self.sliding, placement)
        before, table = _with_margin(self._source, self.base, self.sliding, -math.inf)
        values = box.value_over(starts_seen, lengths, table, before)
        for axis, side, length in zip(self.axes, self.sliding, placement.lengths, strict=True):
            values = _maximum_along(axis, values, side, length)
        return Box(self.base, self.axes, placement, value=values)


def _maximum_along(axis: int, values: torch.Tensor, side: Sliding, outputs: int) -> torch.Tensor:
    """Return the maxima along one axis; torch's own pooling also finds where each maximum is."""
    first, *others = (
        _along(axis, slice(begin, begin + (outputs - 1) * side.stride + 1, side.stride))
        for begin in range(0, side.extent, side.dilation)
    )
    if not others:
        return values[first]
    result = torch.maximum(values[first], values[others[0]])
    for other in others[1:]:
        torch.maximum(result, values[other], out=result)
    return result


def _along(axis: int, part: slice) -> tuple[slice, ...]:
    return (slice(None),) * axis + (part,)


class AveragePool:
    """Mean over a sliding kernel.

    Parameters
    ----------
    share : (1, ...), factors that correct the plain mean over the kernel where the node takes the
        mean over fewer values (at edges, without the padding) or divides by another number.
    """

    def __init__(self, base: torch.Tensor, sliding: Sequence[Sliding], share: torch.Tensor) -> None:
        self.base = base
        self.axes = tuple(range(2, base.ndim))
        self.sliding = tuple(sliding)
        self.share = share
        self._pool = _AVERAGES[base.ndim]

    def reach(self, axis: int, inputs: list[Interval]) -> Interval:
        """Return the outputs that see a change."""
        return self.sliding[axis].reach(inputs[0])

    def run(self, placement: Placement, boxes: list[Box]) -> Box:
        """Return the means of the changes."""
        starts, lengths = inputs_seen(self.sliding, placement)
        pooled = _mean(boxes[0].change_over(starts, lengths), self._pool, self.sliding)
        share = gather(self.share, self.axes, placement.starts, placement.lengths)
        result = Box(self.base, self.axes, placement, change=pooled)
        change = result.over(pooled, share, torch.mul)
        return Box(self.base, self.axes, placement, change=change)


def padded_mean(
    values: torch.Tensor, base: torch.Tensor, sliding: Sequence[Sliding]
) -> torch.Tensor:
    """Return sums over the kernel, zeros outside, divided by its size.

    It is what `AveragePool` makes of changes, and what its `share` is relative to.
    """
    _, table = _with_margin(values, base, sliding, 0.0)
    return _mean(table, _AVERAGES[base.ndim], sliding)


def _mean(values: torch.Tensor, pool: Native, sliding: Sequence[Sliding]) -> torch.Tensor:
    kernel = tuple(side.kernel for side in sliding)
    result: torch.Tensor = pool(values, kernel, tuple(side.stride for side in sliding))
    return result


def _with_margin(
    source: torch.Tensor, base: torch.Tensor, sliding: Sequence[Sliding], fill: float
) -> tuple[Start, torch.Tensor]:
    """Return the width of the margin at the lower ends, and a pooling's input with the margin.

    The margin is all that outputs see outside of the input: the padding, and what a `ceil_mode`
    lets the last outputs see.
    """
    before, pads = [], []
    for side, size, outputs in zip(sliding, source.shape[2:], base.shape[2:], strict=True):
        before.append(side.padding)
        pads.append((side.padding, max(0, side.seen(outputs) - side.padding - size)))
    flat = [n for pair in reversed(pads) for n in pair]  # torch wants the last axis first
    axes = tuple(range(2, source.ndim))
    return tuple(before), channels_last(F.pad(source, flat, value=fill), axes)


class GlobalMean:
    """Mean over all spatial axes: the sum of the changes, over the size of the whole map."""

    def __init__(
        self, base: torch.Tensor, axes: tuple[int, ...], source: torch.Tensor, over: tuple[int, ...]
    ) -> None:
        self.base = base
        self.axes = axes
        self._over = over
        self._size = math.prod(source.shape[axis] for axis in over)

    def reach(self, axis: int, inputs: list[Interval]) -> Interval:  # noqa: ARG002
        """Return the only output along an axis that is kept."""
        return reach.everything(inputs[0], 1)

    def run(self, placement: Placement, boxes: list[Box]) -> Box:
        """Return the mean of the changes, in float32 at least."""
        change = boxes[0].change
        # Thousands of small numbers are added up: 8 bits would lose most of the later ones.
        exact = torch.promote_types(change.dtype, torch.float32)
        change = change.sum(self._over, keepdim=bool(self.axes), dtype=exact) / self._size
        return Box(self.base, self.axes, placement, change=change)
