"""Chunks are begun ahead, and their values come in the order in which they were begun."""

from itertools import islice

import numpy as np

from preddiff.method.chunks import Chunk, in_order
from preddiff.method.running_means import RunningMeans
from preddiff.method.schedule import Adaptive, Interlaced
from preddiff.method.windows import Windows

WINDOWS = Windows.over((4, 5), 2)


class Elsewhere:
    """Notes what is begun, and what is waited for."""

    at_once = 3

    def __init__(self):
        self.begun, self.waited = [], []

    def begin(self, chunk):
        self.begun.append(chunk.first)

        def values():
            self.waited.append(chunk.first)
            return np.array(chunk.first)

        return values


def test_some_are_begun_ahead_and_come_in_order():
    chunks = [Chunk(np.arange(2), first, first + 1) for first in range(5)]
    asked = []

    def following(ahead):
        asked.append(ahead)
        return chunks.pop(0) if chunks else None

    elsewhere = Elsewhere()
    found = in_order(following, elsewhere)
    assert [int(values) for _, values in islice(found, 1)] == [0]
    assert (elsewhere.begun, elsewhere.waited) == ([0, 1, 2], [0])
    assert asked == [0, 2, 4]
    assert [int(values) for _, values in found] == [1, 2, 3, 4]
    assert elsewhere.waited == [0, 1, 2, 3, 4]


def test_what_comes_in_order_is_known_ahead_and_what_depends_on_values_is_not():
    means = RunningMeans.empty(1, len(WINDOWS))
    in_turn, where_needed = Interlaced(WINDOWS, 2, 5), Adaptive(WINDOWS, [(0, 2)], 5)
    which = in_turn.next(means, None, ahead=5).which
    np.testing.assert_array_equal(which, WINDOWS.interlaced[5:10])
    assert where_needed.next(means, None, ahead=5) is None
