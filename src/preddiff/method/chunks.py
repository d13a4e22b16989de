"""Chunks of windows, and what evaluates them: here one after the other, elsewhere several at once.

Letters of axes: t target, w window, s draw.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

from preddiff.types import Values, WindowNumbers


class Chunk(NamedTuple):
    """Windows, or sets of windows, that are visited together.

    Attributes
    ----------
    which : (w,), numbers of the windows, each at most once.
    first, last : the draws of each window that are taken, from `first` up to, without, `last`.
    """

    which: WindowNumbers
    first: int
    last: int


NextChunk = Callable[[int], Chunk | None]
"""Given the visits that are begun and have no values yet → what to visit next; None while that is
not known, or at the end."""


class Evaluates(Protocol):
    """The way in which chunks are evaluated."""

    @property
    def at_once(self) -> int:
        """Chunks that are worth beginning before the first of them is done."""

    def begin(self, chunk: Chunk) -> Callable[[], Values]:
        """Begin with a chunk; return a function that returns its values (w, s, t), or raises."""


@dataclass(frozen=True)
class Here:
    """Chunks are evaluated in this process, when their values are asked for.

    Attributes
    ----------
    values : a chunk → its values (w, s, t).
    """

    values: Callable[[Chunk], Values]
    at_once = 1

    def begin(self, chunk: Chunk) -> Callable[[], Values]:
        """Return what evaluates a chunk."""
        return partial(self.values, chunk)


def in_order(next_chunk: NextChunk, evaluation: Evaluates) -> Iterator[tuple[Chunk, Values]]:
    """Yield chunks with their values, in the order in which they are begun, whichever ends first.

    So sums over them are the same, whatever evaluates them.
    """
    begun: deque[tuple[Chunk, Callable[[], Values]]] = deque()
    while True:
        while len(begun) < evaluation.at_once:
            chunk = next_chunk(sum(len(each.which) for each, _ in begun))
            if chunk is None:
                break
            begun.append((chunk, evaluation.begin(chunk)))
        if not begun:
            return
        chunk, values = begun.popleft()
        yield chunk, values()
