"""The incremental engine, held against whole forward passes now and then while a run goes on."""

import math

import numpy as np
import torch

from preddiff.engines.base import Engine
from preddiff.engines.dense import filled
from preddiff.engines.incremental import Incremental
from preddiff.engines.incremental.check import TOLERANCE
from preddiff.errors import first_line
from preddiff.types import Corners, Draws, Values

# A whole forward pass takes as long as so many draws on boxes as it has times their arithmetic, and
# up to four times that, as it is of one input and not of a batch: with one in two hundred times as
# many draws, 1 to 2 % of a run (scripts/watch_share.py).
_DRAWS_PER_CHECK = 200
# Share of the largest change by which a shorter precision may be off: it is 1 % usually, and what
# boxes leave out or misplace is all of a change.
_SHORT_TOLERANCE = 0.3


class WrongBoxesError(Exception):
    """Boxes were off, or could not be run, in the middle of a run.

    Attributes
    ----------
    why : what a library said; empty where values are off.
    """

    def __init__(self, text: str, why: str = "") -> None:
        super().__init__(text)
        self.why = why


def watched(engine: Engine, starts: Corners, seed: int) -> Engine:
    """Return an engine that is watched, if it is one that can be wrong.

    Parameters
    ----------
    starts : of a few windows, to see how much boxes save.
    seed : of the choice of what is looked at.
    """
    if not isinstance(engine, Incremental):
        return engine
    return Watched(engine, math.ceil(_DRAWS_PER_CHECK * max(1.0, engine.saved(starts))), seed)


class Watched:
    """The incremental engine, of whose draws one in so many is evaluated by a whole pass as well.

    Parameters
    ----------
    every : draws, of which one is looked at.
    seed : the draws that are looked at follow from it, and from how many were made before.
    """

    def __init__(self, engine: Incremental, every: int, seed: int) -> None:
        self.name = engine.name
        self.batch = engine.batch
        self._engine = engine
        self._every = every
        self._seed = seed
        self._made = 0

    def evaluate(self, starts: Corners, draws: Draws) -> Values:
        """Return the values of the targets for each draw, (window, draw, target).

        Raises
        ------
        WrongBoxesError
            If one that is looked at is off, or boxes cannot be run.
        """
        try:
            rows = self._engine.raw(starts, draws)
            values = self._engine.values(rows).reshape(*draws.shape[:2], -1)
        except Exception as error:
            raise WrongBoxesError("recomputing boxes failed", first_line(error)) from error
        before, self._made = self._made, self._made + draws.shape[0] * draws.shape[1]
        due = self._made // self._every - before // self._every
        chosen = np.random.default_rng([self._seed, before])
        for row in chosen.integers(len(rows), size=due):
            self._look_at(int(row), rows, starts, draws)
        return values

    def _look_at(self, row: int, rows: torch.Tensor, starts: Corners, draws: Draws) -> None:
        """Raise a WrongBoxesError if a row is not what a whole forward pass gives."""
        engine = self._engine
        window, draw = divmod(row, draws.shape[1])
        with torch.inference_mode():
            inputs = filled(engine.inputs, starts[[window]], draws[window, [draw]])
            expected = engine.whole(torch.from_numpy(inputs))[0]
            off = float((rows[row].double() - expected).abs().max())
            # The range over all that was just computed, as in the check before a run; and where
            # nothing changes in it, no less than rounding is of the values themselves.
            scale = max(float(rows.max() - rows.min()), 0.1 * float(rows.abs().max()))
            allowed = TOLERANCE * scale
            if engine.dtype != expected.dtype and engine.dtype.itemsize < rows.dtype.itemsize:
                base = rows.double().mean(0)
                allowed += _SHORT_TOLERANCE * float((rows.double() - base).abs().max())
        if not off <= allowed:
            where = ", ".join(str(int(each)) for each in starts[window])
            raise WrongBoxesError(f"recomputing boxes went wrong in the window at {where}")
