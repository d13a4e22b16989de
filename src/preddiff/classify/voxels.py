"""Which voxels of a scan a classifier looks at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import InputError, SettingError
from preddiff.media import volumes
from preddiff.media.folders import VolumeFolder
from preddiff.media.grid import Grid


@dataclass(frozen=True, eq=False)
class Voxels:
    """Some voxels of a grid.

    Attributes
    ----------
    grid : of the scans.
    mask : (z, y, x), true for the voxels that are looked at.
    """

    grid: Grid
    mask: NDArray[np.bool_]

    @classmethod
    def choose(cls, grid: Grid, mask: str | Path | None = None, slices: str | None = None) -> Self:
        """All voxels of a grid, or those in a mask and in some slices.

        Parameters
        ----------
        mask : path of a volume on that grid.
        slices : AXIS:START:STOP, e.g. sagittal:29:41; slices are counted from 0, and STOP is the
            first that is not looked at. AXIS is x, y or z, or the plane of the slices.

        Raises
        ------
        InputError, SettingError
            If the mask is of another grid, the slices are none of the scan's, or nothing is left.
        """
        chosen = np.ones(grid.shape, dtype=bool) if mask is None else volumes.read_mask(mask, grid)
        if slices is not None:
            inside = np.zeros_like(chosen)
            inside[_box(grid, slices)] = True
            chosen = chosen & inside
        if not chosen.any():
            raise InputError("no voxel lies in the mask and the slices; choose others")
        return cls(grid, chosen)

    def of(self, paths: Sequence[Path]) -> NDArray[np.float32]:
        """Their values in several scans, (scan, voxel); memory holds one whole scan at a time."""
        values = np.empty((len(paths), int(self.mask.sum())), dtype=np.float32)
        for row, scan in enumerate(VolumeFolder(paths)):
            values[row] = scan[0, self.mask]
        return values


def _box(grid: Grid, slices: str) -> tuple[slice, ...]:
    name, *ends = slices.split(":")
    if len(ends) != 2 or not all(end.strip().isdecimal() for end in ends):
        raise SettingError(f"slices {slices!r}: expected AXIS:START:STOP, e.g. sagittal:29:41")
    axis, (start, stop) = grid.axis(name), map(int, ends)
    if not start < stop <= grid.shape[axis]:
        raise SettingError(
            f"slices {slices!r}: the scans have {grid.shape[axis]} along {name}: expected "
            f"0 ≤ START < STOP ≤ {grid.shape[axis]}"
        )
    box = [slice(None)] * len(grid.shape)
    box[axis] = slice(start, stop)
    return tuple(box)
