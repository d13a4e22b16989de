"""Whole forward passes: the yardstick that every other engine is held against."""

import math
from collections.abc import Sequence
from typing import Annotated

import numpy as np

from preddiff.engines.base import NAME_IN_PROVENANCE
from preddiff.method.windows import box
from preddiff.models import Model
from preddiff.types import Batch, Corners, Draws, Floats, Pixels, Values, WindowPixels

_MAX_BATCH = 8  # more whole activations at once fall out of a processor's cache and are slower
_ACTIVATIONS_HELD = 3  # of the largest: an operation's input, its output, and what a library takes
_INPUTS_HELD = 16  # an unknown model is taken to need this many times its input


class Dense:
    """An engine that puts each draw into a copy of the input and runs the whole model.

    Parameters
    ----------
    inputs : (channel, *spatial).
    targets : classes (~k for 1 - p of class k), or channels of `node`.
    batch : draws at once; None takes as many as the memory holds, 8 at most.
    memory : bytes that they may take; None sets no limit.
    """

    name = NAME_IN_PROVENANCE["dense"]

    def __init__(
        self,
        model: Model,
        inputs: Pixels,
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

    def evaluate(self, starts: Corners, draws: Draws) -> Values:
        """Return the values of the targets for each draw, (window, draw, target)."""
        starts = np.repeat(starts, draws.shape[1], axis=0)
        flat = draws.reshape(-1, *draws.shape[2:])
        values = [
            self.evaluate_whole(filled(self.inputs, starts[part], flat[part]))
            for part in self._parts(len(flat))
        ]
        return np.concatenate(values).reshape(*draws.shape[:2], -1)

    def evaluate_whole(self, inputs: Batch) -> Annotated[Floats, "n target"]:
        """Return the values of the targets for whole inputs, (n, target)."""
        values = np.empty((len(inputs), len(self.targets)))
        both = min(self.targets) < 0
        for part in self._parts(len(inputs)):
            some = inputs[part]
            found = self.model.both_sides(some) if both else self.model.predict(some, self.node)
            values[part] = found[:, self.targets]
        return values

    def _parts(self, count: int) -> list[slice]:
        """Return the batches that so many inputs are evaluated in."""
        return [slice(first, first + self.batch) for first in range(0, count, self.batch)]


def filled(inputs: Pixels, starts: Corners, draws: WindowPixels) -> Batch:
    """Return copies (n, channel, *spatial) of an input, each with a window replaced.

    Parameters
    ----------
    starts : (n, dimension), the windows' corners.
    draws : (n, channel, *size), the values that replace them.
    """
    copies = np.repeat(inputs[None], len(draws), axis=0)
    for copy, start, draw in zip(copies, starts, draws, strict=True):
        copy[:, *box(start, draw.shape[1:])] = draw
    return copies


def _batch_within(memory: int | None, model: Model, inputs: Pixels) -> int:
    """Return how many draws at once the memory holds."""
    if memory is None:
        return _MAX_BATCH
    sizes = [math.prod(shape) for shape in model.nodes(inputs).values()]
    largest = max(sizes, default=_INPUTS_HELD * inputs.size)
    each = _ACTIVATIONS_HELD * largest * inputs.itemsize
    return int(min(_MAX_BATCH, max(1, memory // each)))
