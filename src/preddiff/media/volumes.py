"""Volumes: scans in files to float arrays (1, z, y, x) on their grid.

Arrays keep the order of the file: x, y and z are its first, second and third axis, and nothing is
flipped or resampled. Values are the scan's own units, with the header's slope and intercept.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import InputError
from preddiff.media import dicom, maps, nifti
from preddiff.media import grid as grids
from preddiff.media.grid import Grid

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage

VOLUME_EXTENSIONS = (".nii", ".nii.gz", ".hdr", ".img")
_FILES = (".nii", ".nii.gz", ".img")  # one for each volume: a .hdr has an .img beside it


@dataclass(frozen=True, eq=False)
class Volume:
    """A scan.

    Attributes
    ----------
    values : (1, z, y, x), in the scan's own units.
    grid : where its voxels lie.
    """

    values: NDArray[np.float32]
    grid: Grid


def is_volume(source: Any) -> bool:
    """Whether this is a volume, nibabel's, or the path of a file named like one or of a series."""
    if isinstance(source, str | Path):
        return str(source).lower().endswith(VOLUME_EXTENSIONS) or dicom.is_series(Path(source))
    return isinstance(source, Volume) or hasattr(source, "dataobj")


def stem(path: str | Path) -> str:
    """Name of a file without folders and ending; .nii.gz is one ending."""
    name = Path(path).name
    return name[: -len(".nii.gz")] if name.lower().endswith(".nii.gz") else Path(path).stem


def read(path: str | Path) -> Volume:
    """The scan in a NIfTI or Analyze file, or in a folder with the slices of a DICOM series.

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
    return from_image(nifti.opened(path), str(path))


def from_image(image: SpatialImage, name: str = "the scan") -> Volume:
    """The same of an image of nibabel, which is not changed."""
    if len(image.shape) > 3 and set(image.shape[3:]) == {1}:
        from nibabel.funcs import squeeze_image

        image = squeeze_image(image)
    if len(image.shape) != 3:
        shape = "×".join(map(str, image.shape))
        raise InputError(
            f"{name}: has {len(image.shape)} dimensions ({shape}), expected one volume of 3; take "
            "one of its volumes, or their mean (nibabel.four_to_three splits them)"
        )
    affine, header = nifti.orientation(image, name)
    if wrong := grids.check(affine):
        raise InputError(f"{name}: {wrong}; correct its header")
    values = _values(image, name)
    z, y, x = values.shape
    return Volume(values[None], Grid((z, y, x), affine, header))


def opened(source: Any) -> Volume | None:
    """The volume of whatever `is_volume`; None of anything else."""
    if not is_volume(source):
        return None
    if isinstance(source, str | Path):
        return read(source)
    return source if isinstance(source, Volume) else from_image(source)


def read_mask(path: str | Path, grid: Grid | None, *, resampled: bool = False) -> NDArray[np.bool_]:
    """Where a volume is not 0, (z, y, x).

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
    """The volume on another grid, linearly interpolated; 0 outside of what it shows.

    Parameters
    ----------
    nearest : take the nearest voxel instead, as masks need it.
    """
    from nibabel.processing import resample_from_to

    where = (grid.shape[::-1], grid.affine)
    moved = resample_from_to(
        maps.nifti_image(volume.values[0], volume.grid), where, order=0 if nearest else 1
    )
    return Volume(np.asarray(moved.dataobj, dtype=np.float32).T[None], grid)


def contains_volumes(folder: str | Path) -> bool:
    """Whether a folder holds volumes."""
    return any(_is_one(path) for path in Path(folder).rglob("*"))


def find(folder: str | Path) -> list[Path]:
    """All volumes in a folder and the folders below it, sorted by path, but for maps of ours.

    Raises
    ------
    InputError
        If it is no folder or holds no volume.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected one with volumes in it")
    paths = sorted(path for path in folder.rglob("*") if _is_one(path) and not maps.is_map(path))
    if not paths:
        raise InputError(f"{folder}: no volumes in this folder ({', '.join(_FILES)})")
    return paths


def _is_one(path: Path) -> bool:
    return path.name.lower().endswith(_FILES)


def _values(image: SpatialImage, name: str) -> NDArray[np.float32]:
    """(z, y, x), scaled as the header says."""
    if image.get_data_dtype().kind not in "fiub":
        raise InputError(
            f"{name}: voxels of type {image.get_data_dtype()}: expected plain numbers; convert it"
        )
    try:
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
    return np.ascontiguousarray(values)
