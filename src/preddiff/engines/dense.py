"""Whole forward passes: the yardstick that every other engine is held against."""

import math
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
    batch : draws at once; None takes what the memory holds, 8 at most.
    memory : bytes that they may take; None sets no limit.
    """

    name = "dense"

    def __init__(
        self,
        model: Model,
        inputs: NDArray[np.float32],
        targets: Sequence[int],
        node: str | None = None,
        batch: int | None = None,
        memory: int | None = None,
    ) -> None:
        self.model = model
        self.inputs = inputs
        self.targets = list(targets)
        self.node = node
        self.batch = batch or _batch_within(memory, model, inputs)

    def evaluate(
        self, starts: NDArray[np.int64], draws: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        starts = np.repeat(starts, draws.shape[1], axis=0)
        flat = draws.reshape(-1, *draws.shape[2:])
        values = np.empty((len(flat), len(self.targets)))
        for first in range(0, len(flat), self.batch):
            part = slice(first, first + self.batch)
            inputs = filled(self.inputs, starts[part], flat[part])
            values[part] = self.model.predict(inputs, self.node)[:, self.targets]
        return values.reshape(*draws.shape[:2], -1)


def filled(
    inputs: NDArray[np.float32], starts: NDArray[np.int64], draws: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Copies (n, channel, *spatial) of an input, each with a window replaced.

    Parameters
    ----------
    starts : (n, dimension), the windows' corners.
    draws : (n, channel, *size), what is put there.
    """
    copies = np.repeat(inputs[None], len(draws), axis=0)
    for copy, start, draw in zip(copies, starts, draws, strict=True):
        box = tuple(slice(s, s + k) for s, k in zip(start, draw.shape[1:], strict=True))
        copy[(slice(None), *box)] = draw
    return copies


def _batch_within(memory: int | None, model: Model, inputs: NDArray[np.float32]) -> int:
    """Draws that the memory holds: three of the largest activations of each."""
    if memory is None:
        return _LARGEST
    sizes = [math.prod(shape) for shape in model.nodes(inputs).values()]
    largest = max(sizes, default=16 * inputs.size)
    return int(min(_LARGEST, max(1, memory // (3 * largest * inputs.itemsize))))
