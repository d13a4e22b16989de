"""NIfTI and Analyze files, opened safely."""

from __future__ import annotations

import gzip
import math
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from preddiff.errors import InputError, first_line
from preddiff.media import packed

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage

_MAX_VOXELS = 2**30  # a scan of 1024³
_READ_BYTES = 2**20  # at once
_MAX_DEFLATE_RATIO = 1032  # a byte of .gz unpacks to at most so many (zlib's technical details)


def open_image(path: Path) -> SpatialImage:
    """Open the image in a file without reading more of it than the header.

    Raises
    ------
    InputError
        If it cannot be read, or claims more voxels than the file can hold or than is safe.
    """
    # A header of 348 bytes may claim any number of voxels, and nibabel allocates what it claims:
    # a damaged or malicious file must not take all memory. So the claim is held against a fixed
    # limit first, and then against what the bytes of the file can possibly unpack to.
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty (0 bytes); expected a scan")
    image = load(path)
    voxels = math.prod(image.shape)
    if min(image.shape, default=0) < 1 or voxels > _MAX_VOXELS:
        shape = "×".join(map(str, image.shape))
        raise InputError(
            f"{path}: its header claims {shape} voxels: expected 1 to {_MAX_VOXELS:,}; check the "
            "file, or crop the scan"
        )
    # Of a pair .hdr and .img the values lie in the latter.
    data_file = Path(image.file_map["image"].filename)
    size = data_file.stat().st_size if data_file.exists() else 0
    claimed = image.dataobj.offset + voxels * image.get_data_dtype().itemsize
    if claimed > size * (_MAX_DEFLATE_RATIO if packed.is_packed(data_file) else 1):
        raise InputError(
            f"{path}: its header claims {claimed:,} bytes, more than {size:,} bytes of "
            f"{data_file.name} can hold; the file is cut off, get it anew"
        )
    if packed.is_packed(data_file):
        _check_gzip(data_file, claimed)
    return image  # type: ignore[no-any-return]


def _check_gzip(path: Path, claimed: int) -> None:
    """Raise unless a packed file agrees with the checksum at its end, which nibabel never reads."""
    # nibabel stops after the last voxel, before gzip compares the CRC: flipped bits in the middle
    # would become values of the scan. Reading on to the end makes gzip compare; a file that goes on
    # far beyond what its header claims is not read on (it may never end).
    try:
        with gzip.open(path) as file:
            while file.tell() <= claimed + _READ_BYTES and file.read(_READ_BYTES):
                pass
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: {damage(error)}") from None


def load(path: Path) -> Any:  # nibabel's images have no common type with `dataobj.offset`
    """Return nibabel's image of a file, or raise an InputError."""
    try:
        from nibabel.filebasedimages import ImageFileError
        from nibabel.imageglobals import LoggingOutputSuppressor
    except ModuleNotFoundError:
        raise InputError(f"{path}: scans need nibabel; install preddiff[volumes]") from None
    try:
        with LoggingOutputSuppressor(), warnings.catch_warnings():
            # An SPM .mat may hold an affine for each volume; there is only one, which is the first.
            warnings.filterwarnings("ignore", message="More than one affine")
            image = packed.load(path) if packed.needs_opening(path) else _by_name(path)
    except ImageFileError:
        image = None
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{path}: {damage(error)}") from None
    if image is None:
        raise InputError(f"{path}: no scan that can be read; expected NIfTI or Analyze")
    return image


def _by_name(path: Path) -> Any:
    import nibabel

    return nibabel.load(path, mmap=False)


def damage(error: Exception) -> str:
    """Return what to say of another library's exception on a scan."""
    return f"the scan is damaged ({type(error).__name__}: {first_line(error)}); get it anew"
