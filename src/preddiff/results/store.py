"""Results on disk: Zarr groups as docs/format.md specifies them. Nothing here unpickles."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xarray as xr

from preddiff.errors import ResultError, first_line
from preddiff.media.atomic import atomic_write
from preddiff.results.explanation import Explanation

FORMAT = 1
"""Version of the format, attribute `preddiff_format` of every result."""

# What writes bytes as they are or compresses them. Zarr knows other codecs, of which one,
# `pickle`, runs whatever code a file brings along.
_CODECS = frozenset({"zstd", "blosc", "zlib", "gzip", "lz4"})
_REQUIRED = frozenset({"relevance", "standard_error", "coverage", "prediction", "evidence"})


def save(explanation: Explanation, path: str | Path) -> Path:
    """Write a result as a Zarr group, which `load` and `xarray.open_zarr` read.

    It appears whole or not at all. A result that stood there is replaced; anything else is not.

    Raises
    ------
    ResultError
        If the folder cannot be written, or something else stands at `path`.
    """
    path = Path(path)
    check_destination(path)
    data = explanation.data.assign_attrs(preddiff_format=FORMAT)
    with atomic_write(path, folder=True) as written:
        # Version 2 of Zarr, because version 3 has no specified type for text yet.
        data.to_zarr(written, zarr_format=2, consolidated=True)
    return path


def check_destination(path: Path) -> None:
    """Raise a ResultError if something stands at `path` that is no result."""
    if path.exists() and not _is_result(path):
        raise ResultError(f"{path}: exists and is no result; remove it or choose another name")


def load(path: str | Path) -> Explanation:
    """The result that `save` wrote, in memory.

    Raises
    ------
    ResultError
        If there is none, it is damaged, of a newer format, or holds what is not plain numbers
        and text.
    """
    path = Path(path)
    if not path.exists():
        raise ResultError(f"{path}: no such result; check the path")
    if not _is_result(path):
        raise ResultError(f"{path}: not a result of preddiff; expected a folder NAME.zarr")
    for name, array in _arrays(path):
        _refuse_code(path, name, array)
    try:
        with xr.open_zarr(path, consolidated=False, chunks=None, zarr_format=2) as opened:
            data = opened.load()
    except Exception as error:
        raise ResultError(
            f"{path}: the result is damaged ({first_line(error)}); make it anew"
        ) from None
    if missing := _REQUIRED.difference(data):
        raise ResultError(f"{path}: {', '.join(sorted(missing))} missing; make the result anew")
    return Explanation(data)


def _is_result(path: Path) -> bool:
    """Whether this is a group with our mark, of a format that this version reads."""
    try:
        attributes = json.loads((path / ".zattrs").read_text())
    except (OSError, ValueError):
        return False
    version = attributes.get("preddiff_format") if isinstance(attributes, dict) else None
    if isinstance(version, int) and version > FORMAT:
        raise ResultError(
            f"{path}: format {version}, this version reads up to {FORMAT}; upgrade preddiff"
        )
    return isinstance(version, int)


def _arrays(path: Path) -> Iterator[tuple[str, Any]]:
    """Name and metadata of every array."""
    for file in path.rglob("*"):
        if file.is_symlink():
            raise ResultError(f"{path}: holds a link ({file.name}); expected plain files")
    for file in path.rglob(".zarray"):
        try:
            array = json.loads(file.read_text())
            yield file.parent.name, array
        except ValueError:
            raise ResultError(
                f"{path}: the result is damaged ({file.parent.name} has no readable metadata); "
                "make it anew"
            ) from None


def _refuse_code(path: Path, name: str, array: Any) -> None:
    """Raise unless an array holds plain numbers or text, compressed in a known way."""
    try:
        codecs = [array["compressor"], *(array["filters"] or [])]
        unknown = {str(codec["id"]) for codec in codecs if codec} - _CODECS
        is_object = "O" in str(array["dtype"])
    except (KeyError, TypeError):
        raise ResultError(f"{path}: the metadata of {name} are damaged; make it anew") from None
    if unknown or is_object:
        raise ResultError(
            f"{path}: {name} is stored in a way ({', '.join(sorted(unknown)) or 'objects'}) that "
            "could run code; expected plain numbers and text, as preddiff writes them"
        )
