"""Masks: which values of an array or a file count as true."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from preddiff.errors import InputError, InputWarning
from preddiff.types import Mask

_NOISE = 1e-6
"""Share of the largest value up to which values are rounding: float32 has seven digits."""

_HALF = 0.5  # labels are whole numbers, and may be as large as 10⁸: the least of them counts


def inside(values: NDArray[Any]) -> Mask:
    """Return where values are above 0, but for noise.

    Interpolation and arithmetic leave values such as 1e-15 where a mask is 0, and some programs
    mark the outside by -1: neither is inside.

    Raises
    ------
    InputError
        If there are values that are not finite, or values below 0 and none above.
    """
    values = np.asarray(values)
    if values.dtype == np.bool_ or values.size == 0:
        return values.astype(bool)
    lowest, highest = float(values.min()), float(values.max())
    if not np.isfinite([lowest, highest]).all():
        raise InputError("a mask with values that are NaN or infinite: expected 0 and 1; fill them")
    if highest <= 0 > lowest:
        raise InputError(
            f"a mask with values from {lowest:.4g} to {highest:.4g}: expected above 0 where it "
            "matters, 0 elsewhere"
        )
    least = min(_HALF, _NOISE * highest)
    if lowest < -least:
        warnings.warn(
            InputWarning(
                f"a mask with values from {lowest:.4g} to {highest:.4g}: only those above 0 count "
                "as inside"
            ),
            stacklevel=3,
        )
    return np.asarray(values > least)
