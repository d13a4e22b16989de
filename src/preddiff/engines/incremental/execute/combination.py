"""Boxes added up, put beside each other along the channels, and clamped: all in one pass.

Everything is done on changes. What a clamp (ReLU, ReLU6, hard tanh) makes of a change d over a base
b is clamp(b + d) - clamp(b). Only that difference is rounded, so that it is right to a share of d,
however small d is beside b: changes may be in a short precision.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from preddiff.engines.incremental.execute import kernels as compiled
from preddiff.engines.incremental.execute import regions
from preddiff.engines.incremental.execute.boxes import Box, Place, compact, empty, gather
from preddiff.engines.incremental.execute.regions import Range


@dataclass(frozen=True, eq=False)
class Clamp:
    """Lowest and highest value, and the base (1, channel, *spatial) of what is clamped."""

    base: torch.Tensor
    low: float
    high: float

    @cached_property
    def flat(self) -> compiled.Flat:
        """The base, as compiled loops want it."""
        return compiled.Flat.of(self.base)

    def narrow(self, begin: int, count: int) -> "Clamp":
        """That of some of the channels."""
        base = self.base.narrow(1, begin, count)
        return Clamp(compact(base, tuple(range(2, base.ndim))), self.low, self.high)


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

    def reach(self, axis: int, inputs: list[Range]) -> Range:  # noqa: ARG002
        return regions.union([regions.pointwise(each) for each in inputs])

    def run(self, place: Place, boxes: list[Box]) -> Box:
        rows = len(boxes[0].change)
        out = empty(self.base, rows, self.axes, place.lengths, self.dtype)
        begin = 0
        for piece in self.pieces:
            part = out if len(self.pieces) == 1 else out.narrow(1, begin, piece.channels)
            _fill(part, place, [boxes[number] for number in piece.inputs], piece.clamp)
            begin += piece.channels
        return Box(self.base, self.axes, place, change=out)


def _fill(out: torch.Tensor, place: Place, boxes: list[Box], clamp: Clamp | None) -> None:
    changes = [box.change for box in boxes]
    usual = boxes[0].axes == tuple(range(2, out.ndim))
    if usual and len(changes) <= 2 and compiled.can(out, *changes):
        parts = [
            (change, box.place.corners - place.corners)
            for change, box in zip(changes, boxes, strict=True)
        ]
        clamped = None if clamp is None else (clamp.flat, place.corners, clamp.low, clamp.high)
        compiled.add_up(out, parts, clamped)
        return
    total = boxes[0].change_over(place.starts, place.lengths)
    for box in boxes[1:]:
        total = total + box.change_over(place.starts, place.lengths)
    out.copy_(total if clamp is None else _clamped(total, place, boxes[0], clamp))


def _clamped(change: torch.Tensor, place: Place, box: Box, clamp: Clamp) -> torch.Tensor:
    below = gather(clamp.base, box.axes, place.starts, place.lengths)
    inside = below.clamp(clamp.low, clamp.high)
    moved = box.over(change, below - inside, torch.add)
    return box.over(
        box.over(moved, clamp.low - inside, torch.maximum), clamp.high - inside, torch.minimum
    )


def rectifier(
    base: torch.Tensor,
    axes: tuple[int, ...],
    source: torch.Tensor,
    limits: tuple[float, float],
    dtype: torch.dtype,
) -> Combination:
    """max(low, min(x, high)) of a node whose base is `source`."""
    clamp = Clamp(compact(source, axes).to(dtype), *limits)
    return Combination(base, axes, [Piece(base.shape[1], (0,), clamp)], dtype)
