"""Slices through a volume in anatomical orientation: left on the left, head up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import SettingError
from preddiff.media.grid import Grid

# For each plane the direction of the body that a slice has on its right and at its top, and the
# direction in which slices follow each other: R right, A anterior (front), S superior (head). So
# a sagittal slice is seen from the patient's right, nose to the right, a coronal one from behind
# and an axial one from above, both with the patient's left on the left (neurological convention).
_DIRECTIONS = {"sagittal": "ASR", "coronal": "RSA", "axial": "RAS"}

# The same of a volume that does not say how it lies: axes of the file, as they are.
_FILE_AXES = {"sagittal": "yzx", "coronal": "xzy", "axial": "xyz"}

_OPPOSITE = dict(zip("RLASPI", "LRPIAS", strict=True))

# Cosine of the largest angle (0.8°) between an axis and the body's direction at which a slice still
# counts as lying at one coordinate; beyond it, the coordinate is that of its middle, "about".
_STRAIGHT_COSINE = 0.9999

PLANES = tuple(_DIRECTIONS)

_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(frozen=True)
class Plane:
    """A direction in which slices of a volume are drawn.

    Attributes
    ----------
    grid : of the volume; None if nothing says how it lies. Planes then follow the file's axes.
    name : sagittal, coronal or axial; of a volume without directions, across x, y or z.
    axes : indices among the axes (z, y, x) of the array: the axis that leads to the right, the one
        that leads up, and the one across which slices are cut.
    reversed_axes : whether each of the first two leads the other way in the array.
    letters : the body's directions at the left, right, bottom and top of a slice; None if unknown.
    """

    grid: Grid | None
    name: str
    axes: tuple[int, int, int]
    reversed_axes: tuple[bool, bool]
    letters: tuple[str, str, str, str] | None

    @staticmethod
    def of(grid: Grid | None, name: str) -> Plane:
        """Return the plane of a name in a volume.

        Raises
        ------
        SettingError
            If there is no such plane.
        """
        if name not in _DIRECTIONS:
            raise SettingError(f"plane {name!r}: expected one of {', '.join(PLANES)}")
        codes = ("?",) if grid is None else grid.axis_codes
        if grid is None or "?" in codes:
            right, up, across = ("zyx".index(axis) for axis in _FILE_AXES[name])
            return Plane(grid, name, (right, up, across), (False, False), None)
        # `codes` says where the file's axes x, y, z lead, e.g. LPS. Each wanted direction is one of
        # them or the opposite of one; arrays have the file's axes in reverse order, hence 2 - n.
        wanted = _DIRECTIONS[name]
        right, up, across = (
            2 - codes.index(code if code in codes else _OPPOSITE[code]) for code in wanted
        )
        is_reversed = (wanted[0] not in codes, wanted[1] not in codes)
        letters = (_OPPOSITE[wanted[0]], wanted[0], _OPPOSITE[wanted[1]], wanted[1])
        return Plane(grid, name, (right, up, across), is_reversed, letters)

    def cut(self, volume: NDArray[_Scalar], number: int) -> NDArray[_Scalar]:
        """Return a slice of a volume (z, y, x): rows from top to bottom, columns left to right."""
        right, up, across = self.axes
        is_right_reversed, is_up_reversed = self.reversed_axes
        # Row 0 of an image is its top. Along an axis that leads up, index 0 is the bottom, so rows
        # are taken backwards; along one that leads down, index 0 is the top already.
        from_bottom: NDArray[_Scalar] = volume.transpose(across, up, right)[number]
        return from_bottom[:: 1 if is_up_reversed else -1, :: -1 if is_right_reversed else 1]

    @property
    def aspect(self) -> float:
        """Height of a voxel over its width, in the slice."""
        if self.grid is None:
            return 1.0
        right, up, _ = (self.grid.voxel_size[2 - axis] for axis in self.axes)
        return up / right

    def caption(self, number: int) -> str:
        """Return the position of a slice: in mm right, anterior or superior, or as a voxel.

        Of an oblique scan, whose slices lie at no one coordinate, it is that of the slice's middle.
        """
        across = self.axes[2]
        mm = self.position(number)
        if self.grid is None or self.letters is None:
            return f"{'zyx'[across]} = voxel {number}"
        world = PLANES.index(self.name)
        step = self.grid.affine[:3, 2 - across]
        sign = "=" if abs(step[world]) > _STRAIGHT_COSINE * np.linalg.norm(step) else "≈"
        return f"{self.name}, {'xyz'[world]} {sign} {_number(mm)} mm"

    def position(self, number: int) -> float:
        """Return where the middle of a slice lies, in mm; by voxels, its number."""
        if self.grid is None or self.letters is None:
            return number
        middle = (np.array(self.grid.shape) - 1) / 2
        middle[self.axes[2]] = number
        return float(self.grid.world(middle[None])[0, PLANES.index(self.name)]) + 0.0

    @property
    def step(self) -> float:
        """Distance between two slices that follow each other, in mm; 1 by voxels."""
        return abs(self.position(1) - self.position(0))

    def nearest_slice(self, mm: float) -> int:
        """Return the slice whose middle is nearest to a coordinate in mm; by voxels, that voxel."""
        across = self.axes[2]
        if self.grid is None or self.letters is None:
            return round(mm)
        middles = np.tile((np.array(self.grid.shape) - 1) / 2, (self.grid.shape[across], 1))
        middles[:, across] = np.arange(len(middles))
        return int(np.abs(self.grid.world(middles)[:, PLANES.index(self.name)] - mm).argmin())


def _number(value: float) -> str:
    return f"{round(value, 1) + 0.0:g}".replace("-", "−")  # + 0.0 makes 0 of -0
