"""Boxes of an array as columns of a matrix, plane after plane, without unfolding it whole.

All conditional means at once are a product of one matrix, (w, p), with the matrix of all patches,
(p, n). Unfolded whole (im2col), the patches of a 91×109×91 scan would be 343 times as large as it,
2.5 GB in float64. Here only what varies within a plane (the first spatial axis) is unfolded:
"""

# Say a box is l long along each of d axes. Of every plane there are l^(d-1) copies, one for each
# position of a value in the box's cross-section, shifted by that much:
#
#     copies[plane, j, i] = array[plane, i + shift_j]        j position in the box, i box in a plane
#
# A box that begins in plane z takes l planes that follow each other, so its values are
#
#     columns[(a, j), i] = copies[z + a, j, i]               a plane of the box, 0 to l - 1
#
# which in memory is one contiguous block of a channel's `copies`: l planes × l^(d-1) rows. For the
# boxes that begin in the next plane the block moves on by one plane and nothing is copied again. So
# each value is copied l^(d-1) times (49 for l = 7) and not l^d times (343), and the product reads
# contiguous memory.

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from preddiff.types import Corners, Floats, Integers

ShiftedCopies = Annotated[Floats, "channel plane position box"]
"""Shifted copies of planes: for each position in the box, the values that all boxes have there."""

PlaneArea = tuple[slice, ...]
"""A range of positions along each axis of a plane."""

_MAX_COPY_BYTES = 1 << 26  # that the copies may take at once, if one box's planes do not take more


@dataclass(frozen=True, eq=False)
class ShiftedBoxes:
    """Boxes of one size in an array, each at the same offset from a position that is given.

    Attributes
    ----------
    array : (channel, *spatial), float64.
    offset : from the given position to the box's corner.
    lengths : of the box.
    """

    array: Annotated[Floats, "channel *spatial"]
    offset: tuple[int, ...]
    lengths: tuple[int, ...]

    def copies(self, first: int, planes: int, area: PlaneArea) -> ShiftedCopies:
        """Return shifted copies of planes, for the boxes given in some planes from `first` on.

        Parameters
        ----------
        area : the given positions in a plane.

        Returns
        -------
        (channel, plane, position in the box, box); planes are `planes` + length - 1.
        """
        first += self.offset[0]
        last = first + planes + self.lengths[0] - 1
        moved = zip(area, self.offset[1:], self.lengths[1:], strict=True)
        reach = [slice(a.start + o, a.stop + o + n - 1) for a, o, n in moved]
        part = self.array[(slice(None), slice(first, last), *reach)]
        inner = tuple(range(2, part.ndim))
        # The view has the box's position first and the position in the box last; turned round, it
        # is the shifted copies, and the reshape copies them.
        boxes = sliding_window_view(part, self.lengths[1:], axis=inner)
        boxes = np.moveaxis(boxes, range(-len(inner), 0), inner)
        size = math.prod(a.stop - a.start for a in area)
        return boxes.reshape(*part.shape[:2], math.prod(self.lengths[1:]), size)

    @property
    def bytes_per_plane(self) -> int:
        """Bytes of the copies of a plane, for one box."""
        return 8 * len(self.array) * math.prod(self.lengths[1:])


def box_columns(
    positions: Corners, *sources: ShiftedBoxes
) -> Iterator[tuple[Annotated[Integers, "box"], list[Annotated[Floats, "_value box"]]]]:
    """Yield values of boxes, a plane at a time.

    Parameters
    ----------
    positions : (n, dimension), no two the same.
    sources : arrays of the same spatial shape, with the boxes wanted of each.

    Yields
    ------
    numbers of some of the positions, and for each source a matrix (channel · lengths, box).
    """
    low, high = zip(*((int(axis.min()), int(axis.max()) + 1) for axis in positions.T), strict=True)
    area = tuple(slice(begin, end) for begin, end in zip(low[1:], high[1:], strict=True))
    lengths = tuple(part.stop - part.start for part in area)
    size = math.prod(lengths)
    plane = positions[:, 0]
    # Positions sorted by plane, and by rank within it; bounds says where each plane begins.
    rank = np.ravel_multi_index(tuple(positions[:, 1:].T - np.array(low[1:])[:, None]), lengths)
    order = np.argsort(plane * size + rank, kind="stable")
    bounds = np.searchsorted(plane[order], np.arange(low[0], high[0] + 1))
    largest = max(source.bytes_per_plane for source in sources)
    several = max(1, _MAX_COPY_BYTES // (largest * size))
    for first in range(low[0], high[0], several):
        planes = min(several, high[0] - first)
        copies = [source.copies(first, planes, area) for source in sources]
        for at in range(planes):
            some = order[bounds[first + at - low[0]] : bounds[first + at - low[0] + 1]]
            if len(some) == 0:
                continue
            # If every position of the area is wanted, which is the rule, slicing copies nothing.
            which = slice(None) if len(some) == size else rank[some]
            yield (
                some,
                [
                    copy[:, at : at + source.lengths[0]].reshape(-1, size)[:, which]
                    for copy, source in zip(copies, sources, strict=True)
                ],
            )
