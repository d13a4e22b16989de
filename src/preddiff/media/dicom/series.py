"""A DICOM series: files to one nibabel image, whose voxels lie where the headers say."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import InputError, InputWarning, first_line
from preddiff.media.dicom import content, files
from preddiff.media.dicom.frames import Frame, frames_of, rescaled
from preddiff.media.dicom.stack import ordered
from preddiff.media.grid import Grid
from preddiff.media.reading import check_memory

if TYPE_CHECKING:
    from nibabel import Nifti1Image
    from pydicom import Dataset

_MAX_VOXELS = 2**30  # a scan of 1024³
_BYTES_PER_VOXEL = 5  # in float32, and whether it is finite
_DIRECTORY_CLASS = "1.2.840.10008.1.3.10"  # Media Storage Directory: a DICOMDIR
_SHARED = {"SeriesInstanceUID": "series", "FrameOfReferenceUID": "frames of reference"}


def is_series(path: Path) -> bool:
    """Return whether a path is a DICOM file, or a folder with DICOM files in it."""
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
        return files.holds_any(path)
    return os.path.isfile(path) and files.is_dicom(path)  # noqa: PTH113 - as above


def read(path: Path) -> Nifti1Image:
    """Read the series in a folder or a file: its values, rescaled, and its affine.

    No other tag is taken over: nothing that identifies the patient.

    Raises
    ------
    InputError
        If it holds no series, several, or one whose slices are no volume.
    """
    try:
        import pydicom  # noqa: F401
    except ModuleNotFoundError:
        raise InputError(f"{path}: reading DICOM needs pydicom; install preddiff[dicom]") from None
    try:
        with warnings.catch_warnings():
            # pydicom tells of each element that is not quite as the standard has it.
            warnings.filterwarnings("ignore", module="pydicom")
            headers = _headers(path, files.find(path) if path.is_dir() else [path])
            frames, affine = ordered(
                path, [one for file, header in headers for one in frames_of(file, header)]
            )
            values = _values(path, frames)
    except (InputError, InputWarning):
        raise
    except Exception as error:
        raise InputError(f"{path}: not one volume ({first_line(error):.200}); check it") from None
    _check_scales(path, frames)
    return _image(values, affine)


def _headers(path: Path, found: Sequence[Path]) -> list[tuple[Path, Dataset]]:
    """The headers of the files that have pixels, which are all of one series."""
    every = [(file, content.read(file, with_pixels=False)) for file in found]
    headers = [(file, header) for file, header in every if "Rows" in header]
    if not headers:
        raise _nothing(path, every)
    for name, what in _SHARED.items():
        count = len({str(header.get(name)) for _, header in headers})
        if count > 1:
            raise InputError(f"{path}: holds {count} {what}, expected one; put each into a folder")
    return headers


def _nothing(path: Path, every: Sequence[tuple[Path, Dataset]]) -> InputError:
    """The error that there are no slices, which says where some are."""
    folder = path if path.is_dir() else path.parent
    is_directory = not every or any(
        str(header.get("SOPClassUID") or header.file_meta.get("MediaStorageSOPClassUID"))
        == _DIRECTORY_CLASS
        for _, header in every
    )
    if is_directory and (below := files.folders_below(folder)):
        names = ", ".join(str(one.relative_to(folder)) for one in below[:3])
        more = f" and {len(below) - 3} more" if len(below) > 3 else ""
        return InputError(f"{path}: its series lie in folders below; name one ({names}{more})")
    if path.is_dir():
        return InputError(f"{path}: a folder without DICOM slices; name a scan")
    return InputError(f"{path}: a DICOM file without an image; name a scan")


def _values(path: Path, frames: Sequence[Frame]) -> NDArray[np.float32]:
    """(slice, row, column), rescaled; memory holds the pixels of one file at a time."""
    shape = (len(frames), *frames[0].shape)
    if math.prod(shape) > _MAX_VOXELS:
        raise InputError(f"{path}: {shape} voxels: expected at most {_MAX_VOXELS:,}; crop the scan")
    taken = math.prod(shape) * _BYTES_PER_VOXEL
    check_memory(path, taken, InputError)
    values = np.empty(shape, dtype=np.float32)
    by_file: dict[Path, list[tuple[int, Frame]]] = {}
    for n, frame in enumerate(frames):
        by_file.setdefault(frame.file, []).append((n, frame))
    for file, own in by_file.items():
        elements = content.read(file, with_pixels=True)
        pixels = content.pixels(file, elements, taken)
        for n, frame in own:
            values[n] = rescaled(pixels[frame.index], elements, frame.scale)
    return values


def _check_scales(path: Path, frames: Sequence[Frame]) -> None:
    """Warn of a second scale: Philips and others store real-world values beside the rescale."""
    for frame in frames:
        if frame.scale.is_contradicted:
            slope, intercept = frame.scale.real_world[0]
            warnings.warn(
                InputWarning(
                    f"{path}: has two scales; values are rescaled (slope {frame.scale.slope:.6g}, "
                    f"intercept {frame.scale.intercept:.6g}), its real-world values are others "
                    f"(slope {slope:.6g}, intercept {intercept:.6g}): use what the model was "
                    "trained on"
                ),
                stacklevel=2,
            )
            return


def _image(values: NDArray[np.float32], affine: NDArray[np.float64]) -> Nifti1Image:
    from nibabel import Nifti1Image

    image = Nifti1Image(values.T, affine)
    image.set_sform(affine, code="scanner")
    image.set_qform(affine, code="scanner")
    z, y, x = values.shape
    # A qform cannot be sheared. Two that disagree would let viewers lay a map elsewhere.
    if not Grid((z, y, x), affine).is_like(Grid((z, y, x), image.get_qform())):
        image.set_qform(None, code="unknown")
    return image
