"""Stored numbers as float32 and back, inside of compiled loops.

A bfloat16 number is the upper half of a float32 number: the same sign and exponent, and the first
7 of the 23 bits of the fraction. Widening appends zeros and is exact. Narrowing rounds to the
nearest; of two that are equally near, to the one that ends in an even bit, as processors do.

Each function has a version per type of number, which numba chooses when it compiles a loop: loops
for float32 hold no trace of this. Loops are cached on disk by the file that they are in, so after a
change here their caches (`__pycache__`) have to be removed.
"""

import numpy as np
from numba import types
from numba.extending import overload


def widen(value: float) -> float:
    """Return a stored number as float32; in compiled loops only."""
    raise NotImplementedError(value)


def narrow(value: float, like: float) -> float:
    """Return a float32 number as `like` is stored; in compiled loops only."""
    raise NotImplementedError(value, like)


@overload(widen)
def _widened(value):  # type: ignore[no-untyped-def]
    if value == types.uint16:
        return lambda value: np.uint32(np.uint32(value) << np.uint32(16)).view(np.float32)
    return lambda value: value


@overload(narrow)
def _narrowed(value, like):  # type: ignore[no-untyped-def]  # noqa: ARG001
    if like != types.uint16:
        return lambda value, like: value  # noqa: ARG005

    def rounded(value, like):  # type: ignore[no-untyped-def]  # noqa: ARG001
        # The lower half is cut off. Adding 0x7FFF before carries into the upper half if the lower
        # one is above 0x8000, half a unit; if it is 0x8000 exactly, adding one more does so
        # where the last bit that is kept is odd, which makes it even.
        bits = np.float32(value).view(np.uint32)
        odd = np.uint32(np.uint32(bits >> np.uint32(16)) & np.uint32(1))
        up = np.uint32(np.uint32(0x7FFF) + odd)
        return np.uint16(np.uint32(bits + up) >> np.uint32(16))

    return rounded
