"""NIfTI and Analyze files, opened safely, and what their headers say of orientation."""

from __future__ import annotations

import gzip
import math
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import InputError, InputWarning, first_line

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage

_MOST = 2**30  # voxels that are read: a scan of 1024³
_CHUNK = 2**20
_DEFLATE = 1032  # what a byte of .gz can become, at most

# What a NIfTI header says of orientation, and all that is taken over from it: none of its texts.
_FIELDS = (
    "sizeof_hdr", "xyzt_units", "pixdim", "qform_code", "quatern_b", "quatern_c", "quatern_d",
    "qoffset_x", "qoffset_y", "qoffset_z", "sform_code", "srow_x", "srow_y", "srow_z",
)  # fmt: skip


def opened(path: Path) -> SpatialImage:
    """The image in a file, of which nothing but the header has been read.

    Raises
    ------
    InputError
        If it cannot be read, or claims more voxels than the file can hold or than is safe.
    """
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty (0 bytes); expected a scan")
    image = load(path)
    voxels, least = math.prod(image.shape), min(image.shape, default=0)
    if least < 1 or voxels > _MOST:
        shape = "×".join(map(str, image.shape))
        raise InputError(
            f"{path}: its header claims {shape} voxels: expected 1 to {_MOST:,}; check the file, "
            "or crop the scan"
        )
    held = Path(image.file_map["image"].filename)
    size = held.stat().st_size if held.exists() else 0
    claimed = image.dataobj.offset + voxels * image.get_data_dtype().itemsize
    if claimed > size * (_DEFLATE if held.suffix == ".gz" else 1):
        raise InputError(
            f"{path}: its header claims {claimed:,} bytes, more than {size:,} bytes of "
            f"{held.name} can hold; the file is cut off, get it anew"
        )
    if held.suffix == ".gz":
        _read_to_checksum(held, claimed)
    return image  # type: ignore[no-any-return]


def _read_to_checksum(path: Path, claimed: int) -> None:
    """Raise unless a packed file agrees with the checksum at its end, which nibabel never reads."""
    try:
        with gzip.open(path) as file:
            while file.tell() <= claimed + _CHUNK and file.read(_CHUNK):
                pass
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: {damage(error)}") from None


def load(path: Path) -> Any:
    """What nibabel makes of a file, or an InputError."""
    try:
        import nibabel
        from nibabel.filebasedimages import ImageFileError
        from nibabel.imageglobals import LoggingOutputSuppressor
    except ModuleNotFoundError:
        raise InputError(f"{path}: scans need nibabel; install preddiff[volumes]") from None
    try:
        with LoggingOutputSuppressor():
            return nibabel.load(path, mmap=False)
    except ImageFileError:
        raise InputError(f"{path}: no scan that can be read; expected NIfTI or Analyze") from None
    except Exception as error:
        raise InputError(f"{path}: {damage(error)}") from None


def orientation(image: SpatialImage, name: str) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Affine, and the header fields that say it."""
    from nibabel import AnalyzeImage, Nifti1Image, Nifti1Pair

    if not isinstance(image, Nifti1Pair):
        if isinstance(image, AnalyzeImage) and not _has_matrix(image):
            warnings.warn(
                InputWarning(
                    f"{name}: Analyze files do not say which side is left; taken as stored from "
                    "right to left, as SPM, FSL and nibabel do: check it, or use NIfTI"
                ),
                stacklevel=2,
            )
        image = Nifti1Image.from_image(image)
        image.set_sform(image.affine, code="aligned")
    try:
        affine = np.array(image.header.get_best_affine(), dtype=np.float64)
    except Exception as error:
        raise InputError(f"{name}: {damage(error)}") from None
    return affine, {key: _plain(key, image.header[key]) for key in _FIELDS}


def _has_matrix(image: Any) -> bool:
    """Whether an Analyze file has an affine beside it, as SPM writes them."""
    beside = image.file_map.get("mat")
    return bool(beside and beside.filename and Path(beside.filename).exists())


def _plain(key: str, value: NDArray[Any]) -> Any:
    """A header field as a number, or a list of them; of pixdim, what is of space."""
    return value[:4].tolist() if key == "pixdim" else value.tolist()


def damage(error: Exception) -> str:
    """What to say of another library's exception."""
    return f"the scan is damaged ({type(error).__name__}: {first_line(error)}); get it anew"
