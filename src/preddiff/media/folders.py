"""Folders of pictures and of volumes, read one file at a time."""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from preddiff.errors import InputError, InputWarning
from preddiff.media import images, maps, ours, volumes
from preddiff.media.grid import Grid, mismatch
from preddiff.media.names import result_name
from preddiff.media.volumes import Volume
from preddiff.types import Pixels


def find_pictures(folder: str | Path) -> list[Path]:
    """Return all pictures in a folder and those below it, sorted by path, except our own figures.

    Raises
    ------
    InputError
        If it is no folder or holds no picture.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected one with pictures in it")
    known = images.IMAGE_EXTENSIONS
    # Figures that an earlier run left beside the pictures are no examples to draw from.
    paths = [p for p in _visible(folder) if p.suffix.lower() in known and not ours.is_figure(p)]
    if not paths:
        raise InputError(f"{folder}: no pictures in this folder ({', '.join(sorted(known))})")
    return paths


def read_pictures(folder: str | Path) -> Iterator[Image.Image]:
    """Read the pictures of a folder one after the other, so that memory holds one at a time."""
    return (images.read(path) for path in find_pictures(folder))


def find_volumes(folder: str | Path) -> list[Path]:
    """Return all volumes in a folder and those below it, sorted by path, except for our own maps.

    Raises
    ------
    InputError
        If it is no folder or holds no volume, or two files of one name hold different scans.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected one with volumes in it")
    # Maps that an earlier run left beside the scans are no examples to draw from.
    paths = [path for path in _visible(folder) if _is_scan(path) and not maps.is_map(path)]
    if not paths:
        raise InputError(
            f"{folder}: no volumes in this folder ({', '.join(volumes.SCAN_EXTENSIONS)})"
        )
    return _without_copies(paths)


def contains_volumes(folder: str | Path) -> bool:
    """Return whether a folder, or one below it, holds volumes."""
    return any(_is_scan(path) for path in _visible(Path(folder)))


class VolumeFolder:
    """Volumes on one grid, (1, z, y, x) each: those of a folder, sorted by path, or those named.

    They are read anew in every iteration, so that memory holds one at a time.

    Parameters
    ----------
    onto : where the others are interpolated to; None refuses them.
    cure : what to do about those that are refused.

    Attributes
    ----------
    paths : of the volumes.
    grid : `onto`, else the first volume's, which all of them share.

    Raises
    ------
    InputError
        If there are none; while iterating, if one lies on another grid or cannot be read.
    """

    def __init__(
        self,
        source: str | Path | Sequence[Path],
        onto: Grid | None = None,
        *,
        cure: str = "resample it first",
    ) -> None:
        self.paths = find_volumes(source) if isinstance(source, str | Path) else list(source)
        self.grid = volumes.read(self.paths[0]).grid if onto is None else onto
        self._resamples = onto is not None
        self._cure = cure

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[Pixels]:
        for path in self.paths:
            volume = volumes.read(path, quiet=True)  # the first has warned for all
            yield self._on_grid(volume, path).values

    def _on_grid(self, volume: Volume, path: Path) -> Volume:
        if volume.grid.is_like(self.grid):
            return volume
        if not self._resamples:
            first = "that of the first,"
            problem = mismatch("a volume", volume.grid, first, self.grid, self._cure)
            raise InputError(f"{path}: {problem}")
        try:
            return volumes.resample(volume, self.grid)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None


def _is_scan(path: Path) -> bool:
    return path.name.lower().endswith(volumes.SCAN_EXTENSIONS)


def _visible(folder: Path) -> list[Path]:
    """What lies in a folder and those below it, sorted, but for what is hidden.

    A Mac writes a file `._scan.nii` beside each `scan.nii` on a disc that is not its own.
    """
    found = folder.rglob("*")
    return sorted(p for p in found if not any(n[0] == "." for n in p.relative_to(folder).parts))


def _without_copies(paths: Sequence[Path]) -> list[Path]:
    """Paths, of which those of one name (a.nii, a.nii.gz) hold one scan, which counts once."""
    chosen: dict[Path, Path] = {}
    for path in paths:
        first = chosen.setdefault(path.with_name(result_name(path)), path)
        if first is path:
            continue
        one, other = volumes.read(first, quiet=True), volumes.read(path, quiet=True)
        if not (one.grid.is_like(other.grid) and np.array_equal(one.values, other.values)):
            raise InputError(
                f"{path}: holds another scan than {first.name} beside it, expected one of each "
                "name; remove or rename one"
            )
        warnings.warn(
            InputWarning(f"{path}: holds the same scan as {first.name} beside it, and is left out"),
            stacklevel=3,
        )
    return list(chosen.values())
