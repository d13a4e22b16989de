"""The time that a draw takes, measured before the work starts."""

import math
import time
from collections.abc import Sequence

from preddiff.engines.base import Engine
from preddiff.types import Corners, Draws

_ROUNDS = 4  # of which the first warms up


def seconds_per_draw(engine: Engine, starts: Corners, draws: Draws) -> float:
    """Return the seconds of one draw within full batches.

    Parameters
    ----------
    starts, draws : a few windows from all over the input, as `Engine.evaluate` takes them.
    """
    some, few = _full_batches(engine, starts, draws)
    engine.evaluate(some, few)  # warms up: kernels are compiled, libraries choose their algorithms
    begin = time.perf_counter()
    engine.evaluate(some, few)
    return (time.perf_counter() - begin) / math.prod(few.shape[:2])


def least_seconds_per_draw(engines: Sequence[Engine], starts: Corners, draws: Draws) -> list[float]:
    """Return the least seconds of one draw by each of several engines, which take turns.

    Other work on the machine only ever adds to a time, and comes and goes: what the least of a few
    rounds says of two engines side by side, it says on a busy machine as well.

    Parameters
    ----------
    starts, draws : as of `seconds_per_draw`; each engine is given as many as two of its batches.
    """
    least = [math.inf] * len(engines)
    for turn in range(_ROUNDS):
        for number, engine in enumerate(engines):
            some, few = _full_batches(engine, starts, draws)
            begin = time.perf_counter()
            engine.evaluate(some, few)
            seconds = (time.perf_counter() - begin) / math.prod(few.shape[:2])
            least[number] = min(least[number], seconds) if turn else math.inf
    return least


def _full_batches(engine: Engine, starts: Corners, draws: Draws) -> tuple[Corners, Draws]:
    """Return as many of the draws as fill an engine's batches, about."""
    windows = min(len(starts), engine.batch)
    # Two batches, because with two processors each takes one; with a single batch, one would idle.
    per_window = max(1, 2 * engine.batch // windows)
    return starts[:windows], draws[:windows, :per_window]
