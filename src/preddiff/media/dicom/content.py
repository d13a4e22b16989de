"""Content of a DICOM file: its elements and pixels, held against the limit of memory."""

from __future__ import annotations

import io
import math
import struct
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import InputError
from preddiff.media.reading import check_file, check_memory

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

StoredFrames = Annotated[NDArray[np.generic], "frame row column"]
"""Pixels as the file has them."""

_PIECE_BYTES = 1 << 20
_RLE_RATIO = 64  # two bytes unpack to 128 at most (PS3.5, annex G.3.1)
# Markers that begin with a frame's size: of JPEG (T.81, table B.1) and of JPEG-LS (T.87, C.1.1).
_JPEG_START, _JPEG_SIZES = b"\xff\xd8", {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_JPEG_2000_SIZE = b"\xff\x4f\xff\x51"  # start of a codestream and of its size (T.800, A.5.1)


def read(file: Path, *, with_pixels: bool) -> Dataset:
    """Return the elements of a file; what comes after the header only with the pixels.

    Raises
    ------
    InputError
        If it is no plain file, or would take more memory than it may.
    """
    import pydicom

    check_file(file, InputError, "a DICOM file")
    with _Deflated(file) as opened:
        # Forced: without the preamble a file is as good, as long as it begins like one.
        return pydicom.dcmread(opened, stop_before_pixels=not with_pixels, force=True)


class _Deflated(io.BufferedReader):
    """A file whose rest is only asked for to be unpacked at once: counted before."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self._path = path

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        if size is None or size < 0:
            unpacker = zlib.decompressobj(-zlib.MAX_WBITS)  # PS3.5, annex A.5
            piece, count = content, 0
            while piece and not unpacker.eof:
                count += len(unpacker.decompress(piece, _PIECE_BYTES))
                piece = unpacker.unconsumed_tail
                check_memory(self._path, 2 * count, InputError)  # unpacked, and as elements
        return content


def pixels(file: Path, content: Dataset, taken: int) -> StoredFrames:
    """Return the pixels of a file with all its frames.

    Parameters
    ----------
    content : all of the file's elements.
    taken : bytes of memory that are needed besides.

    Raises
    ------
    InputError
        If they would take more memory than they may, or are of another size than the header says.
    """
    from PIL import Image

    shape = int(content.get("NumberOfFrames") or 1), int(content.Rows), int(content.Columns)
    stored = math.prod(shape) * int(content.get("BitsAllocated", 16)) // 8
    # Its bytes and their array; a frame at a time is rescaled in double precision.
    check_memory(file, taken + 2 * stored + 16 * shape[1] * shape[2], InputError)
    if "TransferSyntaxUID" not in content.file_meta:
        content.file_meta.TransferSyntaxUID = _guessed_syntax(content)
    if content.file_meta.TransferSyntaxUID.is_encapsulated:
        _check_coded(file, content, shape)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return content.pixel_array.reshape(shape)


def _check_coded(file: Path, content: Dataset, shape: tuple[int, int, int]) -> None:
    """Raise unless coded frames are as large as the header says: decoders believe the frames."""
    from pydicom.encaps import generate_frames

    is_rle = "RLE" in content.file_meta.TransferSyntaxUID.name
    for frame in generate_frames(content.PixelData, number_of_frames=shape[0]):
        if is_rle:
            check_memory(file, len(frame) * _RLE_RATIO, InputError)
        elif _size(frame) != shape[1:]:
            raise InputError(
                f"{file}: a coded frame is not of the {shape[1]}×{shape[2]} pixels that the header "
                "says; get it anew"
            )


def _size(frame: bytes) -> tuple[int, int] | None:
    """Return the rows and columns of a frame in JPEG, JPEG-LS or JPEG 2000; None of others."""
    start = frame.find(_JPEG_2000_SIZE)
    if start >= 0 and len(frame) >= start + 24:
        right, bottom, left, top = struct.unpack_from(">4I", frame, start + 8)
        return bottom - top, right - left
    at = len(_JPEG_START)
    while frame.startswith(_JPEG_START) and len(frame) >= at + 9 and frame[at] == 0xFF:
        marker, length, rows, columns = struct.unpack_from(">xBHxHH", frame, at)
        if marker in _JPEG_SIZES:
            return rows, columns
        at += 1 if marker == 0xFF else 2 + length  # bytes of 0xFF may fill up before a marker
    return None


def _guessed_syntax(content: Dataset) -> UID:
    """The transfer syntax of a file without a preamble, which is as it was found to be coded."""
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    is_implicit, is_little = content.original_encoding
    if is_implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if is_little else ExplicitVRBigEndian
