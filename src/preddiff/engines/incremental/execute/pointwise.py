"""Operations that keep every pixel where it is, or move all of them by the same offset."""

from collections.abc import Sequence

import torch

from preddiff.engines.incremental.execute import reach
from preddiff.engines.incremental.execute.boxes import Box, Placement
from preddiff.engines.incremental.execute.operation import Native
from preddiff.engines.incremental.execute.reach import Interval


class Pointwise:
    """An operation whose outputs depend on the inputs at the same pixel only.

    It is the node's own operation, run on boxes.

    Parameters
    ----------
    native : takes the boxes' tensors, each over the whole of the output's boxes.
    linear : whether it may be run on changes.
    """

    def __init__(
        self, base: torch.Tensor, axes: tuple[int, ...], native: Native, *, linear: bool = False
    ) -> None:
        self.base = base
        self.axes = axes
        self.native = native
        self.linear = linear

    def reach(self, axis: int, inputs: list[Interval]) -> Interval:  # noqa: ARG002
        """Return the pixels at which any input changes."""
        return reach.union([reach.pointwise(each) for each in inputs])

    def run(self, placement: Placement, boxes: list[Box]) -> Box:
        """Return the operation's result, on changes where it is linear, else on values."""
        starts, lengths = placement.starts, placement.lengths
        if self.linear:
            result = self.native(*(box.change_over(starts, lengths) for box in boxes))
            return Box(self.base, self.axes, placement, change=result)
        result = self.native(*(box.value_over(starts, lengths) for box in boxes))
        return Box(self.base, self.axes, placement, value=result)


class Padding:
    """Constant padding, or cropping: nothing changes in a margin, and everything else moves.

    Parameters
    ----------
    before : width of the margin before the input, along each spatial axis; negative crops.
    """

    def __init__(self, base: torch.Tensor, axes: tuple[int, ...], before: Sequence[int]) -> None:
        self.base = base
        self.axes = axes
        self.before = tuple(before)

    def reach(self, axis: int, inputs: list[Interval]) -> Interval:
        """Return the same pixels, moved."""
        return reach.shifted(inputs[0], self.before[axis])

    def run(self, placement: Placement, boxes: list[Box]) -> Box:
        """Return the changes, 0 in the margin."""
        starts = [
            tuple(s - b for s, b in zip(start, self.before, strict=True))
            for start in placement.starts
        ]
        change = boxes[0].change_over(starts, placement.lengths)
        return Box(self.base, self.axes, placement, change=change)
