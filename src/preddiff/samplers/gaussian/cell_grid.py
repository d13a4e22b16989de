"""CellGrid: a grid of cells over the positions that a patch can have in a volume."""

import math
from dataclasses import dataclass

import numpy as np

from preddiff.samplers.gaussian.axes import CellNumbers
from preddiff.types import Corners, Mask, WindowNumbers

_PATCHES_ACROSS = 5  # that are taken of a cell in each direction, where there are as many


@dataclass(frozen=True)
class CellGrid:
    """Cells of the positions that a patch can begin at (section 4.2 of the paper).

    Attributes
    ----------
    spatial : shape of the volumes.
    patch : length of a patch.
    cells : in each direction, no more than there are positions.
    """

    spatial: tuple[int, ...]
    patch: int
    cells: tuple[int, ...]

    @classmethod
    def over(cls, spatial: tuple[int, ...], patch: int, cells: tuple[int, ...]) -> "CellGrid":
        """Return a grid over volumes, with fewer cells where there are fewer positions."""
        positions = (n - patch + 1 for n in spatial)
        return cls(spatial, patch, tuple(map(min, cells, positions)))

    def numbers(self, corners: Corners) -> WindowNumbers:
        """Return the cell of each patch, from where it begins (n, dimension)."""
        # Along an axis with m positions and c cells, position i is in cell ⌊i·c/m⌋. So every
        # position has one cell, and cells differ by one position at most, also where c does not
        # divide m; a patch belongs to the cell that it begins in, however far it reaches out of it.
        cells, begins = np.array(self.cells), np.array(self.spatial) - self.patch + 1
        return np.asarray(np.ravel_multi_index(tuple((corners * cells // begins).T), self.cells))

    @property
    def step(self) -> tuple[int, ...]:
        """From one patch that statistics are taken of to the next, along each axis.

        1 in cells of up to five positions along it. In larger ones patches a few voxels apart say
        almost as much, for less work.
        """
        return tuple(
            math.ceil((n - self.patch + 1) / c / _PATCHES_ACROSS)
            for n, c in zip(self.spatial, self.cells, strict=True)
        )

    def touching(self, mask: Mask | None) -> CellNumbers:
        """Return cells of patches that hold a true voxel of the mask, ascending; all without one.

        Windows are analysed if they touch the mask, and a window's patch holds all of it: so these
        are all cells that such an analysis can ask for.
        """
        if mask is None:
            return np.arange(math.prod(self.cells))
        view = np.lib.stride_tricks.sliding_window_view(mask, (self.patch,) * mask.ndim)
        held = view.any(axis=tuple(range(mask.ndim, 2 * mask.ndim)))
        return np.unique(self.numbers(np.argwhere(held)))
