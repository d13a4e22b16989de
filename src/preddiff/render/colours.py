"""Red for, blue against: the one place where numbers become colours.

Colours are bytes from tables of 256. Pages get these tables and follow the same rules, so that
a pixel has exactly the same colour in a figure and on a page.
"""

from typing import Annotated

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

from preddiff.types import Floats

SIGNED = "RdBu_r"
"""Blue over white to red.

It diverges from white, so that no evidence has no colour, gets darker evenly towards both ends, so
that equal evidence looks equally strong, and is legible to people who cannot tell red from green.
"""

ALTERNATIVE = "PuOr_r"
"""Purple over white to orange: against and for, for people who cannot tell the colours above."""

UNSIGNED = "Reds"
"""White to red, for maps whose sign means nothing."""

SEQUENTIAL = "Greens"
"""White to green, for importance, which has no sign: red, blue and their alternatives mean evidence
for or against."""

ERROR = "Greys"
"""White to black, for standard errors: red and blue mean evidence."""

UNKNOWN = (222, 217, 189)
"""Sand, where no window covers a pixel: a colour of none of the scales."""

# Of the strength of colours just above a threshold. On the grey of a scan, the white in the middle
# of the scale would look like a bright voxel, not like weak evidence.
_FAINTEST_STRENGTH = 0.35
_GAP_GREY = 190  # of the part of a colour bar that is below the threshold

Colours = Annotated[NDArray[np.uint8], "*shape rgb"]
"""Red, green and blue."""


def table(name: str) -> Colours:
    """Return the colours (256, 3) of a scale, from its lowest value to its highest."""
    return np.asarray(np.rint(255 * colormaps[name](np.arange(256))[:, :3]), dtype=np.uint8)


def limit(values: NDArray[np.floating]) -> float:
    """Return the end of a symmetric scale: the largest absolute value; 1 if all are 0 or unknown.

    Symmetric, so that 0 is white and equal evidence for and against is equally dark.
    """
    finite = np.abs(values[np.isfinite(values)])
    largest = float(as_float32(finite.max(initial=0.0)))
    return largest if largest > 0 else 1.0


def signed(values: NDArray[np.floating], end: float) -> Colours:
    """Return the colours (..., 3) of values on a scale from -end (blue) to +end (red)."""
    return _coloured(values, (as_float32(values) / end + 1) / 2, SIGNED)


def unsigned(values: NDArray[np.floating], end: float, name: str = UNSIGNED) -> Colours:
    """Return the colours (..., 3) of values on a scale from 0 (white) to `end`."""
    return _coloured(values, as_float32(values) / end, name)


def gapped(threshold: float, name: str = SIGNED) -> Colours:
    """Return the colours (256, 3) of a scale that begins at a share of its end; grey below.

    The strength of a colour is linear in the value, from `_FAINTEST_STRENGTH` at the threshold to 1
    at the end of the scale. A signed scale goes from -1 to 1, `SEQUENTIAL` from 0 to 1.
    """
    share = np.linspace(0 if name == SEQUENTIAL else -1, 1, 256)
    above = (np.abs(share) - threshold) / (1 - threshold)
    strength = _FAINTEST_STRENGTH + (1 - _FAINTEST_STRENGTH) * above
    # From white, at the beginning of the scale or in its middle (128), outwards.
    steps = 256 * strength if name == SEQUENTIAL else 128 * (1 + np.sign(share) * strength)
    steps = np.clip(steps, 0, 255).astype(np.intp)
    return np.where(np.abs(share)[:, None] > threshold, table(name)[steps], np.uint8(_GAP_GREY))


def thresholded(
    background: Colours,
    values: NDArray[np.floating],
    end: float,
    threshold: float,
    name: str = SIGNED,
) -> Colours:
    """Return the colours (..., 3) of values above a share of `end`, the background elsewhere."""
    share = as_float32(np.nan_to_num(values, nan=0.0)) / end
    position = np.clip(share, 0, 1) if name == SEQUENTIAL else (np.clip(share, -1, 1) + 1) / 2
    steps = np.rint(255 * position).astype(np.intp)
    above = gapped(threshold, name)[steps]
    return np.where(np.abs(share)[..., None] > threshold, above, background)


def painted(values: NDArray[np.floating], end: float, name: str) -> Colours:
    """Return the colours (..., 3) of values on a scale of ours that ends at `end`."""
    return unsigned(values, end, name) if name == SEQUENTIAL else signed(values, end)


def as_float32(values: NDArray[np.floating]) -> Floats:
    """Return values with the precision of float32, in which a page has them.

    Figures colour the rounded values, too: a value at the border between two colours would
    otherwise have one in a figure and the other on a page.
    """
    return np.asarray(values, dtype=np.float32).astype(np.float64)


def _coloured(values: NDArray[np.floating], share: Floats, name: str) -> Colours:
    """Return the colours of shares from 0 to 1 of a scale, cut into 256 equal steps."""
    known = np.isfinite(values)
    steps = np.clip(256 * np.where(known, share, 0), 0, 255).astype(np.intp)
    return np.where(known[..., None], table(name)[steps], np.array(UNKNOWN, dtype=np.uint8))
