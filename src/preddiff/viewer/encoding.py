"""Arrays as text for a page's script: base64 of gzip, with bytes of like meaning together."""

import base64
import gzip

import numpy as np
from numpy.typing import NDArray

THREE_DIGITS = 11
"""Bits of a number's fraction that keep three decimal digits."""

FASTEST = 1
"""Level of compression for a live page, to which it is a short way."""

_FRACTION = 23  # bits in a float32


def packed(values: NDArray[np.floating], bits: int = _FRACTION, level: int = 6) -> str:
    """Numbers of any shape as float32, in C order, rounded to `bits` bits of their fractions.

    The first bytes of all numbers come first, then the second ones and so on: that way they
    compress by a third more.
    """
    dropped = _FRACTION - bits
    half = np.uint64((1 << dropped) >> 1)
    numbers = np.ascontiguousarray(values, dtype="<f4").view("<u4").astype(np.uint64)
    rounded = (numbers + half) >> np.uint64(dropped) << np.uint64(dropped)
    each = rounded.astype("<u4").reshape(-1).view(np.uint8).reshape(-1, 4)
    return packed_bytes(np.ascontiguousarray(each.T), level)


def packed_bytes(values: NDArray[np.uint8], level: int = 6) -> str:
    """Bytes of any shape, in C order."""
    return _packed(np.ascontiguousarray(values).tobytes(), level)


def packed_text(text: str) -> str:
    """A text in UTF-8."""
    return _packed(text.encode(), level=6)


def _packed(plain: bytes, level: int) -> str:
    return base64.b64encode(gzip.compress(plain, level, mtime=0)).decode()
