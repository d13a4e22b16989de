"""Grid: the position of a volume's voxels in the world."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import SettingError

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
    header : the fields of a NIfTI header that the affine was read from, bit by bit, so that a
        written map has the same; empty where there was none.
    """

    shape: tuple[int, int, int]
    affine: Affine
    header: Mapping[str, object] = field(default_factory=dict)

    @property
    def axis_codes(self) -> tuple[str, str, str]:
        """The directions of x, y and z, e.g. ("R", "A", "S"); "?" where the file does not say."""
        # Both codes 0 means "unknown" (nifti1.h, method 1): the affine then only has the voxel
        # size, and nibabel's signs are a convention. They must not name a side of the body.
        if self.header and not (self.header["sform_code"] or self.header["qform_code"]):
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
        """Return whether both have the same voxels, to a hundredth of one at every corner."""
        # Programs round affines differently (float32 rows, quaternions), so bits cannot decide.
        # Neither can the entries: an error in the rotation grows with the distance from voxel
        # (0, 0, 0). An affine map's error is largest at a corner of the box, so eight suffice.
        if self.shape != other.shape:
            return False
        corners = np.indices((2, 2, 2)).reshape(3, -1).T * (np.array(self.shape) - 1)
        apart = np.linalg.norm(self.world(corners) - other.world(corners), axis=1)
        return bool(apart.max() <= _SAME_GRID_TOLERANCE_VOXELS * min(self.voxel_size))

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
        codes = "".join(self.axis_codes)
        return f"{lengths} voxels of {sizes} mm ({codes}) from ({origin})"


def affine_problem(affine: Affine) -> str | None:
    """Return what is wrong with an affine, or None."""
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        return "its affine has values that are NaN or infinite"
    # Without an inverse several voxels lie at one point of the world, and no point has a voxel.
    if math.isclose(float(np.linalg.det(affine[:3, :3])), 0.0, abs_tol=1e-12):
        return "its affine has no inverse"
    return None
