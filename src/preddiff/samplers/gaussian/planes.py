"""Boxes of an array as columns of a matrix, plane after plane, without unfolding it whole.

Of every plane (first spatial axis) there is one copy for each place that a box has in it; the
copies of as many planes as a box is long, one after the other, are the boxes' values.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Area = tuple[slice, ...]
"""A range of places along each axis of a plane."""

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

    def copies(self, first: int, planes: int, area: Area) -> Floats:
        """(channel, plane, place in the box, box), for boxes in any of some planes from `first` on.

        Parameters
        ----------
        area : the boxes' places in a plane.
        """
        first += self.offset[0]
        last = first + planes + self.lengths[0] - 1
        moved = zip(area, self.offset[1:], self.lengths[1:], strict=True)
        reach = [slice(a.start + o, a.stop + o + n - 1) for a, o, n in moved]
        part = self.array[(slice(None), slice(first, last), *reach)]
        inner = tuple(range(2, part.ndim))
        boxes = sliding_window_view(part, self.lengths[1:], axis=inner)
        boxes = np.moveaxis(boxes, range(-len(inner), 0), inner)
        size = math.prod(a.stop - a.start for a in area)
        return boxes.reshape(*part.shape[:2], math.prod(self.lengths[1:]), size)

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
    low, high = zip(*((int(axis.min()), int(axis.max()) + 1) for axis in places.T), strict=True)
    area = tuple(slice(begin, end) for begin, end in zip(low[1:], high[1:], strict=True))
    lengths = tuple(part.stop - part.start for part in area)
    size = math.prod(lengths)
    plane = places[:, 0]
    rank = np.ravel_multi_index(tuple(places[:, 1:].T - np.array(low[1:])[:, None]), lengths)
    order = np.argsort(plane * size + rank, kind="stable")
    bounds = np.searchsorted(plane[order], np.arange(low[0], high[0] + 1))
    several = max(1, _BYTES // (max(source.bytes_per_plane for source in sources) * size))
    for first in range(low[0], high[0], several):
        planes = min(several, high[0] - first)
        copies = [source.copies(first, planes, area) for source in sources]
        for at in range(planes):
            some = order[bounds[first + at - low[0]] : bounds[first + at - low[0] + 1]]
            if len(some) == 0:
                continue
            which = slice(None) if len(some) == size else rank[some]
            yield (
                some,
                [
                    copy[:, at : at + source.lengths[0]].reshape(-1, size)[:, which]
                    for copy, source in zip(copies, sources, strict=True)
                ],
            )
