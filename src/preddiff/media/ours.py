"""Recognise files that this package wrote: it replaces nothing else."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from preddiff.errors import ResultError

SIGN = "preddiff"
"""What a figure's `Software` and a page's `generator` say."""

_PAGE_SIGN = f'<meta name="generator" content="{SIGN}">'.encode()
_HEAD_BYTES = 1 << 20  # in which a page or a netCDF file says what it is
_ARRAYS = frozenset({"relevance.npy", "evidence.npy", "window_start.npy"})


def check_destination(path: Path, is_ours: Callable[[Path], bool]) -> None:
    """Raise a ResultError if a file exists that this package did not write.

    Parameters
    ----------
    is_ours : one of the functions of this file.
    """
    # Path.is_file raises for a name that is too long.
    if os.path.isfile(path) and not is_ours(path):  # noqa: PTH113
        raise ResultError(
            f"{path}: exists and was not written by preddiff; remove it or choose another name"
        )


def is_figure(path: Path) -> bool:
    """Return whether a PNG file says that this package drew it."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            return image.info.get("Software") == SIGN
    except Exception:  # whatever a decoder makes of what is no PNG file
        return False


def is_page(path: Path) -> bool:
    """Return whether an HTML file says that this package made it."""
    return _PAGE_SIGN in _head(path)


def is_netcdf(path: Path) -> bool:
    """Return whether a netCDF file holds a result."""
    return _head(path).startswith(b"CDF") and b"preddiff_version" in _head(path)


def is_arrays(path: Path) -> bool:
    """Return whether an .npz file holds a result's arrays."""
    try:
        with zipfile.ZipFile(path) as file:
            return _ARRAYS.issubset(file.namelist())
    except Exception:  # whatever zipfile makes of what is no archive
        return False


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError:
        return b""
