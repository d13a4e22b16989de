"""Exceptions and warnings, as one tree.

::

    PreddiffError            a user's mistake, reported on one line (a ValueError)
    ├── InputError           a picture or volume that cannot be read or used
    ├── SettingError         a setting that makes no sense, or not together with another
    ├── ModelError           a model that cannot be loaded or does not give what it should
    │   └── TargetError      a class, label or node that the model does not have
    ├── SamplerError         a sampler that cannot be loaded, fitted or used on this input
    └── ResultError          a result that cannot be read or written

    InputWarning             an input that leaves something open (a UserWarning)
    EngineWarning            a run that goes on, but slower than it might, or with numbers that
                             a setting makes small (a UserWarning)

Every message names the value, what was expected and what to do. Values come from strangers' files,
so messages are `printable`.
"""

import difflib
import functools
import inspect
import re
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")

# What moves a terminal's cursor or recolours it, breaks a line or turns it round, and halves of
# characters, which no encoder takes.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


TORCH = frozenset({"torch", "torchvision"})
"""Packages of the extra `torch`, without which linear models, functions and results work."""


def printable(text: str) -> str:
    """Return a text for terminals and pages on one line, with control characters as escapes.

    Bytes of names that are not UTF-8 are written as bytes, e.g. caf\\xe9.jpg.
    """
    return _UNPRINTABLE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    is_byte = 0xDC80 <= code <= 0xDCFF  # PEP 383
    return f"\\x{code - 0xDC00:02x}" if is_byte else found[0].encode("unicode_escape").decode()


class PreddiffError(ValueError):
    """A user's mistake. Its message is meant to be shown as it is."""

    def __init__(self, message: str = "") -> None:
        super().__init__(printable(str(message)))


class InputError(PreddiffError):
    """A picture or volume that cannot be read or used."""


class SettingError(PreddiffError):
    """A setting that makes no sense, or not together with another."""


class ModelError(PreddiffError):
    """A model that cannot be loaded or does not give what it should."""


class TargetError(ModelError):
    """A class, label or node that the model does not have."""


class SamplerError(PreddiffError):
    """A sampler that cannot be loaded, fitted or used on this input."""


class ResultError(PreddiffError):
    """A result that cannot be read or written."""


class InputWarning(UserWarning):
    """An input, sampler or model of which something cannot be known, such as which side is left."""

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))


class EngineWarning(UserWarning):
    """A run that goes on, but slower than it might, without what is optional, or with numbers
    that a setting makes small.

    Parameters
    ----------
    text : one plain line.

    Attributes
    ----------
    why : what a library said, for whoever asks (`--verbose`); empty where nothing more is known.
    """

    def __init__(self, text: str, why: str = "") -> None:
        super().__init__(printable(text))
        self.why = printable(why)


def first_line(error: BaseException) -> str:
    """Return the first line of another library's exception."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown `name`: the known ones nearest to it."""
    every = list(known)
    # Who writes vit_tiny means vit_tiny_patch16_224, from which gcvit_tiny differs by less.
    begun = sorted((each for each in every if each.startswith(name)), key=len) if name else []
    close = (begun + difflib.get_close_matches(name, every, n=3, cutoff=0.4))[:3]
    close = list(dict.fromkeys(close))
    return f"; nearest: {', '.join(close)}" if close else ""


def suggests_keywords(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Return a function that names the nearest of its keywords where it does not know one."""
    known = inspect.signature(function).parameters

    @functools.wraps(function)
    def called(*arguments: _P.args, **keywords: _P.kwargs) -> _R:
        for name in keywords:
            if name not in known:
                raise unknown_keyword(function.__name__, name, known)
        return function(*arguments, **keywords)

    return called


def unknown_keyword(function: str, name: str, known: Iterable[str]) -> TypeError:
    """Return the error of a keyword that a function does not have, with the nearest that it has."""
    text = f"{function}() got an unexpected keyword argument {name!r}{nearest(name, known)}"
    return TypeError(printable(text))
