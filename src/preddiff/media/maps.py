"""NIfTI files that this package writes: maps, and simulated scans, each on its scan's grid."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import InputError, ResultError
from preddiff.media import nifti
from preddiff.media.atomic import atomic_write
from preddiff.media.grid import Grid, unit_in_mm

if TYPE_CHECKING:
    from nibabel import Nifti1Image

MAP_EXTENSIONS = (".nii", ".nii.gz")
"""Endings of the files that maps can be written to."""

MAP, SCAN = "map", "simulated scan"
"""Kinds of files that this package writes; a file's description field says so."""

_DESCRIPTION = "preddiff {}; not for diagnosis"
_NIFTI2_HEADER_BYTES = 540  # NIfTI-1 has 348


def write(values: NDArray[np.floating], grid: Grid, path: str | Path, kind: str = MAP) -> Path:
    """Write a map as NIfTI, with the same affines, codes and voxels as the scan it belongs to.

    Parameters
    ----------
    values : (z, y, x), or (n, z, y, x): then the file has n volumes along its fourth axis.
    path : .nii or .nii.gz; an earlier file of its kind is replaced, nothing else is.
    kind : `MAP`, or `SCAN` for what is to be read as a scan.

    Raises
    ------
    ResultError
        If the file cannot be written, or something else has that name.
    """
    path = Path(path)
    check_destination(path, kind)
    image = nifti_image(values, grid, kind)
    with atomic_write(path) as written:
        image.to_filename(written)
    return path


def is_map(path: Path, kind: str = MAP) -> bool:
    """Return whether a file is a map (or of another kind) that this package wrote."""
    try:
        description = nifti.load(path).header["descrip"]
        return bytes(description).startswith(_DESCRIPTION.format(kind).encode())
    except (InputError, KeyError, ValueError):
        return False


def check_destination(path: Path, kind: str = MAP, *, overwrite: bool = True) -> None:
    """Raise a ResultError if a file exists there that is no map of ours: it may be a scan.

    Parameters
    ----------
    overwrite : whether a map of ours may be replaced.
    """
    if path.exists() and not is_map(path, kind):
        raise ResultError(f"{path}: exists and is no {kind}; remove it or choose another name")
    if path.exists() and not overwrite:
        raise ResultError(f"{path}: exists; choose another --output, or say --overwrite")


def nifti_image(values: NDArray[np.floating], grid: Grid, kind: str = MAP) -> Nifti1Image:
    """Return a NIfTI image of values (z, y, x) or (n, z, y, x) on a grid, with no text but ours."""
    from nibabel import Nifti1Image, Nifti2Image

    is_nifti2 = grid.header.get("sizeof_hdr") == _NIFTI2_HEADER_BYTES
    form: type[Nifti1Image] = Nifti2Image if is_nifti2 else Nifti1Image
    affine = grid.affine.copy()
    affine[:3] /= unit_in_mm(grid.header)  # the header's own unit
    # The transpose of (n, z, y, x) is (x, y, z, n): for nibabel the volumes come last anyway.
    image = form(np.moveaxis(values.T, -1, 3) if values.ndim == 4 else values.T, affine)
    image.header.set_data_dtype(np.float32)
    image.header["descrip"] = _DESCRIPTION.format(kind)
    # nibabel's constructor derives sform and qform from the affine it is given. Through a
    # quaternion that loses bits, and the scan's second transform is lost entirely, so that a viewer
    # which prefers the other one would show the map elsewhere. The scan's own fields are put back
    # as they were; pixdim[0] is the sign that the quaternion needs (qfac).
    for key, value in grid.header.items():
        if key == "pixdim":
            image.header["pixdim"][:4] = value
        else:
            image.header[key] = value
    return image
