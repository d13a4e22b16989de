"""Recognise files that this package wrote: it replaces nothing else."""

import os
import re
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from PIL import Image

from preddiff.errors import ResultError

SIGN = "preddiff"
"""What a figure's `Software` and a page's `generator` say."""

_PAGE_SIGN = f'<meta name="generator" content="{SIGN}">'.encode()
_HEAD_BYTES = 1 << 20  # in which a page or a netCDF file says what it is
_ARRAYS = frozenset({"relevance.npy", "evidence.npy", "window_start.npy"})
_INTERACTIONS = frozenset({"matrix.npy", "error.npy", "regions.npy", "provenance.npy"})
_SAMPLER = frozenset({"kind.npy", "facts.npy"})
_TEXT_SIGN = f"<!-- {SIGN} -->\n"

CLASSIFIER_MARK = "preddiff_classifier"
"""Key of the format's version in the .skops files that we write."""

COHORT_COLUMNS = ("path", "group", "truth")
"""Columns of the table of a simulated cohort."""

SUMMARY_COLUMNS = (
    "input",
    "name",
    "state",
    "target",
    "label",
    "prediction",
    "seconds",
    "draws",
    "relative_error",
    "result",
    "error",
)
"""Columns of the summary of many results."""

REGION_COLUMNS = (
    "target",
    "region",
    "name",
    "elements",
    "relevance",
    "standard_error",
    "total",
    "speaks",
    "x_from",
    "x_to",
    "y_from",
    "y_to",
    "z_from",
    "z_to",
)
"""Columns of the table of a map over an atlas."""

_FIRST_REGION_COLUMNS = REGION_COLUMNS[: REGION_COLUMNS.index("x_from")]  # all, in older tables

# Rows of names that nobody but `preddiff cohort` gives; a table that somebody added to has others.
_COHORT_ROW = re.compile(r"scans/subject_\d+\.nii\.gz,\w+,(truth/subject_\d+\.nii\.gz)?")


def check_destination(
    path: Path, is_ours: Callable[[Path], bool], *, overwrite: bool = True
) -> None:
    """Raise a ResultError if a file exists that this package did not write.

    Parameters
    ----------
    is_ours : one of the functions of this file.
    overwrite : whether one that it did write may be replaced.
    """
    # Path.is_file raises for a name that is too long.
    if not os.path.isfile(path):  # noqa: PTH113
        return
    if not is_ours(path):
        raise ResultError(
            f"{path}: exists and was not written by preddiff; remove it or choose another name"
        )
    if not overwrite:
        raise ResultError(f"{path}: exists; choose another --output, or say --overwrite")


def check_not_read(written: Iterable[Path], read: Iterable[Path], kind: str) -> None:
    """Raise a ResultError if a file that is to be written is one that is read.

    Parameters
    ----------
    kind : of the files that are read, for the message.
    """
    taken = {identity for path in written if (identity := _identity(path)) is not None}
    for path in read:
        if _identity(path) in taken:
            raise ResultError(
                f"{path}: the results would overwrite the {kind}; choose another --output"
            )


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from others, by whatever links and letters; None without one."""
    try:
        found = path.stat()
    except (OSError, ValueError):  # no such file, or no such name
        return None
    return (found.st_dev, found.st_ino)


def is_figure(path: Path) -> bool:
    """Return whether a PNG file says that this package drew it."""
    if not os.path.isfile(path):  # noqa: PTH113 - a pipe would be waited for without end
        return False
    try:
        with Image.open(path, formats=["PNG"]) as image:
            return image.info.get("Software") == SIGN
    except Exception:  # whatever a decoder makes of what is no PNG file
        return False


def is_vector_figure(path: Path) -> bool:
    """Return whether a PDF or SVG file says that this package drew it."""
    head = _head(path)
    if head.startswith(b"%PDF"):
        return f"/Creator ({SIGN})".encode() in _tail(path)
    return f"<dc:title>{SIGN}</dc:title>".encode() in head


def is_page(path: Path) -> bool:
    """Return whether an HTML file says that this package made it."""
    return _PAGE_SIGN in _head(path)


def is_netcdf(path: Path) -> bool:
    """Return whether a netCDF file holds a result."""
    return _head(path).startswith(b"CDF") and b"preddiff_version" in _head(path)


def is_arrays(path: Path) -> bool:
    """Return whether an .npz file holds a result's arrays."""
    return _holds(path, _ARRAYS)


def is_interactions(path: Path) -> bool:
    """Return whether an .npz file holds interactions of regions."""
    return _holds(path, _INTERACTIONS)


def is_sampler(path: Path) -> bool:
    """Return whether an .npz file holds a sampler."""
    return _holds(path, _SAMPLER)


def is_classifier(path: Path) -> bool:
    """Return whether a .skops file holds a classifier of scans."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open("schema.json") as file:
            return f'"{CLASSIFIER_MARK}"'.encode() in file.read(_HEAD_BYTES)
    except Exception:  # whatever zipfile makes of what is no archive
        return False


def is_cohort_table(path: Path) -> bool:
    """Return whether a table is that of a simulated cohort, and nobody added to it."""
    columns, *rows = _head(path).decode(errors="replace").splitlines() or [""]
    return columns == ",".join(COHORT_COLUMNS) and all(map(_COHORT_ROW.fullmatch, rows))


def is_summary(path: Path) -> bool:
    """Return whether a table, CSV or Parquet, is the summary of many results."""
    head = _head(path)
    if head.startswith(b"PAR1"):
        return SIGN.encode() in _tail(path)
    return head.startswith(",".join(SUMMARY_COLUMNS).encode() + b"\n")


def is_region_table(path: Path) -> bool:
    """Return whether a table is that of a map over an atlas."""
    return _head(path).startswith(",".join(_FIRST_REGION_COLUMNS).encode())


def is_text(path: Path) -> bool:
    """Return whether a Markdown file is one that `signed` made."""
    return _head(path).startswith(_TEXT_SIGN.encode())


def signed(text: str) -> str:
    """Return a Markdown text that says, where readers do not see it, that we wrote it."""
    return _TEXT_SIGN + text


def unsigned(text: str) -> str:
    """Return a Markdown text without what `signed` added."""
    return text.removeprefix(_TEXT_SIGN)


def _holds(path: Path, names: frozenset[str]) -> bool:
    """Return whether an archive has files of all these names."""
    try:
        with zipfile.ZipFile(path) as file:
            return names.issubset(file.namelist())
    except Exception:  # whatever zipfile makes of what is no archive
        return False


def _tail(path: Path) -> bytes:
    """The end of a file, where a PDF file says who made it."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _HEAD_BYTES))
            return file.read(_HEAD_BYTES)
    except OSError:
        return b""


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError:
        return b""
