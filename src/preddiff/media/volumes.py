"""Volumes: scans in files to float arrays (1, z, y, x) on their grid.

Arrays keep the order of the file: x, y and z are its first, second and third axis, and nothing is
flipped or resampled. Values are the scan's own units, with the header's slope and intercept.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from preddiff.errors import InputError
from preddiff.media import dicom, maps, nifti
from preddiff.media.grid import Grid, affine_problem
from preddiff.media.orientation import orientation
from preddiff.types import Mask, Pixels

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage

VOLUME_EXTENSIONS = (".nii", ".nii.gz", ".hdr", ".img")
"""Endings of the files that a volume can be read from."""

SCAN_EXTENSIONS = (".nii", ".nii.gz", ".img")
"""One for each volume of a folder: a .hdr always has an .img beside it."""


@dataclass(frozen=True, eq=False)
class Volume:
    """A scan.

    Attributes
    ----------
    values : (1, z, y, x), in the scan's own units.
    grid : where its voxels lie.
    """

    values: Pixels
    grid: Grid


def is_volume(source: object) -> bool:
    """Return whether this is a volume, a nibabel image, or a path that names one."""
    if isinstance(source, str | Path):
        return str(source).lower().endswith(VOLUME_EXTENSIONS) or dicom.is_series(Path(source))
    return isinstance(source, Volume) or hasattr(source, "dataobj")


def stem(path: str | Path) -> str:
    """Return the name of a file without folders and ending; .nii.gz is one ending."""
    name = Path(path).name
    return name[: -len(".nii.gz")] if name.lower().endswith(".nii.gz") else Path(path).stem


def read(path: str | Path) -> Volume:
    """Read the scan in a NIfTI or Analyze file, or in a folder with the slices of a DICOM series.

    Raises
    ------
    InputError
        If there is none, it is damaged, no scan of three dimensions, larger than is safe, or has
        values that are not finite.
    """
    path = Path(path)
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises for a name that is too long
        raise InputError(f"{path}: no such file; check the path")
    if path.is_dir():
        return from_image(dicom.read(path), str(path))
    return from_image(nifti.open_image(path), str(path))


def from_image(image: SpatialImage, name: str = "the scan") -> Volume:
    """Return the volume of a nibabel image, which is not changed.

    Parameters
    ----------
    name : of the scan, for messages.

    Raises
    ------
    InputError
        As `read` does.
    """
    # Some programs store one volume with a fourth axis of length 1.
    if len(image.shape) > 3 and set(image.shape[3:]) == {1}:
        from nibabel.funcs import squeeze_image

        image = squeeze_image(image)
    if len(image.shape) != 3:
        shape = "×".join(map(str, image.shape))
        raise InputError(
            f"{name}: has {len(image.shape)} dimensions ({shape}), expected one volume of 3; take "
            "one of its volumes, or their mean (nibabel.four_to_three splits them)"
        )
    affine, header = orientation(image, name)
    if problem := affine_problem(affine):
        raise InputError(f"{name}: {problem}; correct its header")
    values = _values(image, name)
    _, z, y, x = values.shape
    return Volume(values, Grid((z, y, x), affine, header))


def opened(source: object) -> Volume | None:
    """Return the volume of whatever `is_volume`; None of anything else."""
    if not is_volume(source):
        return None
    if isinstance(source, str | Path):
        return read(source)
    return source if isinstance(source, Volume) else from_image(source)  # type: ignore[arg-type]


def read_mask(path: str | Path, grid: Grid | None, *, resampled: bool = False) -> Mask:
    """Read where a volume is not 0, (z, y, x).

    Parameters
    ----------
    grid : of the scan that it is for; None takes the mask as it is.
    resampled : take the nearest voxel of a mask on another grid.

    Raises
    ------
    InputError
        If its voxels are not those of `grid`, or it cannot be read.
    """
    mask = read(path)
    if grid is not None and not mask.grid.is_like(grid):
        if not resampled:
            raise InputError(
                f"{path}: a mask of {mask.grid}: expected the scan's {grid}; resample it, or let "
                "it be resampled (resample=True, --resample)"
            )
        mask = resample(mask, grid, nearest=True)
    return np.asarray(mask.values[0] != 0)


def resample(volume: Volume, grid: Grid, *, nearest: bool = False) -> Volume:
    """Return the volume on another grid, linearly interpolated; 0 outside of what it shows.

    Parameters
    ----------
    nearest : take the nearest voxel instead, as masks need it.
    """
    from nibabel.processing import resample_from_to

    # The value at a new voxel v is that of the old array at A_old⁻¹ · A_new · v, both affines to
    # the same world: only the two grids decide, never the order of a file's axes. Linear for scans
    # (order 1): a spline would overshoot at the edge of the head. A mask has no values between its
    # voxels (order 0).
    target = (grid.shape[::-1], grid.affine)
    moved = resample_from_to(
        maps.nifti_image(volume.values[0], volume.grid), target, order=0 if nearest else 1
    )
    return Volume(np.asarray(moved.dataobj, dtype=np.float32).T[None], grid)


def _values(image: SpatialImage, name: str) -> Pixels:
    """(1, z, y, x), scaled as the header says."""
    if image.get_data_dtype().kind not in "fiub":
        raise InputError(
            f"{name}: voxels of type {image.get_data_dtype()}: expected plain numbers; convert it"
        )
    try:
        # A file stores x fastest, so the transpose (z, y, x) is in C order and moves nothing.
        values = np.asarray(image.get_fdata(caching="unchanged", dtype=np.float32)).T
    except MemoryError:
        raise
    except Exception as error:
        raise InputError(f"{name}: {nifti.damage(error)}") from None
    bad = values.size - int(np.isfinite(values).sum())
    if bad:
        raise InputError(
            f"{name}: {bad:,} of {values.size:,} voxels are NaN or infinite: expected finite "
            "numbers; set those outside of the body to 0 (numpy.nan_to_num)"
        )
    return np.ascontiguousarray(values)[None]
