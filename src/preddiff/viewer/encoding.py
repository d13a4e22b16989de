"""Arrays as text in a page: base64 of gzip, arranged so that gzip finds something to compress."""

import base64
import gzip

import numpy as np
from numpy.typing import NDArray

THREE_DIGITS = 11
"""Bits of a fraction that keep three decimal digits: rounding errs by at most 2⁻¹² = 0.00024."""

FASTEST = 1
"""Compression level for live pages: on the same machine, time counts more than size."""

_DEFAULT_LEVEL = 6
_FRACTION_BITS = 23  # of a float32


def pack_floats(
    values: NDArray[np.floating], bits: int = _FRACTION_BITS, level: int = _DEFAULT_LEVEL
) -> str:
    """Return numbers of any shape as float32 in C order, rounded to `bits` bits of their fractions.

    gzip looks for repeated bytes. In a row of floats there are few: sign and exponent, which
    neighbours share, stand between fractions, which look random. So the bytes are sorted into
    planes, the first bytes of all numbers, then the second ones and so on, which compresses by
    a third more. `floatsOf` of picture.data.js undoes it.
    """
    dropped = _FRACTION_BITS - bits
    half = np.uint64((1 << dropped) >> 1)
    with np.errstate(over="ignore"):  # what no float32 can hold becomes infinite
        stored = np.ascontiguousarray(values, dtype="<f4")
    numbers = stored.view("<u4").astype(np.uint64)
    # Adding half of the last kept bit and clearing what is below it rounds the magnitude to
    # nearest, for either sign, as the sign is a bit of its own. A carry moves on into the exponent,
    # which is right: 1.111…₂ becomes 10.0₂. In 64 bits, so that the addition cannot overflow.
    rounded = (numbers + half) >> np.uint64(dropped) << np.uint64(dropped)
    planes = rounded.astype("<u4").reshape(-1).view(np.uint8).reshape(-1, 4).T
    return pack_bytes(planes, level)


def pack_bytes(values: NDArray[np.uint8], level: int = _DEFAULT_LEVEL) -> str:
    """Return bytes of any shape in C order."""
    return _pack(np.ascontiguousarray(values).tobytes(), level)


def pack_text(text: str) -> str:
    """Return a text in UTF-8."""
    return _pack(text.encode(), _DEFAULT_LEVEL)


def _pack(plain: bytes, level: int) -> str:
    # Without the time, so that the same result gives the same page.
    return base64.b64encode(gzip.compress(plain, level, mtime=0)).decode()
