"""Zip archives and arrays in .npz files, checked by their headers before anything is unpacked."""

import io
import math
import zipfile
from pathlib import Path
from typing import IO, Annotated

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import PreddiffError
from preddiff.media.reading import MAX_DEFLATE_RATIO, check_file, check_memory, failures_as

AnyArray = Annotated[NDArray[np.generic], "..."]
"""An array of a file, of any kind and shape."""

_MAX_MEMBERS = 10_000
_MAX_DEPTH = 3  # of archives in archives: scipy's sparse matrices are one, in skops files
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_arrays(
    path: str | Path, error: type[PreddiffError], expected: str, hint: str
) -> dict[str, AnyArray]:
    """Return all arrays in an .npz file; nothing is unpickled.

    Parameters
    ----------
    error : what is raised if there is no such plain file, it is damaged, or would take more memory
        than it may.
    expected, hint : what the file should be, and what to do, for messages.
    """
    check_file(path, error, expected)
    # Unpickling would run whatever code the file's author put into it.
    with (
        failures_as(lambda why: error(f"{path}: not {expected} ({why}); {hint}")),
        Path(path).open("rb") as file,
    ):
        check_archive(path, file, error)
        file.seek(0)
        with np.load(file, allow_pickle=False) as opened:
            return {name: opened[name] for name in opened.files}


def check_archive(
    path: str | Path, file: IO[bytes], error: type[PreddiffError], depth: int = 0
) -> None:
    """Raise unless an archive and the arrays in it are what they claim, and small enough.

    A few kilobytes may unpack to gigabytes, and the header of an array may claim any number of
    values, for which memory is taken before one of them is read.
    """
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        names = {member.filename for member in members}
        if len(members) > _MAX_MEMBERS or len(names) < len(members) or depth > _MAX_DEPTH:
            raise ValueError("too many files in it, or two of one name")
        check_memory(path, sum(member.file_size for member in members), error)
        for member in members:
            _check_member(path, archive, member, error, depth)


def _check_member(
    path: str | Path,
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    error: type[PreddiffError],
    depth: int,
) -> None:
    name = member.filename
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ValueError(f"{name} is packed in an unusual way")
    if member.file_size > member.compress_size * MAX_DEFLATE_RATIO + 64:
        raise ValueError(f"{name} claims more bytes than it can hold")
    if name.endswith(".npy"):
        with archive.open(member) as file:
            _check_array(name, file, member.file_size)
    elif name.endswith((".npz", ".zip")):
        check_archive(path, io.BytesIO(archive.read(member)), error, depth + 1)


def _check_array(name: str, file: IO[bytes], size: int) -> None:
    """Raise unless the header of an array fits the number of bytes that follow."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"{name} is of format {version}")
    shape, _, dtype = _HEADERS[version](file)
    if dtype.hasobject:
        raise ValueError(f"{name} holds objects, which could run code")
    claimed = math.prod(map(int, shape)) * dtype.itemsize
    if min(shape, default=0) < 0 or claimed != size - file.tell():
        raise ValueError(f"{name} claims {claimed:,} bytes, has {size - file.tell():,}")
