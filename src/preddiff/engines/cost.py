"""How long a draw takes, before the work starts."""

import time

import numpy as np
from numpy.typing import NDArray

from preddiff.engines.base import Engine


def seconds_per_draw(engine: Engine, start: NDArray[np.int64], draw: NDArray[np.float32]) -> float:
    """Seconds of one draw within a full batch, timed after one batch to warm up."""
    starts = np.repeat(start[None], engine.batch, axis=0)
    draws = np.repeat(draw[None], engine.batch, axis=0)
    engine.evaluate(starts, draws)
    begin = time.perf_counter()
    engine.evaluate(starts, draws)
    return (time.perf_counter() - begin) / engine.batch
