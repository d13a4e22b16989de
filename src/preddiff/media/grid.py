"""Grid: the position of a volume's voxels in the world."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import SettingError
from preddiff.media import sides

FILE_AXES = {"x": 0, "y": 1, "z": 2}
"""The first, second and third axis of a file, which are the last, middle and first of arrays."""

Affine = Annotated[NDArray[np.float64], "4 4"]
"""From a voxel's (x, y, z, 1) to millimetres (right, anterior, superior, 1)."""

VoxelIndices = Annotated[NDArray[np.int64] | NDArray[np.float64], "voxel 3"]
"""Indices of voxels in an array, z, y, x; between voxels where they are not whole."""

Millimetres = Annotated[NDArray[np.float64], "voxel 3"]
"""Positions in the world: right, anterior, superior."""

# The direction letters between which the slices of a plane lie: sagittal slices go from left to
# right. A file's axis is of that plane if its axis code is one of the two.
_PLANES = {"sagittal": "LR", "coronal": "PA", "axial": "IS"}
_SAME_GRID_TOLERANCE_VOXELS = 0.01
_UNITS = {1: 1000.0, 2: 1.0, 3: 0.001}  # metres, millimetres and microns (nifti1.h, xyzt_units)
_FLAT = 1e-9  # volume of a voxel, as a share of what it had at right angles

_TURN_TOLERANCE = 0.05  # of a voxel's step: from there on, axes do not lead the same way


@dataclass(frozen=True)
class Turns:
    """Axes exchanged and reversed: no voxel changes its value.

    Attributes
    ----------
    axes : of z, y and x of a turned array, which axis (0, 1, 2) of the old one it is.
    reversed : whether it runs the other way.
    """

    axes: tuple[int, int, int]
    reversed: tuple[bool, bool, bool]

    @classmethod
    def of(cls, step: Affine) -> "Turns | None":
        """Return the turns nearest to a step from new voxels (x, y, z, 1) to old ones, or None."""
        linear = step[:3, :3]
        steps = np.rint(linear)
        signed = np.abs(steps)
        if (signed.sum(axis=0) != 1).any() or (signed.sum(axis=1) != 1).any():
            return None
        if np.abs(linear - steps).max() > _TURN_TOLERANCE:
            return None
        old_of = signed.argmax(axis=0)
        z, y, x = ((2 - int(old_of[new]), bool(steps[old_of[new], new] < 0)) for new in (2, 1, 0))
        return cls((z[0], y[0], x[0]), (z[1], y[1], x[1]))

    @property
    def are_none(self) -> bool:
        """True if nothing is turned."""
        return self.axes == (0, 1, 2) and not any(self.reversed)

    def applied(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values (..., z, y, x) as they lie after turning; a view."""
        lead = values.ndim - 3
        order = (*range(lead), *(lead + axis for axis in self.axes))
        turned: NDArray[Any] = values.transpose(order)[self._reversing]
        return turned

    def undone(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values as they lay before turning; a view."""
        lead = values.ndim - 3
        inverse = (lead + self.axes.index(axis) for axis in range(3))
        before: NDArray[Any] = values[self._reversing].transpose(*range(lead), *inverse)
        return before

    @property
    def _reversing(self) -> tuple[Any, ...]:
        return (..., *(slice(None, None, -1 if back else 1) for back in self.reversed))


@dataclass(frozen=True, eq=False)
class Grid:
    """The position of a volume's voxels; nothing in this package changes it behind the caller.

    Arrays are (channel, z, y, x): z, y, x are the third, second and first axis of the file, as it
    stores them, whatever direction of the body they are. Nothing is flipped or reordered; the
    affine says what lies where.

    Attributes
    ----------
    shape : (z, y, x), in voxels.
    affine : (4, 4), from a voxel's (x, y, z, 1) to millimetres right, anterior and superior.
    header : the fields of a NIfTI header that the affine was read from, bit by bit and in the
        file's own unit, so that a written map has the same; empty where there was none.
    """

    shape: tuple[int, int, int]
    affine: Affine
    header: Mapping[str, object] = field(default_factory=dict)

    @property
    def knows_sides(self) -> bool:
        """True if the file says which side is left; without a header, the affine does."""
        return self.doubt is None

    @cached_property
    def doubt(self) -> tuple[str, str] | None:
        """The reason why the file does not say which side is left, and the cure; else None."""
        return sides.doubt(self.header)

    @property
    def axis_codes(self) -> tuple[str, str, str]:
        """The directions of x, y and z, e.g. ("R", "A", "S"); "?" where the file does not say."""
        if not self.knows_sides:
            return ("?", "?", "?")
        from nibabel.orientations import aff2axcodes

        x, y, z = aff2axcodes(self.affine)
        return (str(x), str(y), str(z))

    @property
    def voxel_size(self) -> tuple[float, float, float]:
        """Millimetres along x, y and z."""
        # Column i of the affine is the step in the world from a voxel to its neighbour along axis
        # i, so its length is the voxel's size, whatever the rotation.
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0).tolist()
        return (x, y, z)

    def world(self, voxels: VoxelIndices) -> Millimetres:
        """Return the positions of voxels (z, y, x) in millimetres right, anterior, superior."""
        indices: NDArray[Any] = np.asarray(voxels)
        return indices[:, ::-1] @ self.affine[:3, :3].T + self.affine[:3, 3]

    def is_like(self, other: "Grid") -> bool:
        """Return whether both have the same voxels, to a hundredth of one at every corner.

        A grid that does not say which side is left is like none that does, whatever its numbers.
        """
        # Programs round affines differently (float32 rows, quaternions), so bits cannot decide.
        # Neither can the entries: an error in the rotation grows with the distance from voxel
        # (0, 0, 0). An affine map's error is largest at a corner of the box, so eight suffice.
        if self.shape != other.shape or self.knows_sides != other.knows_sides:
            return False
        corners = np.indices((2, 2, 2)).reshape(3, -1).T * (np.array(self.shape) - 1)
        apart = np.linalg.norm(self.world(corners) - other.world(corners), axis=1)
        return bool(apart.max() <= _SAME_GRID_TOLERANCE_VOXELS * min(self.voxel_size))

    def turns_to(self, other: "Grid") -> "Turns | None":
        """Return which axes to exchange and reverse so that arrays on this grid lie on the other.

        Returns
        -------
        None where that is not enough, or one of the two does not say which side is left.
        """
        if self.knows_sides != other.knows_sides:
            return None
        turns = Turns.of(np.linalg.inv(self.affine) @ other.affine)
        return turns if turns is not None and self.turned(turns).is_like(other) else None

    def turned(self, turns: "Turns") -> "Grid":
        """Return where the voxels of arrays lie whose axes were turned; without a header's bits."""
        z, y, x = (self.shape[axis] for axis in turns.axes)
        # From a turned voxel to the one that it was.
        step = np.zeros((4, 4))
        step[3, 3] = 1
        for new, (old, back) in enumerate(zip(turns.axes, turns.reversed, strict=True)):
            step[2 - old, 2 - new] = -1 if back else 1
            step[2 - old, 3] = self.shape[old] - 1 if back else 0
        header = {} if self.knows_sides else self.header
        return Grid((z, y, x), self.affine @ step, header)

    def axis(self, name: str) -> int:
        """Return which axis of an array (z, y, x) is x, y, z, sagittal, coronal or axial.

        Raises
        ------
        SettingError
            If there is no such axis, or the file does not say which way its axes lead.
        """
        if name in FILE_AXES:
            return 2 - FILE_AXES[name]
        if name not in _PLANES:
            raise SettingError(
                f"axis {name!r}: expected {', '.join([*FILE_AXES, *_PLANES])}; x is the file's "
                "first axis"
            )
        found = [2 - n for n, code in enumerate(self.axis_codes) if code in _PLANES[name]]
        if not found:
            raise SettingError(
                f"axis {name!r}: the scan does not say its directions; give x, y or z"
            )
        return found[0]

    def __str__(self) -> str:
        lengths = "×".join(str(n) for n in self.shape[::-1])
        sizes = "×".join(f"{size:.4g}" for size in self.voxel_size)
        origin = ", ".join(f"{value:.4g}" for value in self.affine[:3, 3])
        codes = "".join(self.axis_codes) if self.knows_sides else "sides unknown"
        return f"{lengths} voxels of {sizes} mm ({codes}) from ({origin})"


def mismatch(what: str, grid: Grid, owner: str, expected: Grid, cure: str) -> str:
    """Return the message that something lies on another grid than it should.

    Parameters
    ----------
    what, owner : whose the two grids are, e.g. "a mask" and "the scan's".
    cure : what to do, where both say which side is left; nothing else helps where one does not.
    """
    doubts = [(who, *its.doubt) for who, its in ((what, grid), (owner, expected)) if its.doubt]
    if doubts:
        cure = "; ".join(f"{who} {why}: {remedy}" for who, why, remedy in doubts)
    return f"{what} of {grid}: expected {owner} {expected}; {cure}"


def unit_in_mm(header: Mapping[str, object]) -> float:
    """Return how many millimetres the unit of a NIfTI header is long; 1 where it names none."""
    code = header.get("xyzt_units", 0)
    return _UNITS.get(code & 7, 1.0) if isinstance(code, int) else 1.0


def affine_problem(affine: Affine) -> str | None:
    """Return what is wrong with an affine, or None."""
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        return "its affine has values that are NaN or infinite"
    # Without an inverse several voxels lie at one point of the world, and no point has a voxel.
    with np.errstate(over="ignore", invalid="ignore"):
        box = math.prod(np.linalg.norm(affine[:3, :3], axis=0).tolist())
        size = abs(float(np.linalg.det(affine[:3, :3])))
    if not _FLAT * box < size < math.inf:
        return "its affine has no inverse"
    return None
