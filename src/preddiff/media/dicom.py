"""DICOM series: a folder of slices to one nibabel image, through highdicom."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from preddiff.errors import InputError, first_line

if TYPE_CHECKING:
    from nibabel import Nifti1Image

# A DICOM file begins with 128 bytes that mean nothing, and then these four (PS3.10, section 7.1).
_PREAMBLE_LENGTH, _MAGIC = 128, b"DICM"


def is_series(folder: Path) -> bool:
    """Return whether a path is a folder with DICOM files in it."""
    return bool(_dicom_files(folder))


def read(folder: Path) -> Nifti1Image:
    """Read the series in a folder: its values, with slope and intercept applied, and its affine.

    No other tag is taken over: nothing that identifies the patient.

    Raises
    ------
    InputError
        If the folder holds no series, several, or one whose slices are not evenly spaced.
    """
    files = _dicom_files(folder)
    if not files:
        raise InputError(f"{folder}: a folder without DICOM slices; name a scan")
    try:
        import highdicom
        import pydicom
        from nibabel import Nifti1Image
    except ModuleNotFoundError:
        raise InputError(
            f"{folder}: reading DICOM needs highdicom; install preddiff[dicom]"
        ) from None
    try:
        slices = [pydicom.dcmread(file) for file in files]
        series = {str(one.SeriesInstanceUID) for one in slices}
    except Exception as error:
        raise InputError(f"{folder}: its slices are damaged ({first_line(error)})") from None
    if len(series) > 1:
        raise InputError(
            f"{folder}: holds {len(series)} series, expected one; put each into a folder"
        )
    try:
        # highdicom orders the slices by their positions along the normal of the slice plane
        # (ImagePositionPatient · the cross product of ImageOrientationPatient), never by file name
        # or InstanceNumber, and refuses gaps. The presentation LUT would only change the display.
        volume = highdicom.get_volume_from_series(
            slices, dtype=np.float32, apply_presentation_lut=False
        )
    except Exception as error:
        raise InputError(f"{folder}: not one volume ({first_line(error)}); check it") from None
    # Two conventions differ. highdicom's affine maps indices (slice, row, column) to DICOM's
    # patient axes, millimetres towards left, posterior, superior (PS3.3, C.7.6.2.1.1). NIfTI maps
    # (column, row, slice), whose first index varies fastest, to right, anterior, superior. So with
    # A the former,
    #     affine = diag(-1, -1, 1, 1) · A · P,    P the exchange of the first and third index,
    # and the array is transposed as P says. No voxel is interpolated or flipped.
    exchange = np.eye(4)[[2, 1, 0, 3]]
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.affine @ exchange
    image = Nifti1Image(volume.array.T, affine)
    image.set_sform(affine, code="scanner")
    image.set_qform(affine, code="scanner")
    return image


def _dicom_files(folder: Path) -> list[Path]:
    """DICOM files in a folder by their content: names and endings say nothing."""
    if not os.path.isdir(folder):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
        return []
    return [path for path in sorted(folder.iterdir()) if path.is_file() and _is_dicom(path)]


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(_PREAMBLE_LENGTH)
        return file.read(len(_MAGIC)) == _MAGIC
