"""NIfTI and Analyze files, opened safely."""

from __future__ import annotations

import gzip
import math
import os
import struct
import sys
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from preddiff.errors import InputError, first_line
from preddiff.media import packed
from preddiff.media.complaints import unlogged
from preddiff.media.reading import MAX_DEFLATE_RATIO, check_file, check_memory

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage

_MAX_VOXELS = 2**30  # a scan of 1024³
_HEADER_BYTES = {"f": 348, "q": 540}  # of NIfTI-1 and NIfTI-2, by how the offset is stored
_VOXEL_OFFSET_AT = {"f": 108, "q": 168}
_READ_BYTES = 2**20  # at once
_MAX_EXTENSION_BYTES = 2**24  # of what else a header may hold: texts, XML, a DICOM header


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
    image = load(path)
    voxels = math.prod(map(int, image.shape))
    if min(image.shape, default=0) < 1 or voxels > _MAX_VOXELS:
        shape = "×".join(map(str, image.shape))
        raise InputError(
            f"{path}: its header claims {shape} voxels: expected 1 to {_MAX_VOXELS:,}; check the "
            "file, or crop the scan"
        )
    # Of a pair .hdr and .img the values lie in the latter.
    data_file = Path(image.file_map["image"].filename)
    size = check_file(data_file, InputError, "a scan", sys.maxsize) if data_file.exists() else 0
    claimed = image.dataobj.offset + voxels * image.get_data_dtype().itemsize
    if claimed > size * (MAX_DEFLATE_RATIO if packed.is_packed(data_file) else 1):
        raise InputError(
            f"{path}: its header claims {claimed:,} bytes, more than {size:,} bytes of "
            f"{data_file.name} can hold; the file is cut off, get it anew"
        )
    check_memory(path, voxels * _bytes_per_voxel(image.get_data_dtype()), InputError)
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
    except ModuleNotFoundError:
        raise InputError(f"{path}: scans need nibabel; install preddiff[volumes]") from None
    check_file(path, InputError, "a scan", sys.maxsize)
    try:
        _check_extensions(path)
        # Also of an SPM .mat with an affine for each volume: there is only one, which is the first.
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
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


@contextmanager
def quiet() -> Iterator[None]:
    """Let nibabel log, and numpy warn, nothing of a header: what is wrong is refused by name."""
    with unlogged("nibabel.global"), np.errstate(all="ignore"):
        yield


def _by_name(path: Path) -> Any:
    import nibabel

    return nibabel.load(path, mmap=False)


def damage(error: Exception) -> str:
    """Return what to say of another library's exception on a scan."""
    return f"the scan is damaged ({type(error).__name__}: {first_line(error)}); get it anew"


def _check_extensions(path: Path) -> None:
    """Raise if what follows a NIfTI header claims to be large: nibabel reads what is claimed."""
    # nifti1.h: the length of the header comes first and tells the order of bytes; a byte after the
    # header tells whether extensions follow, each with its length first, up to the voxels, whose
    # offset NIfTI-1 has as a float and NIfTI-2 as an integer; or to the end of a .hdr.
    with _opened(path) as file:
        head = file.read(_HEADER_BYTES["q"] + 4)
        known = {
            struct.pack(order + "i", length): (order, kind, length)
            for order in "<>"
            for kind, length in _HEADER_BYTES.items()
        }
        if head[:4] not in known:
            return
        order, kind, length = known[head[:4]]
        if not any(head[length : length + 1]):
            return
        (offset,) = struct.unpack_from(order + kind, head, _VOXEL_OFFSET_AT[kind])
        end = math.inf if path.suffix.lower() == ".hdr" else offset
        file.seek(length + 4)
        while file.tell() + 16 <= end and len(start := file.read(8)) == 8:
            (claimed,) = struct.unpack(order + "i", start[:4])
            if not 8 <= claimed <= _MAX_EXTENSION_BYTES:
                raise InputError(
                    f"{path}: an extension of its header claims {claimed:,} bytes, expected at "
                    f"most {_MAX_EXTENSION_BYTES:,}; get the file anew"
                )
            file.seek(claimed - 8, os.SEEK_CUR)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"  # gzip's magic number (RFC 1952)
        file.seek(0)
        if not packed:
            yield file
            return
        with gzip.open(file) as unpacked:
            yield cast(IO[bytes], unpacked)


def _bytes_per_voxel(stored: np.dtype[Any]) -> int:
    """Bytes that reading takes at most: as stored, as numpy scales it, in float32, and a check."""
    if stored.kind not in "fiu":
        return stored.itemsize  # refused when its values are wanted
    scaled = np.promote_types(stored, np.float32).itemsize
    return stored.itemsize + scaled + (4 if scaled > 4 else 0) + 1
