"""Boxes of an array as columns of a matrix, plane after plane, without unfolding it whole.

Of every plane (first spatial axis) there is one copy for each place that a box has in it; the
copies of as many planes as a box is long, one after the other, are the boxes' values.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_BYTES = 1 << 26  # that the copies may take at once, if one box's planes do not take more


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes of one size in an array, each at the same distance from a place.

    Attributes
    ----------
    array : (channel, *spatial), float64.
    offset : from the place to the box's corner.
    lengths : of the box.
    """

    array: Floats
    offset: tuple[int, ...]
    lengths: tuple[int, ...]

    def copies(self, first: int, planes: int, places: Integers) -> Floats:
        """(channel, plane, place in the box, box), for boxes in any of some planes from `first` on.

        Parameters
        ----------
        places : numbers of places in a plane.
        """
        first += self.offset[0]
        last = first + planes + self.lengths[0] - 1
        flat = self.array[:, first:last].reshape(len(self.array), last - first, -1)
        corner = np.array(self.offset[1:])[:, None] + np.indices(self.lengths[1:]).reshape(
            len(self.lengths) - 1, -1
        )
        shifts = np.ravel_multi_index(tuple(corner), self.array.shape[2:])
        index = shifts[:, None] + places
        result = np.empty((*flat.shape[:2], *index.shape))
        for channel, plane in np.ndindex(*flat.shape[:2]):
            # Every number is in range: "clip" only spares numpy a buffer.
            np.take(flat[channel, plane], index, out=result[channel, plane], mode="clip")
        return result

    @property
    def bytes_per_plane(self) -> int:
        """Of the copies of a plane, for one box."""
        return 8 * len(self.array) * math.prod(self.lengths[1:])


def columns(places: Integers, *sources: Boxes) -> Iterator[tuple[Integers, list[Floats]]]:
    """Values of boxes, a plane at a time.

    Parameters
    ----------
    places : (n, dimension), no two the same.
    sources : arrays of the same spatial shape, with the boxes wanted of each.

    Yields
    ------
    numbers of some of the places, and for each source a matrix (channel · lengths, place).
    """
    spatial = sources[0].array.shape[1:]
    size = math.prod(spatial[1:])
    plane, within = places[:, 0], np.ravel_multi_index(tuple(places[:, 1:].T), spatial[1:])
    order = np.argsort(plane * size + within, kind="stable")
    each = max(source.bytes_per_plane for source in sources) * min(len(places), size)
    several = max(1, _BYTES // each)
    begin, end = int(plane.min()), int(plane.max()) + 1
    bounds = np.searchsorted(plane[order], np.arange(begin, end + several + 1))
    for first in range(begin, end, several):
        block = order[bounds[first - begin] : bounds[first - begin + several]]
        used = np.zeros(size, dtype=bool)
        used[within[block]] = True
        found, rank = np.flatnonzero(used), np.cumsum(used) - 1
        planes = min(several, end - first)
        copies = [source.copies(first, planes, found) for source in sources]
        for at in range(planes):
            some = order[bounds[first - begin + at] : bounds[first - begin + at + 1]]
            if len(some) == 0:
                continue
            which = slice(None) if len(some) == len(found) else rank[within[some]]
            yield (
                some,
                [
                    copy[:, at : at + source.lengths[0]].reshape(-1, len(found))[:, which]
                    for copy, source in zip(copies, sources, strict=True)
                ],
            )
