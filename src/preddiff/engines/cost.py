"""The time that a draw takes, measured before the work starts."""

import math
import time

from preddiff.engines.base import Engine
from preddiff.types import Corners, Draws


def seconds_per_draw(engine: Engine, starts: Corners, draws: Draws) -> float:
    """Return the seconds of one draw within full batches.

    Parameters
    ----------
    starts, draws : a few windows from all over the input, as `Engine.evaluate` takes them.
    """
    windows = min(len(starts), engine.batch)
    # Two batches, because with two processors each takes one; with a single batch, one would idle.
    per_window = max(1, 2 * engine.batch // windows)
    some, few = starts[:windows], draws[:windows, :per_window]
    engine.evaluate(some, few)  # warms up: kernels are compiled, libraries choose their algorithms
    begin = time.perf_counter()
    engine.evaluate(some, few)
    return (time.perf_counter() - begin) / math.prod(few.shape[:2])
