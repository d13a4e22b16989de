"""Several inputs: files, those of folders, and those of a table, each with a name of its own."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from preddiff.errors import InputError
from preddiff.media import images, maps, ours, volumes
from preddiff.media.dicom.files import holds_any, is_dicom
from preddiff.media.names import names_told_apart, result_name
from preddiff.media.tables import is_missing, lines_named, rows_of

_RESULT = ".zarr"
_NO_NAME = re.compile(r"[\x00-\x1f/\\:*?\"<>|]")  # in a name of a file, on one system or another


@dataclass(frozen=True)
class Listed:
    """One of several inputs.

    Attributes
    ----------
    path : its file, or the folder of its slices.
    name : of its results, with the folders that they go to; no two inputs share one.
    target, mask : its own; None is that of all.
    """

    path: Path
    name: str
    target: str | None = None
    mask: Path | None = None


def is_many(path: Path) -> bool:
    """Return whether a path is a folder of inputs: not a file, and not the slices of one scan."""
    return os.path.isdir(path) and not holds_any(path)  # noqa: PTH112 - too long a name


def listed(paths: Sequence[Path]) -> list[Listed]:
    """Return files, and what folders hold, in this order.

    Results of what lies in a folder go to the same folders below the output. Where two would have
    one name, the ending of the input, and then names of its folders, tell them apart.

    Raises
    ------
    InputError
        If a folder holds no input, or an input is named twice.
    """
    found: list[tuple[Path, str]] = []
    for path in paths:
        if is_many(path):
            found += [(each, _name_below(each, path)) for each in find_inputs(path)]
        else:
            found.append((path, result_name(path)))
    inputs = [path for path, _ in found]
    _refuse_repeated(inputs)
    names = names_told_apart(inputs, [name for _, name in found])
    return [Listed(path, name) for path, name in zip(inputs, names, strict=True)]


def listed_in(table: Path) -> list[Listed]:
    """Return the inputs in a table: columns path and, where there are such, target, mask and id.

    Paths are relative to the table's folder; an id is the name of the results.

    Raises
    ------
    InputError
        If the table cannot be read, a path is missing, or an id cannot be a name or is there twice.
    """
    rows = rows_of(table, ["path"])
    first = next(iter(rows.values()))
    rows = rows_of(table, ["path", "id"]) if "id" in first else rows
    paths = [table.parent / row["path"] for row in rows.values()]
    if "id" in first:
        names = _ids(table, {line: row["id"] for line, row in rows.items()})
    else:
        _refuse_repeated(paths)
        names = names_told_apart(paths, [result_name(path) for path in paths])
    targets = [_given(row, "target") for row in rows.values()]
    masks = [_given(row, "mask") for row in rows.values()]
    return [
        Listed(path, name, target, None if mask is None else table.parent / mask)
        for path, name, target, mask in zip(paths, names, targets, masks, strict=True)
    ]


def find_inputs(folder: Path) -> list[Path]:
    """Return the pictures, scans and series of slices in a folder and those below it, sorted.

    Figures, maps and results of our own, and what is hidden, are left out.

    Raises
    ------
    InputError
        If there is none.
    """
    found: list[Path] = []
    for root, folders, files in os.walk(folder):
        here = Path(root)
        folders[:] = sorted(each for each in folders if _is_visible(each) and not _is_result(each))
        if here != folder and holds_any(here):
            found.append(here)
        found += [here / each for each in sorted(files) if _is_input(here / each)]
    if not found:
        raise InputError(f"{folder}: no pictures or scans in this folder; check the path")
    return sorted(found)


def _is_visible(name: str) -> bool:
    return not name.startswith(".")


def _is_result(name: str) -> bool:
    return name.lower().endswith(_RESULT)


def _is_input(path: Path) -> bool:
    if not _is_visible(path.name):
        return False
    if path.name.lower().endswith(volumes.SCAN_EXTENSIONS):
        return not maps.is_map(path)
    return path.suffix.lower() in images.IMAGE_EXTENSIONS and not (
        ours.is_figure(path) or is_dicom(path)
    )


def _given(row: Mapping[str, str], column: str) -> str | None:
    text = row.get(column, "")
    return None if is_missing(text) else text


def _name_below(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder).with_name(result_name(path)))


def _refuse_repeated(paths: Iterable[Path]) -> None:
    """Raise an InputError if two paths lead to one file, by whatever links and letters."""
    seen: dict[tuple[int, int], Path] = {}
    for path in paths:
        try:
            found = path.stat()
        except OSError:  # which is said when it is opened
            continue
        other = seen.setdefault((found.st_dev, found.st_ino), path)
        if other is not path:
            raise InputError(f"{path}: named twice (also as {other}); name every input once")


def _ids(table: Path, rows: Mapping[int, str]) -> list[str]:
    """Return the ids of a table's rows, given by their lines."""
    lines = defaultdict[str, list[int]](list)
    for line, name in rows.items():
        if name.startswith(".") or _NO_NAME.search(name):
            raise InputError(
                f"{table}, line {line}: id {name!r} cannot be the name of a file; expected "
                "letters, digits, - and _"
            )
        lines[name.casefold()].append(line)
    for same in lines.values():
        if len(same) > 1:
            raise InputError(
                f"{table}, {lines_named(same)}: the same id {rows[same[0]]!r}; results need names "
                "of their own"
            )
    return list(rows.values())
