"""Sampler files: arrays and facts in one .npz file, which nothing has to unpickle."""

import json
import zipfile
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import SamplerError
from preddiff.media.atomic import atomic_write
from preddiff.media.folders import VolumeFolder
from preddiff.media.grid import Grid, affine_problem
from preddiff.samplers.base import Sampler

AnyArray = Annotated[NDArray[np.generic], "..."]
"""An array of a file, of any kind and shape."""

Fact = str | int | float | bool
"""A value that JSON represents exactly."""

_S = TypeVar("_S", bound="Stored")
_CLASSES: dict[str, type["Stored"]] = {}  # by kind


@dataclass(frozen=True, eq=False)
class Contents:
    """Everything in a sampler file.

    Attributes
    ----------
    kind : name of the class that it makes.
    arrays : by name.
    facts : settings, and what is worth keeping about the sampler's making.
    """

    kind: str
    arrays: Mapping[str, AnyArray]
    facts: dict[str, Fact]


class Stored(Sampler):
    """A sampler that can be saved and loaded.

    A subclass says its `kind`, and what it is made of. Every subclass that was imported can be
    read back by `restore`.

    Attributes
    ----------
    kind : name of the class in its files.
    scan_grid : of the scans that it was made of; None of pictures and arrays, which have none.
    """

    kind: ClassVar[str]
    scan_grid: Grid | None = None

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "kind" in vars(cls):
            _CLASSES[cls.kind] = cls

    @property
    def of_volumes(self) -> bool:
        """True if it draws for volumes, which have a grid; by default it does not."""
        return False

    @property
    def is_located(self) -> bool:
        """True if its draws depend on the position of a window; by default they do."""
        return True

    @abstractmethod
    def contents(self) -> Contents:
        """Return all that the sampler is made of."""

    @classmethod
    @abstractmethod
    def from_contents(cls, contents: Contents) -> Self:
        """Return the sampler that `contents` was taken of."""

    def save(self, path: str | Path) -> None:
        """Write the sampler to a file that `load` reads."""
        contents = self.contents()
        placed = {**contents.arrays, **_held(self.scan_grid)}
        write(path, replace(contents, arrays=placed))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a sampler that `save` wrote.

        Raises
        ------
        SamplerError
            If there is no such file, or it holds no sampler of this class.
        """
        contents = read(path)
        if contents.kind != cls.kind:
            raise SamplerError(
                f"{path}: holds a {contents.kind} sampler, expected a {cls.kind} one"
            )
        return _made(cls, path, contents)


def grid_of(volumes: object) -> Grid | None:
    """Return the grid of volumes that were read from files; None of arrays."""
    return volumes.grid if isinstance(volumes, VolumeFolder) else None


def restore(path: str | Path, contents: Contents) -> Stored:
    """Return the sampler that a file at `path` holds, whatever its kind.

    Raises
    ------
    SamplerError
        If no class is known by this kind, or it cannot be made of these contents.
    """
    if contents.kind not in _CLASSES:
        raise SamplerError(
            f"{path}: holds a sampler of kind {contents.kind!r}, expected one of "
            f"{', '.join(_CLASSES)}; import the module of its class first"
        )
    return _made(_CLASSES[contents.kind], path, contents)


def _made(cls: type[_S], path: str | Path, contents: Contents) -> _S:
    try:
        sampler, grid = cls.from_contents(contents), _grid_of(path, contents.arrays)
    except (KeyError, TypeError, IndexError, json.JSONDecodeError) as error:
        raise SamplerError(
            f"{path}: an incomplete {contents.kind} sampler ({type(error).__name__}: {error}); "
            "make one with `preddiff sampler fit`"
        ) from None
    if grid is not None:
        sampler.scan_grid = grid
    return sampler


_GRID = ("scan_shape", "scan_affine", "scan_header")
"""Names of the arrays that hold a sampler's grid; files of older versions have none."""


def _held(grid: Grid | None) -> dict[str, NDArray[np.generic]]:
    """A grid as arrays of a file."""
    if grid is None:
        return {}
    parts = np.array(grid.shape), grid.affine, np.array(json.dumps(dict(grid.header)))
    return dict(zip(_GRID, parts, strict=True))


def _grid_of(path: str | Path, arrays: Mapping[str, NDArray[np.generic]]) -> Grid | None:
    """The grid that a file holds; None where it holds none."""
    if not any(name in arrays for name in _GRID):
        return None
    shape, affine, header = (arrays[name] for name in _GRID)
    lengths = tuple(int(n) for n in shape.ravel())
    matrix = np.asarray(affine, dtype=np.float64)
    fields = json.loads(str(header))
    if len(lengths) != 3 or min(lengths) < 1 or not isinstance(fields, dict):
        raise SamplerError(f"{path}: the grid of its scans is damaged; fit the sampler anew")
    if problem := affine_problem(matrix):
        raise SamplerError(f"{path}: the grid of its scans is damaged ({problem}); fit it anew")
    return Grid((lengths[0], lengths[1], lengths[2]), matrix, fields)


def write(path: str | Path, contents: Contents) -> None:
    """Write one .npz file: arrays, and the facts as JSON."""
    facts = np.str_(json.dumps(contents.facts))
    with atomic_write(path) as written, written.open("wb") as file:
        np.savez(file, kind=np.str_(contents.kind), facts=facts, **contents.arrays)  # type: ignore[arg-type]


def read(path: str | Path) -> Contents:
    """Read a file that `write` made.

    Raises
    ------
    SamplerError
        If there is no such file, or it is no sampler.
    """
    path = Path(path)
    try:
        # Unpickling would run whatever code the file's author put into it.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files if name not in {"kind", "facts"}}
            return Contents(str(file["kind"]), arrays, json.loads(str(file["facts"])))
    except FileNotFoundError:
        raise SamplerError(
            f"{path}: no such sampler file; make one with `preddiff sampler fit`"
        ) from None
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise SamplerError(
            f"{path}: not a sampler file ({type(error).__name__}); make one with "
            "`preddiff sampler fit`"
        ) from None
