"""Boxes added up, put beside each other along the channels, and clamped: all in one pass.

Each of these reads and writes whole boxes and computes next to nothing; memory is what they cost,
so a pass that does all of them costs a third of three passes. Everything is done on changes. What a
clamp (ReLU, ReLU6, hard tanh) makes of a change d over a base b is clamp(b + d) - clamp(b). Only
that difference is rounded to the changes' precision, so that it is right to a share of d, however
small d is beside b.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from preddiff.engines.incremental.execute import reach
from preddiff.engines.incremental.execute.boxes import Box, Placement, gather
from preddiff.engines.incremental.execute.kernels import memory, sums
from preddiff.engines.incremental.execute.kernels.memory import FlatTensor
from preddiff.engines.incremental.execute.layout import channels_last, empty_boxes
from preddiff.engines.incremental.execute.reach import Interval


@dataclass(frozen=True, eq=False)
class Clamp:
    """Lowest and highest value, and the base (1, channel, *spatial) of what is clamped."""

    base: torch.Tensor
    low: float
    high: float

    @cached_property
    def flat(self) -> FlatTensor:
        """The base, as compiled loops want it."""
        return FlatTensor.of(self.base)

    def narrow(self, begin: int, count: int) -> "Clamp":
        """Return the clamp of some of the channels."""
        base = self.base.narrow(1, begin, count)
        return Clamp(channels_last(base, tuple(range(2, base.ndim))), self.low, self.high)


@dataclass(frozen=True, eq=False)
class Piece:
    """Channels of a combination: a sum of inputs (by their numbers), clamped or not."""

    channels: int
    inputs: tuple[int, ...]
    clamp: Clamp | None = None


class Combination:
    """Pieces beside each other along the channels (axis 1); inputs may have boxes elsewhere.

    Parameters
    ----------
    dtype : of the changes that come out.
    """

    def __init__(
        self,
        base: torch.Tensor,
        axes: tuple[int, ...],
        pieces: Sequence[Piece],
        dtype: torch.dtype,
    ) -> None:
        self.base = base
        self.axes = axes
        self.pieces = list(pieces)
        self.dtype = dtype

    def reach(self, axis: int, inputs: list[Interval]) -> Interval:  # noqa: ARG002
        """Return the pixels at which any input changes."""
        return reach.union([reach.pointwise(each) for each in inputs])

    def run(self, placement: Placement, boxes: list[Box]) -> Box:
        """Return the combination's changes."""
        rows = len(boxes[0].change)
        out = empty_boxes(self.base, rows, self.axes, placement.lengths, self.dtype)
        begin = 0
        for piece in self.pieces:
            part = out if len(self.pieces) == 1 else out.narrow(1, begin, piece.channels)
            _fill(part, placement, [boxes[number] for number in piece.inputs], piece.clamp)
            begin += piece.channels
        return Box(self.base, self.axes, placement, change=out)


def _fill(out: torch.Tensor, placement: Placement, boxes: list[Box], clamp: Clamp | None) -> None:
    """Write a piece into its channels of the output."""
    changes = [box.change for box in boxes]
    usual = boxes[0].axes == tuple(range(2, out.ndim))
    if usual and len(changes) <= 2 and memory.supports(out, *changes):
        at = placement.starts_zyx
        parts = [
            (change, box.placement.starts_zyx - at)
            for change, box in zip(changes, boxes, strict=True)
        ]
        sums.add_up(out, parts, None if clamp is None else (clamp.flat, at, clamp.low, clamp.high))
        return
    total = boxes[0].change_over(placement.starts, placement.lengths)
    for box in boxes[1:]:
        total = total + box.change_over(placement.starts, placement.lengths)
    out.copy_(total if clamp is None else _clamped(total, placement, boxes[0], clamp))


def _clamped(change: torch.Tensor, placement: Placement, box: Box, clamp: Clamp) -> torch.Tensor:
    """Return clamp(b + d) - clamp(b)."""
    # b + d is never formed, as it would round d away where b is large. With c = clamp(b), subtract
    # c inside of the clamp instead:
    #
    #     clamp(b + d) - c = min(max(d + (b - c), low - c), high - c),
    #
    # and b - c is exactly 0 wherever b is within the limits.
    below = gather(clamp.base, box.axes, placement.starts, placement.lengths)
    inside = below.clamp(clamp.low, clamp.high)
    moved = box.over(change, below - inside, torch.add)
    return box.over(
        box.over(moved, clamp.low - inside, torch.maximum), clamp.high - inside, torch.minimum
    )


def clamped(
    base: torch.Tensor,
    axes: tuple[int, ...],
    source: torch.Tensor,
    limits: tuple[float, float],
    dtype: torch.dtype,
) -> Combination:
    """Return max(low, min(x, high)) of a node whose base is `source`."""
    clamp = Clamp(channels_last(source, axes).to(dtype), *limits)
    return Combination(base, axes, [Piece(base.shape[1], (0,), clamp)], dtype)
