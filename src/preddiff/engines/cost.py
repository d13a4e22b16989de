"""How long a draw takes, before the work starts."""

import math
import time

import numpy as np
from numpy.typing import NDArray

from preddiff.engines.base import Engine


def seconds_per_draw(
    engine: Engine, starts: NDArray[np.int64], draws: NDArray[np.float32]
) -> float:
    """Seconds of one draw within full batches, timed after a first time to warm up.

    Parameters
    ----------
    starts, draws : a few windows from all over the input, as `Engine.evaluate` takes them.
    """
    windows = min(len(starts), engine.batch)
    # Two batches, as there may be several processors that each take one.
    some, few = starts[:windows], draws[:windows, : max(1, 2 * engine.batch // windows)]
    engine.evaluate(some, few)
    begin = time.perf_counter()
    engine.evaluate(some, few)
    return (time.perf_counter() - begin) / math.prod(few.shape[:2])
