"""Names: of an input, and of the results that are made of it."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from preddiff.media import several
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
    if parts := several.paths(path):
        return "+".join(map(result_name, parts))
    path = named(path)
    name = path.name or "scan"  # the root of a disk
    ending = next((e for e in _ENDINGS if name.lower().endswith(e)), "")
    if len(name) > len(ending) and not os.path.isdir(path):  # noqa: PTH112 - too long a name
        name = name[: len(name) - len(ending)]
    return _as_utf8(name)


def names_told_apart(paths: Sequence[Path], names: Sequence[str]) -> list[str]:
    """Return names of results of which no two are one, whatever a file system makes of letters.

    Where two are, the ending of the input, and then its folders, one by one, tell them apart.

    Parameters
    ----------
    paths : of the inputs, no two of them the same.
    names : what their results would be called, each by itself.
    """
    longer = [_longer_names(path, name) for path, name in zip(paths, names, strict=True)]
    steps = [0] * len(longer)
    while True:
        chosen = [each[step] for each, step in zip(longer, steps, strict=True)]
        same = [n for n in _repeated(chosen) if steps[n] + 1 < len(longer[n])]
        if not same:
            break
        for number in same:
            steps[number] += 1
    for number in _repeated(chosen):  # such as a-b/c.png and a/b-c.png
        chosen[number] = f"{chosen[number]}-{number + 1}"
    return chosen


def _longer_names(path: Path, name: str) -> list[str]:
    """Return a name, and longer ones of the same input."""
    path = named(path).absolute()
    folder, own = Path(name).parent, _as_utf8(path.name)
    above = [_as_utf8(part) for part in path.parent.parts[1:]]
    longer = ["-".join([*above[len(above) - n :], own]) for n in range(len(above) + 1)]
    return [name, *(str(folder / each) for each in longer)]


def _repeated(names: Sequence[str]) -> list[int]:
    """Return the numbers of names that file systems may take for another one's."""
    alike = [unicodedata.normalize("NFC", name).casefold() for name in names]
    times = Counter(alike)
    return [number for number, name in enumerate(alike) if times[name] > 1]


def _as_utf8(name: str) -> str:
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
