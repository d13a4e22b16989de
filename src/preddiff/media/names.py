"""Names: of an input, and of the results that are made of it."""

import os
import re
from pathlib import Path

from preddiff.media.images import IMAGE_EXTENSIONS

# Only these are cut off. What follows a dot may just as well be part of a name: folders of DICOM
# slices are called by UIDs, such as 1.2.840.55.1 and 1.2.840.55.2.
_ENDINGS = tuple(
    sorted(
        {".nii.gz", ".nii", ".hdr", ".img", ".mgz", ".mgh", ".dcm", ".jfif", *IMAGE_EXTENSIONS},
        key=len,
        reverse=True,
    )
)
_NOT_UTF8 = re.compile("[\udc80-\udcff]")  # how Python holds a byte of a name that is no UTF-8


def named(path: str | Path) -> Path:
    """Return a path that ends with a name: "." and ".." are of folders that have one."""
    path = Path(path)
    return path if path.name not in {"", ".."} else path.resolve()


def name_of_result(path: str | Path) -> str:
    """Return the name of a result without the ending of its folder, or of its file."""
    return named(path).name.removesuffix(".zip").removesuffix(".zarr")


def result_name(path: str | Path) -> str:
    """Return the name of an input's results: its own without folders and known ending.

    Bytes that are not UTF-8 become %XX, as no page or table can hold them.
    """
    path = named(path)
    name = path.name or "scan"  # the root of a disk
    ending = next((e for e in _ENDINGS if name.lower().endswith(e)), "")
    if len(name) > len(ending) and not os.path.isdir(path):  # noqa: PTH112 - too long a name
        name = name[: len(name) - len(ending)]
    return _NOT_UTF8.sub(lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", name)


def file_names(titles: list[str]) -> list[str]:
    """Return titles as parts of files' names: each another, also where letters' case is none."""
    names: list[str] = []
    for title in titles:
        name = plain = re.sub(r"[^\w.]+", "-", title).strip("-")
        number = 1
        while name.lower() in map(str.lower, names):  # constant:0.5 and constant:-0.5
            number += 1
            name = f"{plain}-{number}"
        names.append(name)
    return names
