"""Inputs that are explained at the same time, for workers to have enough to do."""

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TypeVar

from preddiff.pipeline import interruption

MOST_AT_ONCE = 16
"""Inputs in the memory of the process that collects, at most."""

_T = TypeVar("_T")
_R = TypeVar("_R")


def ahead(
    work: Callable[[_T], _R], items: Iterable[_T], at_once: int
) -> Iterator[Callable[[], _R]]:
    """Yield what waits for the work on each item, in order, with some begun before.

    Each is done in a thread, which knows what its caller knows (`contextvars`). Whoever takes no
    more ends the work that is begun, with what it has.

    Parameters
    ----------
    items : of which no more than `at_once` are taken before they are asked for.
    """
    own = interruption.current_or_new()
    begun: deque[Future[_R]] = deque()
    with ThreadPoolExecutor(at_once) as pool:
        try:
            for item in items:
                task = partial(interruption.within, own, work, item)
                begun.append(pool.submit(copy_context().run, task))
                if len(begun) == at_once:
                    yield begun.popleft().result
            while begun:
                yield begun.popleft().result
        except BaseException:
            own.number = own.number or signal.SIGTERM
            raise
        finally:
            for each in begun:
                each.cancel()
