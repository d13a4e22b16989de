"""Files of a DICOM series in a folder, by their content: names and endings say little."""

from pathlib import Path
from typing import Literal

from preddiff.errors import InputError

# A DICOM file begins with 128 bytes that mean nothing, and then these four (PS3.10, section 7.1).
_PREAMBLE_LENGTH, _MAGIC = 128, b"DICM"
_FIRST_GROUPS = (0x0002, 0x0008)  # of a data set that was written without them
_MAX_FIRST_LENGTH = 1 << 10  # bytes of its first element, which is a number or a short text
_DIRECTORY = "dicomdir"
_TEXT_BYTES = 1 << 12


def find(folder: Path) -> list[Path]:
    """Return the DICOM files in a folder, sorted by name, without its DICOMDIR.

    Raises
    ------
    InputError
        If a file beside them is named as they are and is none: a slice that was damaged.
    """
    files = [path for path in visible(folder) if path.name.lower() != _DIRECTORY]
    slices = [path for path in files if is_dicom(path)]
    endings = {_ending(path) for path in slices}
    for path in files:
        if path not in slices and _ending(path) in endings and not _is_text(path):
            raise InputError(
                f"{path}: no DICOM file, but named like the slices beside it; get it anew, or "
                "remove it if it is none of them"
            )
    return slices


def holds_any(folder: Path) -> bool:
    """Return whether there are DICOM files in a folder, or a directory of those below it."""
    return any(is_dicom(path) for path in visible(folder))


def folders_below(folder: Path) -> list[Path]:
    """Return the folders below a folder that hold DICOM files, sorted."""
    below = sorted(path for path in folder.rglob("*") if path.is_dir())
    return [path for path in below if holds_any(path)]


def visible(folder: Path) -> list[Path]:
    """Return the files in a folder, sorted; those of the system (`._a.dcm`) are left out."""
    return [p for p in sorted(folder.iterdir()) if not p.name.startswith(".") and p.is_file()]


def is_dicom(path: Path) -> bool:
    """Return whether a file holds a DICOM data set, with or without the usual beginning."""
    try:
        with path.open("rb") as file:
            head = file.read(_PREAMBLE_LENGTH + len(_MAGIC))
    except OSError:  # it may not be read by this user
        return False
    return head[_PREAMBLE_LENGTH:] == _MAGIC or _is_data_set(head)


def _is_data_set(head: bytes) -> bool:
    """Return whether bytes begin with an element of DICOM: tag, perhaps type, and length."""
    # PS3.5, section 7.1. Elements are sorted by their tags, and the first group is one of two.
    orders: tuple[Literal["little", "big"], ...] = ("little", "big")
    for order in orders:
        if int.from_bytes(head[:2], order) not in _FIRST_GROUPS:
            continue
        if head[4:6].isalpha() and head[4:6].isupper():  # its type is explicit
            return True
        return 0 < int.from_bytes(head[4:8], order) <= _MAX_FIRST_LENGTH
    return False


def _ending(path: Path) -> str:
    """The ending of a name; a number is none, as in names that are identifiers (1.2.840.1)."""
    ending = path.suffix.lower()
    return "" if ending[1:].isdigit() else ending


def _is_text(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(_TEXT_BYTES)
    return bool(head) and b"\0" not in head
