"""Arrays of a Zarr group, held against limits before a byte of them is unpacked."""

import json
import math
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from preddiff.errors import ResultError
from preddiff.media.reading import check_file, check_memory, failures_as, read_text

# Codecs that only compress. Zarr knows others, one of which, `pickle`, runs whatever code a file
# brings along, so everything that is not on this list is refused before an array is read.
_SAFE_CODECS = frozenset({"zstd", "blosc", "zlib", "gzip", "lz4"})
_MAX_CHUNKS = 100_000  # each is looked for by itself
_METADATA_BYTES = 1 << 20


@dataclass(frozen=True)
class StoredArray:
    """Claims of an array's metadata.

    Attributes
    ----------
    folder : with its chunks.
    nbytes, chunk_nbytes : of the array and of one chunk in memory.
    count : of chunks.
    codec : by which chunks are compressed; empty without.
    """

    folder: Path
    nbytes: int
    chunk_nbytes: int
    count: int
    codec: str


def check_group(path: Path) -> bool:
    """Raise unless a group holds plain arrays that fit into memory.

    Returns
    -------
    Whether every chunk is there. Those of which all values are the array's fill value need not be.

    Raises
    ------
    ResultError
        If it holds a link, objects, unknown codecs, damaged metadata, arrays or chunks that would
        take more memory than they may, or chunks that unpack to more than they should.
    """
    for file in path.rglob("*"):
        if file.is_symlink():  # it could show any file of the reader's machine as an array
            raise ResultError(f"{path}: holds a link ({file.name}); expected plain files")
        if not (file.is_file() or file.is_dir()):
            raise ResultError(f"{path}: holds a pipe or device ({file.name}); expected plain files")
    arrays = [_stored(path, file) for file in sorted(path.rglob(".zarray"))]
    sizes = [each.nbytes for each in arrays]
    # While one array is decoded there are up to three copies of it.
    largest = max((max(each.nbytes, each.chunk_nbytes) for each in arrays), default=0)
    check_memory(path, sum(sizes) + 2 * largest, ResultError)
    complete = True
    for array in arrays:
        chunks = list(_chunks(array))
        complete &= len(chunks) >= array.count
        for chunk in chunks:
            _check_chunk(path, array, chunk)
    return complete


def _chunks(array: StoredArray) -> Iterator[Path]:
    return (file for file in array.folder.iterdir() if not file.name.startswith("."))


def _stored(path: Path, file: Path) -> StoredArray:
    """Return what an array claims to be; a ResultError if it is no plain numbers or text."""
    name = file.parent.name

    def damaged(why: str) -> ResultError:
        return ResultError(f"{path}: the metadata of {name} are damaged ({why}); {_AGAIN}")

    with failures_as(damaged):
        metadata = json.loads(read_text(file, ResultError, "metadata", _METADATA_BYTES))
        codecs = [metadata["compressor"], *(metadata["filters"] or [])]
        used = [str(codec["id"]) for codec in codecs if codec]
        unknown = sorted(set(used) - _SAFE_CODECS)
        is_object = "O" in str(metadata["dtype"])  # numpy stores objects as pickles
        if unknown or is_object or len(used) > 1:
            raise ResultError(
                f"{path}: {name} is stored in a way ({', '.join(unknown) or 'objects'}) that "
                "could run code; expected plain numbers and text, as preddiff writes them"
            )
        return _claims(file.parent, metadata, used[0] if used else "")


def _claims(folder: Path, metadata: Mapping[str, object], codec: str) -> StoredArray:
    dtype = np.dtype(str(metadata["dtype"]))
    shape, chunks = (cast(list[int], metadata[key]) for key in ("shape", "chunks"))
    if dtype.kind not in "fiubU" or len(shape) != len(chunks):
        raise ValueError(f"dtype {dtype}, shape {shape}, chunks {chunks}")
    for length, chunk in zip(shape, chunks, strict=True):
        if type(length) is not int or type(chunk) is not int or length < 0 or chunk < 1:
            raise ValueError(f"shape {shape}, chunks {chunks}")
    count = math.prod(-(-n // c) for n, c in zip(shape, chunks, strict=True))
    if count > _MAX_CHUNKS:
        raise ValueError(f"more than {_MAX_CHUNKS:,} chunks")
    nbytes, chunk_nbytes = (math.prod(each) * dtype.itemsize for each in (shape, chunks))
    return StoredArray(folder, nbytes, chunk_nbytes, count, codec)


_AGAIN = "run the analysis again"


def _check_chunk(path: Path, array: StoredArray, file: Path) -> None:
    if file.is_dir():  # a group below this one, or keys with another separator
        return
    name = f"{array.folder.name}/{file.name}"

    def damaged(why: str) -> ResultError:
        return ResultError(f"{path}: the result is damaged ({name}: {why}); {_AGAIN}")

    check_file(file, ResultError, "a chunk of numbers")
    with failures_as(damaged):
        claimed = _UNPACKED[array.codec](file)
    if claimed > array.chunk_nbytes:
        raise damaged(f"unpacks to more than its {array.chunk_nbytes:,} bytes")


def _blosc(file: Path) -> int:
    """Bytes that a chunk of Blosc claims: the second word of its header (README_CHUNK_FORMAT)."""
    return int(struct.unpack("<4xI", _head(file, 8))[0])


def _lz4(file: Path) -> int:
    """Bytes that a chunk of numcodecs' LZ4 claims: its first word."""
    return int(struct.unpack("<I", _head(file, 4))[0])


def _zstd(file: Path) -> int:
    """Bytes that a frame of Zstandard claims (RFC 8878, section 3.1.1.1)."""
    head = _head(file, 6)
    descriptor = head[4]
    single, flag = bool(descriptor & 0x20), descriptor >> 6
    length = (1 if single else 0) if flag == 0 else 1 << flag
    begin = 5 + (not single) + (0, 1, 2, 4)[descriptor & 3]
    content = _head(file, begin + length)[begin:]
    if head[:4] != b"\x28\xb5\x2f\xfd" or not length:
        raise ValueError("no frame of Zstandard that says its length")
    return int.from_bytes(content, "little") + (256 if length == 2 else 0)


def _deflated(file: Path) -> int:
    """Bytes that zlib or gzip unpack, counted: the format does not say it. At most the limit."""
    unpacker = zlib.decompressobj(wbits=47)  # either header (zlib's manual, inflateInit2)
    count = 0
    with file.open("rb") as packed:
        while piece := packed.read(1 << 16):
            while piece and not unpacker.eof:
                count += len(unpacker.decompress(piece, 1 << 20))
                piece = unpacker.unconsumed_tail
                check_memory(file, count, ResultError)
    return count


def _head(file: Path, length: int) -> bytes:
    with file.open("rb") as opened:
        head = opened.read(length)
    if len(head) < length:
        raise ValueError("cut off")
    return head


_UNPACKED = {
    "": os.path.getsize,
    "blosc": _blosc,
    "lz4": _lz4,
    "zstd": _zstd,
    "zlib": _deflated,
    "gzip": _deflated,
}
