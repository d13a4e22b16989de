"""Sampler files: arrays and facts in one .npz file, which nothing has to unpickle."""

import json
import os
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self, TypeVar

import numpy as np

from preddiff.errors import SamplerError
from preddiff.media import ours
from preddiff.media.archives import AnyArray, read_arrays
from preddiff.media.atomic import atomic_write
from preddiff.media.folders import VolumeFolder
from preddiff.media.grid import Grid, affine_problem
from preddiff.media.reading import failures_as
from preddiff.samplers.base import Sampler

Fact = str | int | float | bool
"""A value that JSON represents exactly."""

_MAKE_ONE = "make one with `preddiff sampler fit`"
_REFERENCE = "reference"
_COLUMNS = "feature_names"  # files of older versions have none
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

    def numbers(self, name: str, dimensions: int) -> AnyArray:
        """Return an array of finite numbers.

        Raises
        ------
        SamplerError
            If there is none, it has values that are no finite numbers, or another dimension.
        """
        values = self.arrays[name]
        if values.dtype.kind not in "fiu" or values.ndim != dimensions:
            raise SamplerError(
                f"{name} is of {values.dtype} and {values.ndim} dimensions: expected numbers and "
                f"{dimensions}; fit it anew"
            )
        if not np.isfinite(values).all():
            raise SamplerError(f"{name} has values that are NaN or infinite; fit it anew")
        return values

    def lengths(self, name: str) -> tuple[int, ...]:
        """Return an array of lengths: integers of at least 1.

        Raises
        ------
        SamplerError
            If they are anything else.
        """
        values = self.arrays[name]
        lengths: list[int] = values.tolist() if values.ndim == 1 else []
        if values.dtype.kind not in "iu" or min(lengths, default=0) < 1:
            raise SamplerError(f"{name} is no list of lengths of at least 1; fit it anew")
        return tuple(lengths)


class Stored(Sampler):
    """A sampler that can be saved and loaded.

    A subclass says its `kind`, and what it is made of. Every subclass that was imported can be
    read back by `restore`.

    Attributes
    ----------
    kind : name of the class in its files.
    scan_grid : of the scans that it was made of; None of pictures and arrays, which have none.
    reference : the group that these scans are of, such as "group=control"; "" for all.
    feature_names : of the columns of a table that it was made of; None of anything else.
    """

    kind: ClassVar[str]
    scan_grid: Grid | None = None
    reference: str = ""
    feature_names: tuple[str, ...] | None = None

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

    def passed_on(self, other: _S) -> _S:
        """Return another sampler, made of this one, with the grid and group of its scans."""
        other.scan_grid, other.reference = self.scan_grid, self.reference
        return other

    @abstractmethod
    def contents(self) -> Contents:
        """Return all that the sampler is made of."""

    @classmethod
    @abstractmethod
    def from_contents(cls, contents: Contents) -> Self:
        """Return the sampler that `contents` was taken of."""

    def save(self, path: str | Path) -> None:
        """Write the sampler to a file that `load` reads; an earlier sampler's is replaced.

        Raises
        ------
        ResultError
            If the file cannot be written, or would replace one that is no sampler.
        """
        contents = self.contents()
        placed = {**contents.arrays, **_held(self.scan_grid)}
        if self.feature_names is not None:
            placed[_COLUMNS] = np.array(self.feature_names, dtype=np.str_)
        group = {_REFERENCE: self.reference} if self.reference else {}
        facts = {**contents.facts, **group}
        write(path, replace(contents, arrays=placed, facts=facts))

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
    # A sampler's own complaints do not name the file.
    def incomplete(why: str) -> SamplerError:
        return SamplerError(f"{path}: an incomplete {contents.kind} sampler ({why}); {_MAKE_ONE}")

    with failures_as(incomplete):
        facts = dict(contents.facts)
        reference = str(facts.pop(_REFERENCE, ""))
        try:
            sampler = cls.from_contents(replace(contents, facts=facts))
        except SamplerError as error:
            raise SamplerError(f"{path}: {error}") from None
        grid = _grid_of(path, contents.arrays)
        if grid is not None:
            sampler.scan_grid = grid
        sampler.reference = reference
        if _COLUMNS in contents.arrays:
            sampler.feature_names = _names(path, contents.arrays[_COLUMNS])
        return sampler


def _names(path: str | Path, stored: AnyArray) -> tuple[str, ...]:
    """The names of a table's columns that a file holds."""
    if stored.dtype.kind != "U" or stored.ndim != 1:
        raise SamplerError(f"{path}: the names of its columns are damaged; fit the sampler anew")
    return tuple(map(str, stored))


_GRID = ("scan_shape", "scan_affine", "scan_header")
"""Names of the arrays that hold a sampler's grid; files of older versions have none."""


def _held(grid: Grid | None) -> dict[str, AnyArray]:
    """A grid as arrays of a file."""
    if grid is None:
        return {}
    parts = np.array(grid.shape), grid.affine, np.array(json.dumps(dict(grid.header)))
    return dict(zip(_GRID, parts, strict=True))


def _grid_of(path: str | Path, arrays: Mapping[str, AnyArray]) -> Grid | None:
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
    """Write one .npz file: arrays, and the facts as JSON.

    Raises
    ------
    ResultError
        If the file cannot be written, or would replace one that is no sampler.
    """
    ours.check_destination(Path(path), ours.is_sampler)
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
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises for a name that is too long
        raise SamplerError(f"{path}: no such sampler file; {_MAKE_ONE}")
    arrays = read_arrays(path, SamplerError, "a sampler file", _MAKE_ONE)
    with failures_as(lambda why: SamplerError(f"{path}: not a sampler file ({why}); {_MAKE_ONE}")):
        kind, facts = str(arrays.pop("kind")), json.loads(str(arrays.pop("facts")))
        for name, value in facts.items():
            if not isinstance(value, Fact):
                raise SamplerError(f"{path}: fact {name!r} is no number or text; {_MAKE_ONE}")
        return Contents(kind, arrays, facts)
