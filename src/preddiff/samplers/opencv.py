"""OpenCV's in-painters: a picture goes on from the rim into what is hidden."""

from collections.abc import Callable
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import SamplerError
from preddiff.types import Mask, Pixels

PAINTERS = {"telea": "INPAINT_TELEA", "ns": "INPAINT_NS"}
"""Names of the methods here and in OpenCV: Telea's (2004), and Navier–Stokes (Bertalmio, Bertozzi
and Sapiro 2001)."""

_Levels = Annotated[NDArray[np.uint8], "y x"]

_RADIUS = 3  # pixels around each that in-painting looks at, as in OpenCV's own examples
_REACH = 8  # further from what is hidden, no pixel has any influence


def inpainted(picture: Pixels, hidden: Mask, method: str) -> Pixels:
    """Return a picture whose hidden pixels are in-painted, in steps of 1/255.

    Parameters
    ----------
    picture : (channel, y, x), values of 0 to 1; visible pixels stay exactly as they are.
    hidden : (y, x).
    method : of `PAINTERS`.

    Raises
    ------
    SamplerError
        If OpenCV is not installed.
    """
    paint = _painter(method)
    result = picture.astype(np.float32)
    # In-painting needs something to start from.
    if not hidden.any() or hidden.all():
        return result
    box = _box_around(hidden)
    inside = hidden[box]
    # Whole numbers, although OpenCV takes others: its method of Telea overflows with those.
    levels = np.round(255 * picture[:, *box].clip(0, 1)).astype(np.uint8)
    for painted, channel in zip(result[:, *box], levels, strict=True):
        painted[inside] = paint(np.ascontiguousarray(channel), inside)[inside] / np.float32(255)
    return result


def _box_around(hidden: Mask) -> tuple[slice, ...]:
    """The box that holds all that has influence on what is hidden."""
    # Nothing else is looked at: a window of 10 pixels costs what a picture of 26 does.
    lines = (np.flatnonzero(hidden.any(axis=1 - axis)) for axis in range(2))
    return tuple(slice(max(0, at[0] - _REACH), at[-1] + 1 + _REACH) for at in lines)


def _painter(method: str) -> Callable[[_Levels, Mask], _Levels]:
    try:
        import cv2
    except ImportError:
        raise SamplerError(
            f"in-painting by {method!r} needs OpenCV: pip install 'preddiff[inpaint]', or choose "
            "something else, e.g. blurred"
        ) from None
    flag = getattr(cv2, PAINTERS[method])

    def paint(levels: _Levels, inside: Mask) -> _Levels:
        painted = cv2.inpaint(levels, inside.astype(np.uint8), _RADIUS, flag)
        return np.asarray(painted, dtype=np.uint8)

    return paint
