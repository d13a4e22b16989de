"""Tables of every step's boxes, for each position that a window can have.

How long a box is depends on how the window lies on the strides. Take a pooling of 2 with stride 2:
a window of pixels 4, ..., 7 covers two outputs, one of pixels 5, ..., 8 touches three. So a box's
length is a function of the window's position modulo the product of the strides before it, and of
the distance to the border, where boxes are cut off. One length that suits all windows would be
longer than most need, at every step, and what is too long at one is longer still after the next.

But windows are boxes and all operations work along one axis at a time, so one table per axis, over
all positions along that axis, says everything: some 200 positions × 100 steps, made once.
"""

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from preddiff.engines.incremental.execute import reach
from preddiff.engines.incremental.execute.boxes import Placement
from preddiff.engines.incremental.execute.reach import Interval
from preddiff.engines.incremental.execute.steps import FromShapes, NetworkInput, Step
from preddiff.engines.incremental.execute.whole import WholeOutput
from preddiff.types import Corners, Integers

# Share of a map from which on its box is the whole map: the whole map needs no gathering and no
# pasting, as all windows have the same box, and that is worth a third more arithmetic.
_NEARLY_WHOLE = 0.75


class AlignmentTables:
    """Tables of the boxes of every step, for each position of a window.

    Parameters
    ----------
    shape, size : of the input and of a window, along the spatial axes.
    """

    def __init__(self, steps: Sequence[Step], shape: Sequence[int], size: Sequence[int]) -> None:
        self.steps = [step for step in steps if step.axes]
        self.sizes = np.array(
            [[step.tensor.shape[axis] for axis in step.axes] for step in self.steps]
        )
        self._tables = [
            self._along(axis, n, k) for axis, (n, k) in enumerate(zip(shape, size, strict=True))
        ]

    def _along(self, axis: int, length: int, size: int) -> Integers:
        """Return (low or high, step, position): the intervals along one axis."""
        positions = np.arange(length - size + 1)
        intervals: dict[int, Interval] = {}
        for step in self.steps:
            operation = step.operation
            if isinstance(operation, NetworkInput):
                intervals[id(step)] = Interval(positions, positions + size)
            elif not isinstance(operation, WholeOutput | FromShapes):  # which have no axes
                reached = [intervals[id(each)] for each in step.inputs if id(each) in intervals]
                found = operation.reach(axis, reached)
                count = operation.base.shape[step.axes[axis]]
                intervals[id(step)] = reach.clipped(found, count)
        return np.stack([np.array(intervals[id(step)]) for step in self.steps], axis=1)

    def placements(self, starts: Corners, draws: int) -> dict[int, Placement]:
        """Return where the boxes of every step lie, by the step's id.

        All boxes of a step are as long as the longest of the batch. Those that would stick out of
        the output then are moved inside: they hold a few more unchanged pixels on the other side.

        Parameters
        ----------
        starts : (window, axis), of the batch.
        draws : of each window.
        """
        low, high = (
            np.stack(
                [table[side][:, at] for table, at in zip(self._tables, starts.T, strict=True)],
                axis=2,
            )
            for side in (0, 1)
        )  # (step, window, axis)
        lengths = (high - low).max(axis=1)
        whole = (lengths / self.sizes).prod(axis=1) > _NEARLY_WHOLE
        lengths = np.where(whole[:, None], self.sizes, lengths)
        begins = np.clip(low, 0, (self.sizes - lengths)[:, None])
        return {
            id(step): Placement([tuple(b) for b in begin], tuple(length), length == size, draws)
            for step, begin, length, size in zip(
                self.steps, begins.tolist(), lengths.tolist(), self.sizes.tolist(), strict=True
            )
        }

    @cached_property
    def largest(self) -> int:
        """Number of values in the largest box of a draw."""
        longest = np.stack([(high - low).max(axis=1) for low, high in self._tables], axis=1)
        others = [
            math.prod(step.tensor.shape) // math.prod(size)
            for step, size in zip(self.steps, self.sizes.tolist(), strict=True)
        ]
        return int((longest.prod(axis=1) * others).max())

    def similar(self, starts: Corners) -> Integers:
        """Return an order of windows in which neighbours have boxes of similar shape.

        Batches are cut from this order, so that few boxes are longer than their windows need, and
        that convolutions find all windows of a batch aligned alike.

        Parameters
        ----------
        starts : (window, axis).
        """
        keys = [key[at] for key, at in zip(self._keys, starts.T, strict=True)]
        return np.lexsort(keys[::-1])

    @cached_property
    def _keys(self) -> list[Integers]:
        """A number per axis and position: where it is the same, boxes differ by an offset only.

        Two positions are alike if every step's interval has the same length, and if the input's
        interval lies the same way on what the first output of a convolution or pooling sees. The
        numbers sort by the last step's length first, then by that of the step before it, and so
        on: neighbours with different numbers differ in early steps, rather than in late ones.
        """
        keys = []
        numbers = {id(step): number for number, step in enumerate(self.steps)}
        for axis, (low, high) in enumerate(self._tables):
            rows = list((high - low)[::-1])
            for number, step in enumerate(self.steps):
                for side in getattr(step.operation, "sliding", ())[axis : axis + 1]:
                    rows.append(low[numbers[id(step.inputs[0])]] - side.first_seen(low[number]))
            keys.append(np.unique(np.array(rows), axis=1, return_inverse=True)[1].reshape(-1))
        return keys
