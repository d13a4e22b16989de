"""Volumes as text in a page: the header of a NIfTI file and 16 bits per voxel, packed.

As float32, a brain with three maps would take nearly 20 MB. Three steps make less than 5 of them:
values become 16-bit levels; each level becomes its difference from its neighbour along every axis,
so that smooth maps become small numbers around 0; and all low bytes are stored before all high
bytes, most of which are then 0 or 255, for gzip to find.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from preddiff.render import colours
from preddiff.viewer.encoding import pack_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from preddiff.media.grid import Grid

LEVELS = 32700
"""Level of a map's largest absolute value: a multiple of 100, so that each percent is a level."""

# A share of exactly 7 % times LEVELS may come out as 2289.0000000003, which must not be rounded up
# to the level above. Floats below LEVELS are at most 4e-12 apart, so this is far above their error.
_ROUNDING_ERROR_LEVELS = 1e-6

_UNKNOWN_LEVEL = -32768  # where no window covers the voxel
_CAP = 48_000_000  # bytes of a page's volumes; browsers take long to open more
_BYTES_PER_VOXEL = 1.6  # of a scan or map with noise, packed and as text
_SCAN_LEVELS = 4095  # scanners deliver 12 bits

_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(frozen=True, eq=False)
class DisplayAxes:
    """A volume's axes, turned to lead to the patient's right, front and top.

    Files store their axes in any order and direction. In the page all volumes have the same
    orientation (RAS+, nearest to the scan's own axes), so that its script never flips anything:
    axes are reordered and reversed here, which changes no value and interpolates nothing.

    Attributes
    ----------
    turns : (3, 2), as nibabel has it: for x, y and z the axis that it becomes, and 1 or -1.
    affine : (4, 4), from a voxel of the turned volume to millimetres.
    oriented : whether the scan says which side is left; if not, nothing is turned, and the affine
        only holds the size of voxels.
    scan_step, map_step : how many voxels along each axis a page holds the mean of: 1, 2, 4 …
    """

    turns: NDArray[np.float64]
    affine: NDArray[np.float64]
    oriented: bool
    scan_step: int = 1
    map_step: int = 1

    def turn(self, values: NDArray[_Scalar]) -> NDArray[_Scalar]:
        """Return values (z, y, x) as (right, front, up)."""
        from nibabel.orientations import apply_orientation

        return np.asarray(apply_orientation(values.T, self.turns))

    @property
    def file_axes(self) -> list[tuple[int, bool]]:
        """For z, y and x of the file: the axis that it became, and whether it was reversed."""
        return [(int(axis), bool(way < 0)) for axis, way in self.turns[::-1]]


def within_cap(frame: DisplayAxes, voxels: int, maps: int) -> DisplayAxes:
    """Return the frame with steps so large that a scan and its maps stay below the cap."""
    scan_step = map_step = 1
    while True:
        scan, shown = voxels / scan_step**3, maps * voxels / map_step**3
        if _BYTES_PER_VOXEL * (scan + shown) <= _CAP:
            return replace(frame, scan_step=scan_step, map_step=map_step)
        if shown >= scan:
            map_step *= 2
        else:
            scan_step *= 2


def _means(values: NDArray[np.floating], step: int) -> NDArray[np.floating]:
    """Means of blocks of step³ voxels, over those that are known; NaN where none is."""
    if step == 1:
        return values
    # A voxel at the far border may stand alone in its block, so counts differ.
    known = np.isfinite(values)
    sums, counts = (np.where(known, values, 0).astype(np.float64), known.astype(np.float64))
    for axis, length in enumerate(values.shape):
        begins = np.arange(0, length, step)
        sums, counts = (np.add.reduceat(each, begins, axis=axis) for each in (sums, counts))
    return sums / np.where(counts > 0, counts, np.nan)


def frame(shape: tuple[int, ...], grid: Grid | None) -> DisplayAxes:
    """Return the frame of a volume (z, y, x); its grid may be unknown, or not say what is left."""
    from nibabel.orientations import inv_ornt_aff, io_orientation

    if grid is None or "?" in grid.axis_codes:
        sizes = (1, 1, 1) if grid is None else grid.voxel_size
        return DisplayAxes(io_orientation(np.eye(4)), np.diag([*sizes, 1.0]), oriented=False)
    turns = io_orientation(grid.affine)
    return DisplayAxes(turns, grid.affine @ inv_ornt_aff(turns, shape[::-1]), oriented=True)


def pack_map(
    relevance: NDArray[np.floating], frame: DisplayAxes, level: int = 6
) -> tuple[str, float]:
    """Return a map (z, y, x) of relevance or of its standard error, and its largest absolute value.

    A voxel is shown if its share of the largest value is above n percent, in Python and on the
    page. The page only has levels, so rounding must not carry a value across a threshold. n percent
    is the level t = n · LEVELS / 100, a whole number. Rounded up, a share s with s · LEVELS > t has
    a level above t, and one with s · LEVELS ≤ t has a level of at most t: the comparison of levels
    and that of values agree. Rounded to nearest, shares just above t would fall on t and vanish.
    """
    relevance = _means(frame.turn(relevance), frame.map_step)
    end = colours.limit(relevance)
    share = colours.as_float32(relevance) / end
    levels = np.copysign(np.ceil(np.abs(share) * LEVELS - _ROUNDING_ERROR_LEVELS), share)
    levels = np.where(np.isfinite(share), levels, _UNKNOWN_LEVEL)
    packed = _pack(levels, frame, step=frame.map_step, slope=end / LEVELS, compression=level)
    return packed, end


def pack_scan(scan: NDArray[np.floating], frame: DisplayAxes) -> str:
    """Return a scan (z, y, x) in 12 bits from its lowest to its highest value."""
    scan = _means(frame.turn(scan), frame.scan_step)
    low, high = float(scan.min()), float(scan.max())
    slope = (high - low) / _SCAN_LEVELS or 1.0  # a constant scan has level 0 everywhere
    levels = np.rint((scan - low) / slope)
    return _pack(levels, frame, step=frame.scan_step, slope=slope, offset=low)


def _pack(
    levels: NDArray[np.float64],
    frame: DisplayAxes,
    *,
    step: int,
    slope: float,
    offset: float = 0.0,
    compression: int = 6,
) -> str:
    """Return levels below a header that is made anew, without text: nothing can name a patient.

    Parameters
    ----------
    levels : (right, front, up).
    step : how many voxels along each axis the page makes of one level.
    """
    from nibabel.nifti1 import Nifti1Header

    turned = levels.astype("<i2")
    header = Nifti1Header(endianness="<")
    header.set_data_dtype(np.int16)
    header.set_data_shape(turned.shape)
    header.set_xyzt_units("mm")
    header.set_zooms(np.linalg.norm(frame.affine[:3, :3], axis=0))
    header.set_sform(frame.affine, code="aligned")
    # The one field that a reader of NIfTI leaves alone where no statistic is told.
    header["intent_p1"] = step
    # One file, values after the 348 bytes of the header and 4 that say there are no extensions.
    header["magic"], header["vox_offset"] = b"n+1", 352
    header["scl_slope"], header["scl_inter"] = slope, offset
    low_and_high = _differences(turned).reshape(-1, order="F").view(np.uint8).reshape(-1, 2).T
    first = np.frombuffer(header.binaryblock + bytes(4), dtype=np.uint8)
    return pack_bytes(np.concatenate([first, low_and_high.ravel()]), compression)


def _differences(levels: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return the difference of each voxel from the one before it, along every axis in turn.

    int16 wraps around modulo 2¹⁶, and so do the sums by which the page undoes this: what overflows
    here comes back there, whatever the levels are.
    """
    for axis in range(levels.ndim):
        levels = np.diff(levels, axis=axis, prepend=np.int16(0))
    return levels
