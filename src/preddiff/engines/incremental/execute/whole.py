"""Whole outputs, for operations that are not known: slower, never wrong."""

import torch

from preddiff.engines.incremental.execute.boxes import Box, Placement
from preddiff.engines.incremental.execute.operation import Native

Value = torch.Tensor | int | float | list["Value"] | tuple["Value", ...]
"""The output of a node: mostly a tensor; or a size, or several of these."""

Result = Box | Value
"""The result of a step for a batch of draws: a box, or a value that is no tensor, as it is."""


class WholeOutput:
    """An operation of which nothing is known: the node's own, on whole outputs.

    All of what it gives may change: it has no spatial axes.
    """

    axes: tuple[int, ...] = ()

    def __init__(self, base: Value, native: Native) -> None:
        self.base = base
        self.native = native

    def run(self, placement: Placement, inputs: list[Result]) -> Result:
        """Return a box of the whole output; what is no tensor (a tuple of some) as it is."""
        result: Value = self.native(
            *(whole(each) if isinstance(each, Box) else each for each in inputs)
        )
        if not isinstance(result, torch.Tensor) or not isinstance(self.base, torch.Tensor):
            return result
        return Box(self.base, self.axes, placement, value=result)


def whole(box: Box) -> torch.Tensor:
    """Return the values of a node's whole output, (window · draw, ...)."""
    if box.placement.whole:
        return box.value
    start = (0,) * len(box.axes)
    size = tuple(box.base.shape[axis] for axis in box.axes)
    return box.value_over([start] * len(box.placement.starts), size)
