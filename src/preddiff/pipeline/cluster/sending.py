"""Objects as bytes: what many runs share goes to a worker once, and runs refer to it.

Bytes go from the program that a user started to workers that the same user started, and nowhere
else: no file is read or written here.
"""

import hashlib
import io
import pickle
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import cloudpickle

from preddiff.errors import ModelError, first_line


class Sent(NamedTuple):
    """An object as bytes.

    Attributes
    ----------
    key : its name, which follows from the bytes.
    data : the bytes.
    shared : keys of other objects that it refers to.
    """

    key: str
    data: bytes
    shared: tuple[str, ...]


def packed(thing: object, known: Iterable[tuple[object, Sent]]) -> Sent:
    """Return an object as bytes, in which other known ones are only named.

    Raises
    ------
    ModelError
        If a part of it cannot be sent.
    """
    names = {id(each): sent.key for each, sent in known if each is not thing}
    file = io.BytesIO()
    packer = _Packer(file, names)
    try:
        packer.dump(thing)
    except Exception as error:  # whatever a stranger's class raises
        raise ModelError(
            f"{_name(thing)} cannot be sent to workers ({first_line(error)}): expected a model and "
            "a sampler of functions and arrays, without open files, locks and sessions; name the "
            "model instead, e.g. torchvision:NAME or package.module:factory, or leave out the "
            "scheduler"
        ) from error
    data = file.getvalue()
    key = f"preddiff-{hashlib.sha256(data).hexdigest()[:32]}"
    return Sent(key, data, tuple(sorted(packer.used)))


def unpacked(sent: Sent, shared: Mapping[str, object]) -> object:
    """Return the object of bytes.

    Parameters
    ----------
    shared : what it refers to, by keys.

    Raises
    ------
    ModelError
        If this machine lacks what it needs.
    """
    try:
        return _Unpacker(io.BytesIO(sent.data), shared.__getitem__).load()
    except Exception as error:
        raise ModelError(
            f"a worker cannot load the model or the sampler ({first_line(error)}): expected the "
            "packages and modules on workers that are here; install them there, too"
        ) from error


class _Packer(cloudpickle.Pickler):  # type: ignore[misc]
    """Pickles all but what is known, and notes what of that is used."""

    def __init__(self, file: io.BytesIO, names: Mapping[int, str]) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._names = names
        self.used: set[str] = set()

    def persistent_id(self, thing: object) -> str | None:
        """Return the name of what is known; None of anything else."""
        name = self._names.get(id(thing))
        if name is not None:
            self.used.add(name)
        return name


class _Unpacker(pickle.Unpickler):
    """Takes what is known by its name."""

    def __init__(self, file: io.BytesIO, named: Callable[[str], object]) -> None:
        super().__init__(file)
        self._named = named

    def persistent_load(self, name: str) -> object:
        """Return what has a name."""
        return self._named(name)


def _name(thing: object) -> str:
    subject = getattr(thing, "subject", None)
    return str(getattr(getattr(subject, "model", thing), "spec", type(thing).__name__))
