"""Which outputs can a range of inputs reach? One row per kind of operation, one axis at a time.

A range is a pair of integers or integer arrays (low, high): the places low, ..., high - 1. Ranges
are not yet cut to the size of the output: `clamp` does that.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


class Range(NamedTuple):
    """Places low, ..., high - 1 along one axis; one range per element of the arrays."""

    low: Any
    high: Any


class Sliding(NamedTuple):
    """Convolution and pooling along one axis: kernel, stride, padding before, dilation."""

    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def extent(self) -> int:
        """Inputs from the first to the last that one output sees."""
        return (self.kernel - 1) * self.dilation + 1

    def reach(self, inputs: Range) -> Range:
        """Outputs that see at least one of the inputs."""
        low = -((self.extent - 1 - self.padding - inputs.low) // self.stride)
        return Range(low, (inputs.high - 1 + self.padding) // self.stride + 1)

    def seen(self, low: Any, length: int) -> tuple[Any, int]:
        """First input that `length` outputs from `low` on see, and how many they see."""
        return low * self.stride - self.padding, (length - 1) * self.stride + self.extent


def pointwise(inputs: Range) -> Range:
    """Activations, normalisation by known statistics, anything across channels only."""
    return inputs


def shifted(inputs: Range, before: int) -> Range:
    """Padding with `before` places (negative: cropping)."""
    return Range(inputs.low + before, inputs.high + before)


def union(ranges: list[Range]) -> Range:
    """Addition, multiplication, concatenation of several nodes."""
    low, high = ranges[0]
    for other in ranges[1:]:
        low, high = np.minimum(low, other.low), np.maximum(high, other.high)
    return Range(low, high)


def everything(inputs: Range, size: int) -> Range:
    """Global pooling, squeeze-and-excitation, and whatever is unknown."""
    return Range(np.zeros_like(inputs.low), np.full_like(inputs.high, size))


def clamp(outputs: Range, size: int) -> Range:
    """The part inside the output; never less than one place, so that a box has a size."""
    low = np.clip(outputs.low, 0, size - 1)
    return Range(low, np.clip(outputs.high, low + 1, size))
