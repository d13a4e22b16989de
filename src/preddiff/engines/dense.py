"""Whole forward passes: the yardstick that every other engine is held against."""

import math
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from preddiff.models import Model

_LARGEST = 8  # more draws at once fall out of a processor's cache and are slower


class Dense:
    """Puts each draw into a copy of the input and runs the whole model.

    Parameters
    ----------
    inputs : (channel, *spatial).
    targets : classes, or channels of `node`.
    batch : draws at once; None takes what a quarter of the free memory holds, 8 at most.
    """

    name = "dense"

    def __init__(
        self,
        model: Model,
        inputs: NDArray[np.float32],
        targets: Sequence[int],
        node: str | None = None,
        batch: int | None = None,
    ) -> None:
        self.model = model
        self.inputs = inputs
        self.targets = list(targets)
        self.node = node
        self.batch = batch or _batch_within_memory(model, inputs)

    def evaluate(
        self, starts: NDArray[np.int64], draws: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        values = np.empty((len(draws), len(self.targets)))
        for first in range(0, len(draws), self.batch):
            part = slice(first, first + self.batch)
            filled = self._filled(starts[part], draws[part])
            values[part] = self.model.predict(filled, self.node)[:, self.targets]
        return values

    def _filled(self, starts: NDArray[np.int64], draws: NDArray[np.float32]) -> NDArray[np.float32]:
        """Copies of the input, each with its window replaced."""
        copies = np.repeat(self.inputs[None], len(draws), axis=0)
        for copy, start, draw in zip(copies, starts, draws, strict=True):
            box = tuple(slice(s, s + k) for s, k in zip(start, draw.shape[1:], strict=True))
            copy[(slice(None), *box)] = draw
        return copies


def _batch_within_memory(model: Model, inputs: NDArray[np.float32]) -> int:
    """Draws that a quarter of the free memory holds: three of the largest activations of each."""
    sizes = [math.prod(shape) for shape in model.nodes(inputs).values()]
    largest = max(sizes, default=16 * inputs.size)
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not every system tells
        return _LARGEST
    return int(min(_LARGEST, max(1, free // 4 // (3 * largest * inputs.itemsize))))
