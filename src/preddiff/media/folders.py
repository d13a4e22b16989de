"""Folders of pictures and of volumes, read one file at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from preddiff.errors import InputError
from preddiff.media import images, maps, volumes
from preddiff.media.grid import mismatch
from preddiff.types import Pixels


def find_pictures(folder: str | Path) -> list[Path]:
    """Return all pictures in a folder and the folders below it, sorted by path.

    Raises
    ------
    InputError
        If it is no folder or holds no picture.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected one with pictures in it")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in images.IMAGE_EXTENSIONS)
    if not paths:
        known = ", ".join(sorted(images.IMAGE_EXTENSIONS))
        raise InputError(f"{folder}: no pictures in this folder ({known})")
    return paths


def read_pictures(folder: str | Path) -> Iterator[Image.Image]:
    """Read the pictures of a folder one after the other, so that memory holds one at a time."""
    return (images.read(path) for path in find_pictures(folder))


def find_volumes(folder: str | Path) -> list[Path]:
    """Return all volumes in a folder and those below it, sorted by path, except for our own maps.

    Raises
    ------
    InputError
        If it is no folder or holds no volume.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected one with volumes in it")
    # Maps that an earlier run left beside the scans are no examples to draw from.
    paths = sorted(path for path in folder.rglob("*") if _is_scan(path) and not maps.is_map(path))
    if not paths:
        raise InputError(
            f"{folder}: no volumes in this folder ({', '.join(volumes.SCAN_EXTENSIONS)})"
        )
    return paths


def contains_volumes(folder: str | Path) -> bool:
    """Return whether a folder, or one below it, holds volumes."""
    return any(_is_scan(path) for path in Path(folder).rglob("*"))


class VolumeFolder:
    """Volumes on one grid, (1, z, y, x) each: those of a folder, sorted by path, or those named.

    They are read anew in every iteration, so that memory holds one at a time.

    Attributes
    ----------
    paths : of the volumes.
    grid : the first volume's, which all of them share.

    Raises
    ------
    InputError
        If there are none; while iterating, if one lies on another grid or cannot be read.
    """

    def __init__(self, source: str | Path | Sequence[Path]) -> None:
        self.paths = find_volumes(source) if isinstance(source, str | Path) else list(source)
        self.grid = volumes.read(self.paths[0]).grid

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[Pixels]:
        for path in self.paths:
            volume = volumes.read(path, quiet=True)  # the first has warned for all
            if not volume.grid.is_like(self.grid):
                problem = mismatch(
                    "a volume", volume.grid, "that of the first,", self.grid, "resample it first"
                )
                raise InputError(f"{path}: {problem}")
            yield volume.values


def _is_scan(path: Path) -> bool:
    return path.name.lower().endswith(volumes.SCAN_EXTENSIONS)
