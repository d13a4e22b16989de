"""Volumes as text within a page: the header of a NIfTI file and 16 bits a voxel, packed.

Each voxel is held as the step from the one before it along every axis in turn, so that what its
neighbours foretell is left out, and all low bytes stand before all high ones: both for gzip's sake.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from preddiff.render import colours
from preddiff.viewer.encoding import packed_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from preddiff.media.grid import Grid

LEVELS = 32700
"""Levels of a map's largest absolute value: a multiple of 100, so that each percent is a level."""

_ROUNDING = 1e-6  # of a level: what is exactly at a percentage is not above it
_UNKNOWN = -32768  # no window covers the voxel
_DEPTH = 4095  # levels of a scan; scanners deliver 12 bits


@dataclass(frozen=True, eq=False)
class Frame:
    """How a volume's voxels are turned so that they lead to the right, to the front and up.

    Attributes
    ----------
    turns : (3, 2), as nibabel has it: for x, y and z the axis that it becomes, and 1 or -1.
    affine : (4, 4), from a turned voxel to millimetres.
    oriented : whether the scan says which side is left; if not, nothing is turned, and the affine
        knows only how large voxels are.
    """

    turns: NDArray[np.float64]
    affine: NDArray[np.float64]
    oriented: bool

    def turned(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values (z, y, x) as (right, front, up)."""
        from nibabel.orientations import apply_orientation

        return np.asarray(apply_orientation(values.T, self.turns))

    @property
    def file(self) -> list[tuple[int, bool]]:
        """For z, y and x of the file: which axis it became, and whether it was flipped."""
        return [(int(axis), bool(way < 0)) for axis, way in self.turns[::-1]]


def frame(shape: tuple[int, ...], grid: Grid | None) -> Frame:
    """The frame of a volume (z, y, x), whose grid may be unknown or not say which side is left."""
    from nibabel.orientations import inv_ornt_aff, io_orientation

    if grid is None or "?" in grid.axis_codes:
        sizes = (1, 1, 1) if grid is None else grid.voxel_size
        return Frame(io_orientation(np.eye(4)), np.diag([*sizes, 1.0]), oriented=False)
    turns = io_orientation(grid.affine)
    return Frame(turns, grid.affine @ inv_ornt_aff(turns, shape[::-1]), oriented=True)


def pack_map(relevance: NDArray[np.floating], frame: Frame, level: int = 6) -> tuple[str, float]:
    """A map (z, y, x) of relevance or of its standard error, and its largest absolute value.

    Levels are rounded away from zero, so that exactly the values above n percent of the largest
    have a level above n percent of `LEVELS`.
    """
    end = colours.limit(relevance)
    share = colours.as_held(relevance) / end
    levels = np.copysign(np.ceil(np.abs(share) * LEVELS - _ROUNDING), share)
    levels = np.where(np.isfinite(share), levels, _UNKNOWN)
    return _packed(levels, frame, slope=end / LEVELS, compression=level), end


def pack_scan(scan: NDArray[np.floating], frame: Frame) -> str:
    """A scan (z, y, x), on a scale from its lowest to its highest value."""
    low, high = float(scan.min()), float(scan.max())
    slope = (high - low) / _DEPTH or 1.0
    return _packed(np.rint((scan - low) / slope), frame, slope=slope, offset=low)


def _packed(
    levels: NDArray[Any],
    frame: Frame,
    *,
    slope: float,
    offset: float = 0.0,
    compression: int = 6,
) -> str:
    """Levels, with a header that has no text: nothing that could name a patient."""
    from nibabel.nifti1 import Nifti1Header

    turned = frame.turned(levels).astype("<i2")
    header = Nifti1Header(endianness="<")
    header.set_data_dtype(np.int16)
    header.set_data_shape(turned.shape)
    header.set_xyzt_units("mm")
    header.set_zooms(np.linalg.norm(frame.affine[:3, :3], axis=0))
    header.set_sform(frame.affine, code="aligned")
    header["magic"], header["vox_offset"] = b"n+1", 352
    header["scl_slope"], header["scl_inter"] = slope, offset
    low_and_high = _steps(turned).reshape(-1, order="F").view(np.uint8).reshape(-1, 2).T
    first = np.frombuffer(header.binaryblock + bytes(4), dtype=np.uint8)
    return packed_bytes(np.concatenate([first, low_and_high.ravel()]), compression)


def _steps(levels: NDArray[np.int16]) -> NDArray[np.int16]:
    """From each voxel to the next along every axis; they wrap around as int16 does."""
    for axis in range(levels.ndim):
        levels = np.diff(levels, axis=axis, prepend=np.int16(0))
    return levels
