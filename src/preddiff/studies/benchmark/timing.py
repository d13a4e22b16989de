"""Timing on a machine that does other things besides."""

import math
import time
from collections.abc import Callable

_ROUNDS = 3


def least_seconds(*tasks: Callable[[], object]) -> list[float]:
    """Return the seconds that each of several tasks takes when nothing disturbs it.

    Every task is run once to warm up and then several times; the least time counts. Other work on
    the machine, interrupts and page faults only ever add to a time, so the minimum estimates what
    the task itself takes, while the mean measures the other work as well.

    The tasks alternate, one round of all after the other, rather than each having its rounds at a
    stretch. What changes slowly (clock rate, temperature, somebody else's job) then falls on all of
    them alike, and their ratios hold even where the times themselves do not.
    """
    best = [math.inf] * len(tasks)
    for turn in range(_ROUNDS + 1):
        for number, task in enumerate(tasks):
            begin = time.perf_counter()
            task()
            seconds = time.perf_counter() - begin
            # The first round compiles, allocates and fills caches.
            best[number] = min(best[number], seconds) if turn else math.inf
    return best
