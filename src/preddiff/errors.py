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

Every message names the value, what was expected and what to do.
"""

import difflib
from collections.abc import Iterable


class PreddiffError(ValueError):
    """A user's mistake. Its message is meant to be shown as it is."""


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
        super().__init__(text)
        self.why = why


def first_line(error: BaseException) -> str:
    """Return the first line of another library's exception."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown `name`: the known ones nearest to it."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.4)
    return f"; nearest: {', '.join(close)}" if close else ""
