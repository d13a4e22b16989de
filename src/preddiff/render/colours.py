"""Red for, blue against: the one place where numbers become colours."""

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

SIGNED = "RdBu_r"
"""Blue over white to red; legible to people who do not tell red from green."""

UNSIGNED = "Reds"
"""White to red, for maps whose sign means nothing."""

ERROR = "Greys"
"""White to black, for standard errors: red and blue are taken."""

UNKNOWN = (0.87, 0.85, 0.74)
"""Sand, where no window covers a pixel: on none of the scales."""


def limit(values: NDArray[np.floating]) -> float:
    """The end of a symmetric scale: the largest absolute value; 1 where all are 0 or unknown."""
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max(initial=0.0))
    return largest if largest > 0 else 1.0


def signed(values: NDArray[np.floating], end: float) -> NDArray[np.float64]:
    """Colours (..., 3) in [0, 1] of values on a scale from -end (blue) to +end (red)."""
    return _coloured(values, (values / end + 1) / 2, SIGNED)


def unsigned(
    values: NDArray[np.floating], end: float, table: str = UNSIGNED
) -> NDArray[np.float64]:
    """Colours (..., 3) in [0, 1] of values on a scale from 0 (white) to `end`."""
    return _coloured(values, values / end, table)


def _coloured(
    values: NDArray[np.floating], share: NDArray[np.floating], table: str
) -> NDArray[np.float64]:
    known = np.isfinite(values)
    colours = colormaps[table](np.where(known, np.clip(share, 0, 1), 0))[..., :3]
    colours[~known] = UNKNOWN
    return np.asarray(colours)
