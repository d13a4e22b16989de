"""Scans in one file, packed or not, whatever the file's name says."""

from __future__ import annotations

import contextlib
import gzip
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from preddiff.errors import InputError

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage

_GZIP = b"\x1f\x8b"  # RFC 1952, section 2.3.1
_HEAD_BYTES = 1024  # more than any header that is recognised by its first bytes
_MGH_ENDINGS = (".mgh", ".mgz")
_GOOD_RAS_AT = 28  # in an MGH header: two bytes, 0 where nothing is said of directions


def is_packed(path: Path) -> bool:
    """Return whether a file is packed by gzip; by its content."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_GZIP)) == _GZIP


def needs_opening(path: Path) -> bool:
    """Return whether nibabel would open a file wrongly, by a name that does not say how it is."""
    name = path.name.lower()
    if name.endswith(_MGH_ENDINGS):
        return True  # nibabel leaves these files open
    if name.endswith((".nii", ".nii.gz")) and not path.name.endswith((".nii", ".nii.gz")):
        return True  # of capitals nibabel knows some
    if name.endswith(".nii.gz"):
        return not is_packed(path)
    return name.endswith(".nii") and is_packed(path)


def load(path: Path) -> SpatialImage | None:
    """Return nibabel's image of a NIfTI or MGH file, of which only the header is read; or None.

    Raises
    ------
    InputError
        If it is an MGH file that does not say where its voxels lie.
    """
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        content: Any = stack.enter_context(gzip.open(file)) if is_packed(path) else file
        image = _image(path, content)
        if image is not None:
            image.file_map["image"].filename = str(path)
            # Values are read when they are wanted, so the file stays open as long as the image.
            weakref.finalize(image, stack.pop_all().close)
    return image


def _image(path: Path, content: Any) -> SpatialImage | None:
    from nibabel import MGHImage, Nifti1Image, Nifti2Image

    head = content.read(_HEAD_BYTES)
    content.seek(0)
    if path.name.lower().endswith(_MGH_ENDINGS):
        if head[_GOOD_RAS_AT : _GOOD_RAS_AT + 2] == b"\0\0":
            raise InputError(
                f"{path}: does not say where its voxels lie (goodRASFlag is 0), expected a scan "
                "with directions; write it anew with them"
            )
        return MGHImage.from_stream(content)
    for kind in (Nifti1Image, Nifti2Image):
        if kind.header_class.may_contain_header(head):
            return kind.from_stream(content)
    return None
