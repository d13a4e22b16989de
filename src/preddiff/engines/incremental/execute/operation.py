"""The protocol of operations on boxes."""

from collections.abc import Callable
from typing import Any, Protocol

import torch

from preddiff.engines.incremental.execute.boxes import Box, Placement
from preddiff.engines.incremental.execute.reach import Interval

Native = Callable[..., Any]
"""A node's own operation: takes its tensor inputs, gives its output."""


class Operation(Protocol):
    """A node's work on boxes. Linear operations work on changes, all others on values.

    Attributes
    ----------
    base : (1, ...), the node's output on the unperturbed input.
    axes : which axes of it are spatial.
    """

    base: torch.Tensor
    axes: tuple[int, ...]

    def reach(self, axis: int, inputs: list[Interval]) -> Interval:
        """Return the outputs that intervals of the inputs, one per input, reach along an axis."""

    def run(self, placement: Placement, boxes: list[Box]) -> Box:
        """Return the output's boxes where they are placed, given the inputs'."""
