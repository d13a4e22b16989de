"""The voxels of a scan that a classifier looks at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import InputError, SettingError
from preddiff.media import volumes
from preddiff.media.folders import VolumeFolder
from preddiff.media.grid import Grid
from preddiff.types import Mask

VoxelValues = Annotated[NDArray[np.float32], "scan voxel"]
"""Values of the same voxels in several scans."""


@dataclass(frozen=True, eq=False)
class Voxels:
    """Some voxels of a grid.

    Attributes
    ----------
    grid : the scans' grid.
    mask : (z, y, x), true for the voxels that a classifier looks at.
    resampled : whether scans on other grids are interpolated to this one.
    """

    grid: Grid
    mask: Mask
    resampled: bool = False

    @classmethod
    def choose(
        cls,
        grid: Grid,
        mask: str | Path | None = None,
        slices: str | None = None,
        *,
        resampled: bool = False,
    ) -> Self:
        """Choose all voxels of a grid, or those that lie in a mask and in some slices.

        Parameters
        ----------
        mask : path of a volume on that grid; voxels that are not 0 are chosen.
        resampled : take the mask's own grid, to which scans are interpolated.
        slices : AXIS:START:STOP, e.g. sagittal:29:41. Slices are counted from 0, and STOP is the
            first one that is left out. AXIS is x, y or z, or the plane of the slices.

        Raises
        ------
        InputError, SettingError
            If the mask is on another grid, the scan has no such slices, or nothing is left.
        """
        if resampled and mask is not None:
            grid = volumes.read(mask, quiet=True).grid
        chosen = np.ones(grid.shape, dtype=bool) if mask is None else volumes.read_mask(mask, grid)
        if slices is not None:
            inside = np.zeros_like(chosen)
            inside[_slab(grid, slices)] = True
            chosen = chosen & inside
        if not chosen.any():
            raise InputError("no voxel lies in the mask and the slices; choose others")
        return cls(grid, chosen, resampled)

    def read(self, paths: Sequence[Path]) -> VoxelValues:
        """Read the values of these voxels from several scans, (scan, voxel) in C order.

        Only one whole scan is in memory at a time.
        """
        # Filled row by row: a list of arrays, stacked at the end, would need the memory twice.
        values = np.empty((len(paths), int(self.mask.sum())), dtype=np.float32)
        for row, scan in enumerate(self.scans(paths)):
            values[row] = scan[0, self.mask]
        return values

    def scans(self, paths: Sequence[Path]) -> VolumeFolder:
        """Return scans as they lie on the grid, one at a time in memory."""
        onto = self.grid if self.resampled else None
        return VolumeFolder(paths, onto, cure="resample it, or let it be resampled (--resample)")


def _slab(grid: Grid, slices: str) -> tuple[slice, ...]:
    """Index (z, y, x) of the slices that AXIS:START:STOP names."""
    name, *ends = slices.split(":")
    if len(ends) != 2 or not all(end.strip().isdecimal() for end in ends):
        raise SettingError(f"slices {slices!r}: expected AXIS:START:STOP, e.g. sagittal:29:41")
    axis, (start, stop) = grid.axis(name), map(int, ends)
    if not start < stop <= grid.shape[axis]:
        raise SettingError(
            f"slices {slices!r}: the scans have {grid.shape[axis]} along {name}: expected "
            f"0 ≤ START < STOP ≤ {grid.shape[axis]}"
        )
    slab = [slice(None)] * len(grid.shape)
    slab[axis] = slice(start, stop)
    return tuple(slab)
