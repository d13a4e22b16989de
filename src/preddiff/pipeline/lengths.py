"""Lengths of windows and strides: as a caller says them, and what they are in pixels of an input.

A length that differs between axes is kept as text such as 3x5x5, slowest axis first: so it is said
on the command line, stored in results and told from several sizes, which are a tuple.
"""

import re
from collections.abc import Callable, Sequence
from typing import Annotated

import numpy as np

from preddiff.errors import SettingError
from preddiff.pipeline.checks import whole

KINDS = ("channel", "unit")
"""Windows that are no boxes, but parts of a hidden node's values."""

Size = int | tuple[int, ...]
"""One length for all axes, or one for each, slowest first."""

VoxelSize = Annotated[Sequence[float], "axis"]
"""Millimetres along each axis, slowest first."""

_PIXELS = re.compile(r"\d+(x\d+)+")
_TOKENS = re.compile(r"token(?::(\d+))?")
_MILLIMETRES = re.compile(r"(\d+(?:\.\d+)?(?:x\d+(?:\.\d+)?)*) ?mm")


def window(value: object) -> int | str | tuple[int | str, ...]:
    """Return the length of windows, or several where there are windows of several sizes."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        return _one("window", value, _EXPECTED_WINDOW)
    several = tuple(_one("window", each, _EXPECTED_WINDOW) for each in value)
    if any(each in KINDS for each in several):
        raise SettingError(f"window={value!r}: {' and '.join(KINDS)} are not among several sizes")
    if not several or len(set(several)) < len(several):
        raise SettingError(
            f"window={value!r}: expected lengths of windows, each once, e.g. (10, 20, 40); one "
            "window with a length for each axis is text, e.g. '3x5x5'"
        )
    return several if len(several) > 1 else several[0]


def stride(value: object) -> int | str:
    """Return the pixels from one window to the next, or text where axes differ."""
    found = _one("stride", value, _EXPECTED_STRIDE)
    if found in KINDS:
        raise SettingError(f"stride={value!r}: expected {_EXPECTED_STRIDE}")
    return found


_EXPECTED_WINDOW = (
    "a whole number, one for each axis such as 3x5x5, millimetres of a scan such as 12mm, a "
    "transformer's token, several such as (10, 20, 40), or, with source=, channel or unit"
)
_EXPECTED_STRIDE = (
    "a whole number, one for each axis such as 2x3x3, millimetres such as 6mm, or a transformer's "
    "token"
)


def _one(name: str, value: object, expected: str) -> int | str:
    if isinstance(value, str):
        text = value.strip().replace("×", "x")
        if _PIXELS.fullmatch(text):
            return _joined(name, [int(each) for each in text.split("x")])
        millimetres = _MILLIMETRES.fullmatch(text)
        if millimetres and min(map(float, millimetres[1].split("x"))) == 0:
            raise SettingError(f"{name}={value!r}: expected more than 0 mm")
        if text in KINDS or millimetres:
            return text
        if (found := _TOKENS.fullmatch(text)) and int(found[1] or 1) > 0:
            return text
        raise SettingError(f"{name}={value!r}: expected {expected}")
    if isinstance(value, Sequence):
        return _joined(name, value)
    return whole(name, value, 1)


def _joined(name: str, value: Sequence[object]) -> int | str:
    each = [whole(name, length, 1) for length in value]
    if not each:
        raise SettingError(f"{name}={value!r}: expected a length for each axis, e.g. (3, 5, 5)")
    return each[0] if len(each) == 1 else "x".join(map(str, each))


def is_in_pixels(said: int | str | None) -> bool:
    """Return whether a length is known whatever the input."""
    return not isinstance(said, str) or said in KINDS or _PIXELS.fullmatch(said) is not None


def in_pixels(said: int | str | None) -> Size:
    """Return lengths in pixels: 1 of a channel, a unit, and of what is not known yet."""
    if isinstance(said, str):
        parts = said.split("x") if _PIXELS.fullmatch(said) else ["1"]
        return tuple(map(int, parts)) if len(parts) > 1 else int(parts[0])
    return 1 if said is None else said


def as_text(size: Size) -> int | str:
    """Return lengths as they are stored: a number, or text where axes differ."""
    return size if isinstance(size, int) else "x".join(map(str, size))


def of_tokens(said: int | str, token: Callable[[], tuple[int, ...]]) -> int | str:
    """Return a length in pixels, of tokens of a network; what is no tokens as it is.

    Parameters
    ----------
    token : the length of one along each axis, or what raises a SettingError where there are none.
    """
    found = _TOKENS.fullmatch(said) if isinstance(said, str) else None
    return said if found is None else _text([int(found[1] or 1) * each for each in token()])


def is_of_tokens(said: int | str | None) -> bool:
    """Return whether a length is of tokens."""
    return isinstance(said, str) and _TOKENS.fullmatch(said) is not None


def of_scan(name: str, said: int | str, voxel: VoxelSize | None) -> int | str:
    """Return a length in voxels, rounded along each axis; what is no millimetres as it is.

    Raises
    ------
    SettingError
        If millimetres are said of what has no voxels, or of another number of axes.
    """
    found = _MILLIMETRES.fullmatch(said) if isinstance(said, str) else None
    if found is None:
        return said
    if voxel is None:
        raise SettingError(
            f"{name}={said!r}: the input has no voxels whose size is known: give pixels"
        )
    each = [float(text) for text in found[1].split("x")]
    if len(each) not in {1, len(voxel)}:
        raise SettingError(
            f"{name}={said!r}: has {len(each)} lengths, but the scan has {len(voxel)} axes: give "
            f"one, or {len(voxel)}"
        )
    ratios = np.array(each) / np.array(voxel)
    return _text(np.maximum(np.rint(ratios), 1).astype(int).tolist())


def _text(each: list[int]) -> int | str:
    """Return one length where all are alike, else text."""
    return each[0] if len(set(each)) == 1 else "x".join(map(str, each))
