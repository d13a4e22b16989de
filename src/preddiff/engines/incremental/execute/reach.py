"""The outputs that a range of inputs reaches: a rule per kind of operation, one axis at a time.

Every rule takes whole arrays of ranges, one for each position that a window can have, so that a
table for all positions costs one call per operation (`compile/alignment.py`).
"""

from typing import NamedTuple

import numpy as np

from preddiff.types import Integers

Index = int | Integers
"""One index along an axis, or an array of them."""


class Interval(NamedTuple):
    """The indices low, ..., high - 1 along one axis; one interval per element of the arrays.

    Intervals may stick out of the output until `clipped` has cut them to its size.
    """

    low: Index
    high: Index


class Sliding(NamedTuple):
    """A convolution or a pooling along one axis: kernel, stride, padding before, dilation.

    Output o sees the inputs o·stride - padding + i·dilation, i = 0, ..., kernel - 1.
    """

    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def extent(self) -> int:
        """Number of inputs from the first to the last that one output sees."""
        return (self.kernel - 1) * self.dilation + 1

    def reach(self, inputs: Interval) -> Interval:
        """Return the outputs that see at least one of the inputs."""
        # Output o sees from o·stride - padding on `extent` inputs (gaps of a dilation included). It
        # sees one of low, ..., high - 1 if its last input is not before `low` and its first one is
        # before `high`:
        #
        #     o·stride - padding + extent - 1 >= low   and   o·stride - padding <= high - 1.
        #
        # So o runs from ceil((low + padding - extent + 1) / stride) to
        # floor((high - 1 + padding) / stride). Ceilings are floors of negated numbers.
        low = -((self.extent - 1 - self.padding - inputs.low) // self.stride)
        return Interval(low, (inputs.high - 1 + self.padding) // self.stride + 1)

    def first_seen(self, low: Index) -> Index:
        """Return the first input that the output `low` sees; it may be before the first one."""
        return low * self.stride - self.padding

    def seen(self, length: int) -> int:
        """Return how many inputs, from the first to the last, `length` outputs in a row see."""
        return (length - 1) * self.stride + self.extent


def pointwise(inputs: Interval) -> Interval:
    """Return what activations, known normalisations and anything across channels reach."""
    return inputs


def shifted(inputs: Interval, before: int) -> Interval:
    """Return what padding by `before` (negative: cropping) makes of an interval."""
    return Interval(inputs.low + before, inputs.high + before)


def union(intervals: list[Interval]) -> Interval:
    """Return the shortest interval that holds several: of sums, products, concatenations."""
    low, high = intervals[0]
    for other in intervals[1:]:
        low, high = np.minimum(low, other.low), np.maximum(high, other.high)
    return Interval(low, high)


def everything(inputs: Interval, size: int) -> Interval:
    """Return the whole axis: of global pooling, and of whatever is unknown."""
    return Interval(np.zeros_like(inputs.low), np.full_like(inputs.high, size))


def clipped(outputs: Interval, size: int) -> Interval:
    """Return the part inside the output; never less than one index, so that a box has a size."""
    low = np.clip(outputs.low, 0, size - 1)
    return Interval(low, np.clip(outputs.high, low + 1, size))
