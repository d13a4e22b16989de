"""Where the boxes of a batch lie in every node's output."""

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from preddiff.engines.incremental.execute import regions
from preddiff.engines.incremental.execute.boxes import Place
from preddiff.engines.incremental.execute.regions import Range
from preddiff.engines.incremental.execute.steps import Source, Step

_LARGE = 0.75  # share of a map from which on its box is the whole map


class Places:
    """Where the boxes of every step are, for each place that a window can have.

    Parameters
    ----------
    shape, size : of the input and of a window, along the spatial axes.
    """

    def __init__(self, steps: Sequence[Step], shape: Sequence[int], size: Sequence[int]) -> None:
        self.steps = [step for step in steps if step.axes]
        self.sizes = np.array(
            [[step.base.shape[axis] for axis in step.axes] for step in self.steps]
        )
        self._ranges = [
            self._along(axis, n, k) for axis, (n, k) in enumerate(zip(shape, size, strict=True))
        ]

    def _along(self, axis: int, length: int, size: int) -> NDArray[np.int64]:
        """(low or high, step, position) of the ranges along one axis."""
        positions = np.arange(length - size + 1)
        ranges: dict[int, Range] = {}
        for step in self.steps:
            if isinstance(step.operation, Source):
                ranges[id(step)] = Range(positions, positions + size)
                continue
            reached = [ranges[id(each)] for each in step.inputs if id(each) in ranges]
            found = step.operation.reach(axis, reached)
            ranges[id(step)] = regions.clamp(found, step.base.shape[step.axes[axis]])
        return np.stack([ranges[id(step)] for step in self.steps], axis=1)

    def of(self, starts: NDArray[np.int64], draws: int) -> dict[int, Place]:
        """The place of every step's boxes for windows (window, axis), by the step's id."""
        low, high = (
            np.stack(
                [table[side][:, at] for table, at in zip(self._ranges, starts.T, strict=True)],
                axis=2,
            )
            for side in (0, 1)
        )  # (step, window, axis)
        lengths = (high - low).max(axis=1)
        whole = (lengths / self.sizes).prod(axis=1) > _LARGE
        lengths = np.where(whole[:, None], self.sizes, lengths)
        begins = np.clip(low, 0, (self.sizes - lengths)[:, None])
        return {
            id(step): Place([tuple(b) for b in begin], tuple(length), length == size, draws)
            for step, begin, length, size in zip(
                self.steps, begins.tolist(), lengths.tolist(), self.sizes.tolist(), strict=True
            )
        }

    @cached_property
    def largest(self) -> int:
        """Values in the largest box of a draw."""
        longest = np.stack([(high - low).max(axis=1) for low, high in self._ranges], axis=1)
        others = [
            math.prod(step.base.shape) // math.prod(size)
            for step, size in zip(self.steps, self.sizes.tolist(), strict=True)
        ]
        return int((longest.prod(axis=1) * others).max())

    def similar(self, starts: NDArray[np.int64]) -> NDArray[np.int64]:
        """An order of windows (window, axis) in which neighbours have boxes of like shape."""
        keys = [key[at] for key, at in zip(self._keys, starts.T, strict=True)]
        return np.lexsort(keys[::-1])

    @cached_property
    def _keys(self) -> list[NDArray[np.int64]]:
        """A number per axis and position; the same number, the same boxes but for their place."""
        keys = []
        numbers = {id(step): number for number, step in enumerate(self.steps)}
        for axis, (low, high) in enumerate(self._ranges):
            rows = list((high - low)[::-1])
            for number, step in enumerate(self.steps):
                for sliding in getattr(step.operation, "sliding", ())[axis : axis + 1]:
                    first, _ = sliding.seen(low[number], 1)
                    rows.append(low[numbers[id(step.inputs[0])]] - first)
            keys.append(np.unique(np.array(rows), axis=1, return_inverse=True)[1].reshape(-1))
        return keys
