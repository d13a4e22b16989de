"""Maps as NIfTI files, with the orientation of the scan they belong to; and scans that we made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import InputError, ResultError
from preddiff.media import nifti
from preddiff.media.atomic import atomic_write
from preddiff.media.grid import Grid

MAP_EXTENSIONS = (".nii", ".nii.gz")

MAP, SCAN = "map", "simulated scan"
"""What a file can be that we wrote; its description field says so."""

_MARK = "preddiff {}; not for diagnosis"
_NIFTI_2 = 540  # length of its header


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
        If the file cannot be written, or something else stands there.
    """
    path = Path(path)
    check_destination(path, kind)
    image = nifti_image(values, grid, kind)
    with atomic_write(path) as written:
        image.to_filename(written)
    return path


def is_map(path: Path, kind: str = MAP) -> bool:
    """Whether a file is a map (or what else is asked for) that this package wrote."""
    try:
        return bytes(nifti.load(path).header["descrip"]).startswith(_MARK.format(kind).encode())
    except (InputError, KeyError, ValueError):
        return False


def check_destination(path: Path, kind: str = MAP) -> None:
    """Raise a ResultError if a file stands there that is no map of ours: it may be a scan."""
    if path.exists() and not is_map(path, kind):
        raise ResultError(f"{path}: exists and is no {kind}; remove it or choose another name")


def nifti_image(values: NDArray[Any], grid: Grid, kind: str = MAP) -> Any:
    """A NIfTI image with the grid's orientation and no text but our own."""
    from nibabel import Nifti1Image, Nifti2Image

    form: Any = Nifti2Image if grid.header.get("sizeof_hdr") == _NIFTI_2 else Nifti1Image
    image = form(np.moveaxis(values.T, -1, 3) if values.ndim == 4 else values.T, grid.affine)
    image.header.set_data_dtype(np.float32)
    image.header["descrip"] = _MARK.format(kind)
    for key, value in grid.header.items():
        if key == "pixdim":
            image.header["pixdim"][:4] = value
        else:
            image.header[key] = value
    return image
