"""Read the test files that nibabel, nilearn and pydicom ship, and print how each was read.

Run `python scripts/check_scan_files.py [--all]`; with `pip install pydicom-data` there are more.
Every file that one of the three opens, and every folder with DICOM files, must have the values and
places (mm) that the package's own reader gives, or be refused in one line. `--all` has a row for
each, not for each folder. The exit code is 1 where something is wrong.
"""

import importlib.util
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import nibabel
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels.processing import apply_modality_lut

from preddiff.errors import PreddiffError
from preddiff.media import Input, volumes
from preddiff.media.dicom.files import is_dicom
from preddiff.media.input import open_input

_PACKAGES = ("nibabel", "nilearn", "pydicom", "pydicom_data", "data_store")
_NO_SCANS = {".py", ".pyc", ".txt", ".rst", ".json", ".csv", ".tsv", ".md", ".sh", ".m", ".svg"}
_MM, _RELATIVE = 0.05, 1e-5  # places and values further apart than this are wrong
READ, REFUSED, WRONG = "read", "refused", "WRONG"


class Outcome(NamedTuple):
    """A file and what became of it: how far it is off where it was read, and what was said."""

    package: str
    name: str
    kind: str
    note: str
    values: float = 0.0
    mm: float = 0.0


def main(arguments: list[str]) -> int:
    outcomes = [_outcome(*source) for source in _sources()]
    print("| package | files | read, values and places right | refused in one line | wrong |")
    print("|---|---|---|---|---|")
    for package in dict.fromkeys(one.package for one in outcomes):
        kinds = Counter(one.kind for one in outcomes if one.package == package)
        counts = [kinds[READ], kinds[REFUSED], kinds[WRONG]]
        print(f"| {package} | {sum(kinds.values())} |", " | ".join(map(str, counts)), "|")
    _print_read([one for one in outcomes if one.kind == READ], each="--all" in arguments)
    for one in outcomes:
        if one.kind == WRONG or (one.kind == REFUSED and "--all" in arguments):
            print(f"{one.kind}: {one.name}: {one.note}")
    print("\n| refused | files |\n|---|---|")
    reasons = Counter(_reason(one.note) for one in outcomes if one.kind == REFUSED)
    for reason, count in reasons.most_common():
        print(f"| {reason} | {count} |")
    return int(any(one.kind == WRONG for one in outcomes))


def _print_read(outcomes: Iterable[Outcome], *, each: bool) -> None:
    """One row for the files of a folder of which the same was said, or for each."""
    rows: dict[tuple[str, str], list[Outcome]] = {}
    for one in outcomes:
        where = one.name if each else str(Path(one.name).parent)
        rows.setdefault((where, one.note), []).append(one)
    print("\n| read from | files | values apart, at most | mm apart, at most | said |")
    print("|---|---|---|---|---|")
    for (where, said), own in rows.items():
        values, mm = max(one.values for one in own), max(one.mm for one in own)
        print(f"| {where} | {len(own)} | {values:.1g} | {mm:.1g} | {said} |")


def _sources() -> Iterator[tuple[str, Path, Path]]:
    """Package, its folder, and a file or folder of it."""
    for package in _PACKAGES:
        found = importlib.util.find_spec(package)
        if found is None or not found.submodule_search_locations:
            continue
        root = Path(found.submodule_search_locations[0])
        for path in sorted(root.rglob("*")):
            if path.is_dir():
                if volumes.is_volume(path):
                    yield package, root.parent, path
            elif path.suffix not in _NO_SCANS and _is_opened(path):
                yield package, root.parent, path


def _is_opened(path: Path) -> bool:
    """Whether one of the packages opens it, or it is called a scan."""
    if volumes.is_volume(path):
        return True
    for open_it in (nibabel.load, pydicom.dcmread):
        try:
            with warnings.catch_warnings(action="ignore"):
                open_it(path)
        except Exception:  # noqa: S112 - each has exceptions of its own for what it is not
            continue
        return True
    return False


def _outcome(package: str, root: Path, path: Path) -> Outcome:
    name = str(path.relative_to(root))
    said = ""
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            read = open_input(path)
            said = "; ".join(_short(str(one.message), path) for one in told)
    except PreddiffError as error:
        text = str(error)
        is_line = len(text.splitlines()) == 1
        return Outcome(package, name, REFUSED if is_line else WRONG, _short(text, path))
    except Exception as error:
        return Outcome(package, name, WRONG, f"{type(error).__name__}: {error}")
    if read.grid is None:
        return Outcome(package, name, WRONG, "read as a picture")
    with warnings.catch_warnings(action="ignore"):
        of_slices = path.is_dir() or not str(path).lower().endswith(volumes.VOLUME_EXTENSIONS)
        values, mm = _from_dicom(read, path) if of_slices else _from_nibabel(read, path)
    largest = max(float(np.abs(read.values).max()), 1.0)
    is_right = values <= _RELATIVE * largest and mm <= _MM
    return Outcome(package, name, READ if is_right else WRONG, said, values, mm)


def _from_nibabel(read: Input, path: Path) -> tuple[float, float]:
    """How far values, and the places of corners in mm, are from those that nibabel gives."""
    image = nibabel.load(path)
    own = image.get_fdata().reshape(image.shape[:3], order="F")
    values = float(np.abs(read.values[0].T - own).max())
    corners = np.indices((2, 2, 2)).reshape(3, -1).T * (np.array(own.shape) - 1)
    places = nibabel.affines.apply_affine(image.affine, corners)
    return values, float(np.abs(read.grid.world(corners[:, ::-1]) - places).max())


def _from_dicom(read: Input, path: Path) -> tuple[float, float]:
    """The same against the headers of each file and frame, and the values that pydicom gives."""
    values = mm = 0.0
    for one in _datasets(path):
        stored = one.pixel_array.reshape(-1, one.Rows, one.Columns)
        for n, frame in enumerate(stored):
            groups = _groups(one, n)
            place = np.array(groups["ImagePositionPatient"], float)
            directions = np.array(groups["ImageOrientationPatient"], float)
            down, right = map(float, groups["PixelSpacing"])
            rows, columns = np.indices(frame.shape).reshape(2, -1)
            where = place + np.outer(columns, directions[:3] * right)
            where = (where + np.outer(rows, directions[3:] * down)) * [-1, -1, 1]
            voxels = nibabel.affines.apply_affine(np.linalg.inv(read.grid.affine), where)
            nearest = np.rint(voxels).astype(int)[:, ::-1]
            mm = max(mm, float(np.abs(read.grid.world(nearest) - where).max()))
            found = read.values[0][tuple(nearest.T)]
            values = max(values, float(np.abs(found - _rescaled(frame, one, groups).ravel()).max()))
    return values, mm


def _datasets(path: Path) -> Iterable[pydicom.Dataset]:
    files = (
        [p for p in sorted(path.iterdir()) if p.suffix in {"", ".dcm"}] if path.is_dir() else [path]
    )
    for file in filter(is_dicom, filter(Path.is_file, files)):
        one = pydicom.dcmread(file, force=True)
        if "Rows" in one:
            yield one


def _groups(one: pydicom.Dataset, n: int) -> dict[str, object]:
    """The elements of a frame, from its functional groups or from the file's top."""
    owners = [one]
    for name, index in (
        ("SharedFunctionalGroupsSequence", 0),
        ("PerFrameFunctionalGroupsSequence", n),
    ):
        if name in one:
            owners += [items[0] for items in (e.value for e in one[name][index]) if items]
    return {e.keyword: e.value for owner in owners for e in owner if e.keyword}


def _rescaled(
    frame: NDArray[np.generic], one: pydicom.Dataset, groups: dict[str, object]
) -> NDArray[np.float64]:
    if "PerFrameFunctionalGroupsSequence" not in one:
        return np.asarray(apply_modality_lut(frame, one), dtype=np.float64)
    slope, intercept = groups.get("RescaleSlope", 1), groups.get("RescaleIntercept", 0)
    return frame * float(str(slope)) + float(str(intercept))


def _short(text: str, path: Path) -> str:
    return text.replace(f"{path}: ", "").replace(str(path.parent), "").replace("|", "/")


def _reason(note: str) -> str:
    """A refusal without the numbers and names that differ from file to file."""
    text = re.sub(r"^/\S+: ", "", note).split("(")[0].split(", expected")[0].split(": expected")[0]
    return re.sub(r"\S*\d\S*", "N", text.split(", more than")[0]).strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
