"""DICOM series: a folder of slices to one image of nibabel, by highdicom."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from preddiff.errors import InputError, first_line

_OFFSET, _MAGIC = 128, b"DICM"


def is_series(folder: Path) -> bool:
    """Whether a path is a folder with DICOM files in it."""
    return bool(_files(folder))


def read(folder: Path) -> Any:
    """The series in a folder as an image of nibabel: values with their slope, and the affine.

    No other tag is taken over: nothing of the patient.

    Raises
    ------
    InputError
        If the folder holds no series, several, or one whose slices are not evenly apart.
    """
    files = _files(folder)
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
        volume = highdicom.get_volume_from_series(
            slices, dtype=np.float32, apply_presentation_lut=False
        )
    except Exception as error:
        raise InputError(f"{folder}: not one volume ({first_line(error)}); check it") from None
    # Array axes are slice, row, column; DICOM's patient axes lead left and posterior.
    order = np.eye(4)[[2, 1, 0, 3]]
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.affine @ order
    image = Nifti1Image(volume.array.T, affine)
    image.set_sform(affine, code="scanner")
    image.set_qform(affine, code="scanner")
    return image


def _files(folder: Path) -> list[Path]:
    """Files in a folder that are DICOM, whatever they are called; they say so in their preamble."""
    if not os.path.isdir(folder):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
        return []
    return [path for path in sorted(folder.iterdir()) if path.is_file() and _is_dicom(path)]


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(_OFFSET)
        return file.read(len(_MAGIC)) == _MAGIC
