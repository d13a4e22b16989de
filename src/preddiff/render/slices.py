"""Slices through a volume, turned as people look at them: left on the left, head up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import SettingError
from preddiff.media.grid import Grid

# Which way a slice leads to the right and up, and what it stands across.
_ANATOMICAL = {"sagittal": "ASR", "coronal": "RSA", "axial": "RAS"}
_BY_VOXELS = {"sagittal": "yzx", "coronal": "xzy", "axial": "xyz"}
_OPPOSITE = dict(zip("RLASPI", "LRPIAS", strict=True))
_STRAIGHT = 0.9999  # cosine of the angle from which on a scan is oblique

PLANES = tuple(_ANATOMICAL)


@dataclass(frozen=True)
class Plane:
    """How slices in one direction lie on paper.

    Attributes
    ----------
    grid : of the volume, or None where nothing says how it lies: then planes go by voxels.
    name : sagittal, coronal or axial; of a volume without directions, across x, y or z.
    axes : of arrays (z, y, x): that which leads to the right, that which leads up, and the one
        that slices are across.
    turned : whether the first two lead the other way and have to be turned round.
    letters : where left, right, bottom and top of a slice lie in the body; None if unknown.
    """

    grid: Grid | None
    name: str
    axes: tuple[int, int, int]
    turned: tuple[bool, bool]
    letters: tuple[str, str, str, str] | None

    @staticmethod
    def of(grid: Grid | None, name: str) -> Plane:
        """The plane of that name.

        Raises
        ------
        SettingError
            If there is no such plane.
        """
        if name not in _ANATOMICAL:
            raise SettingError(f"plane {name!r}: expected one of {', '.join(PLANES)}")
        codes = ("?",) if grid is None else grid.axis_codes
        if grid is None or "?" in codes:
            right, up, across = ("zyx".index(axis) for axis in _BY_VOXELS[name])
            return Plane(grid, name, (right, up, across), (False, False), None)
        leads = _ANATOMICAL[name]
        right, up, across = (
            2 - codes.index(code if code in codes else _OPPOSITE[code]) for code in leads
        )
        turned = (leads[0] not in codes, leads[1] not in codes)
        letters = (_OPPOSITE[leads[0]], leads[0], _OPPOSITE[leads[1]], leads[1])
        return Plane(grid, name, (right, up, across), turned, letters)

    def cut(self, volume: NDArray[Any], number: int) -> NDArray[Any]:
        """A slice of a volume (z, y, x) as rows from top to bottom, columns from left to right."""
        right, up, across = self.axes
        turned_right, turned_up = self.turned
        # Rows begin at the bottom unless they are turned round.
        upwards: NDArray[Any] = volume.transpose(across, up, right)[number]
        return upwards[:: 1 if turned_up else -1, :: -1 if turned_right else 1]

    @property
    def aspect(self) -> float:
        """How much taller than wide a voxel is."""
        if self.grid is None:
            return 1.0
        right, up, _ = (self.grid.voxel_size[2 - axis] for axis in self.axes)
        return up / right

    def caption(self, number: int) -> str:
        """Where a slice lies: in mm right, anterior or superior of the origin, or as a voxel.

        Of an oblique scan it is where the middle of the slice lies.
        """
        across = self.axes[2]
        if self.grid is None or self.letters is None:
            return f"{'zyx'[across]} = voxel {number}"
        middle = (np.array(self.grid.shape) - 1) / 2
        middle[across] = number
        world = PLANES.index(self.name)
        mm = self.grid.world(middle[None])[0, world] + 0.0
        step = self.grid.affine[:3, 2 - across]
        sign = "=" if abs(step[world]) > _STRAIGHT * np.linalg.norm(step) else "≈"
        return f"{self.name}, {'xyz'[world]} {sign} {_number(mm)} mm"

    def nearest_slice(self, mm: float) -> int:
        """The slice whose middle is nearest to a place in mm; by voxels, the slice itself."""
        across = self.axes[2]
        if self.grid is None or self.letters is None:
            return round(mm)
        places = np.tile((np.array(self.grid.shape) - 1) / 2, (self.grid.shape[across], 1))
        places[:, across] = np.arange(len(places))
        return int(np.abs(self.grid.world(places)[:, PLANES.index(self.name)] - mm).argmin())


def _number(value: float) -> str:
    return f"{round(value, 1) + 0.0:g}".replace("-", "−")
