"""Sampler files: arrays and facts in one .npz file, which nothing has to unpickle."""

import json
import zipfile
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import SamplerError
from preddiff.media.atomic import atomic_write
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
    """

    kind: ClassVar[str]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "kind" in vars(cls):
            _CLASSES[cls.kind] = cls

    @abstractmethod
    def contents(self) -> Contents:
        """Return all that the sampler is made of."""

    @classmethod
    @abstractmethod
    def from_contents(cls, contents: Contents) -> Self:
        """Return the sampler that `contents` was taken of."""

    def save(self, path: str | Path) -> None:
        """Write the sampler to a file that `load` reads."""
        write(path, self.contents())

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
        return cls.from_contents(contents)
    except (KeyError, TypeError, IndexError) as error:
        raise SamplerError(
            f"{path}: an incomplete {contents.kind} sampler ({type(error).__name__}: {error}); "
            "make one with `preddiff sampler fit`"
        ) from None


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
