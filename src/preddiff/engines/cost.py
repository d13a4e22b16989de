"""How long a draw takes, before the work starts."""

import math
import time

import numpy as np
from numpy.typing import NDArray

from preddiff.engines.base import Engine


def seconds_per_draw(
    engine: Engine, starts: NDArray[np.int64], draws: NDArray[np.float32]
) -> float:
    """Seconds of one draw within a full batch, timed after one batch to warm up.

    Parameters
    ----------
    starts, draws : a few windows from all over the input, as `Engine.evaluate` takes them.
    """
    few = draws[:, : max(1, engine.batch // len(starts))]
    engine.evaluate(starts, few)
    begin = time.perf_counter()
    engine.evaluate(starts, few)
    return (time.perf_counter() - begin) / math.prod(few.shape[:2])
