"""Red for, blue against: the one place where numbers become colours.

Colours are bytes, so that a figure and a page, which gets its tables from here, agree exactly.
"""

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

SIGNED = "RdBu_r"
"""Blue over white to red; legible to people who do not tell red from green."""

ALTERNATIVE = "PuOr_r"
"""Purple over white to orange: against and for, to people who do not see the difference above."""

UNSIGNED = "Reds"
"""White to red, for maps whose sign means nothing."""

ERROR = "Greys"
"""White to black, for standard errors: red and blue are taken."""

UNKNOWN = (222, 217, 189)
"""Sand, where no window covers a pixel: on none of the scales."""

_FAINTEST = 0.35  # of a scale with a gap: share of the full colour
_GREY = 190

Colours = NDArray[np.uint8]


def table(name: str) -> Colours:
    """The colours (256, 3) of a scale, from its lowest value to its highest."""
    return np.asarray(np.rint(255 * colormaps[name](np.arange(256))[:, :3]), dtype=np.uint8)


def limit(values: NDArray[np.floating]) -> float:
    """The end of a symmetric scale: the largest absolute value; 1 where all are 0 or unknown."""
    finite = np.abs(values[np.isfinite(values)])
    largest = float(as_held(finite.max(initial=0.0)))
    return largest if largest > 0 else 1.0


def signed(values: NDArray[np.floating], end: float) -> Colours:
    """Colours (..., 3) of values on a scale from -end (blue) to +end (red)."""
    return _coloured(values, (as_held(values) / end + 1) / 2, SIGNED)


def unsigned(values: NDArray[np.floating], end: float, name: str = UNSIGNED) -> Colours:
    """Colours (..., 3) of values on a scale from 0 (white) to `end`."""
    return _coloured(values, as_held(values) / end, name)


def gapped(shown: float, name: str = SIGNED) -> Colours:
    """The colours (256, 3) of a signed scale that begins at a share of its end; grey below.

    The faintest colour is no white, so that it can be told from the grey of a scan.
    """
    share = np.linspace(-1, 1, 256)
    strength = _FAINTEST + (1 - _FAINTEST) * (np.abs(share) - shown) / (1 - shown)
    steps = np.clip(128 * (1 + np.sign(share) * strength), 0, 255).astype(np.intp)
    return np.where(np.abs(share)[:, None] > shown, table(name)[steps], np.uint8(_GREY))


def laid(under: Colours, values: NDArray[np.floating], end: float, shown: float) -> Colours:
    """Colours (..., 3) of values above a share of `end`, over the colours that are under them."""
    share = as_held(np.nan_to_num(values, nan=0.0)) / end
    steps = np.rint(255 * (np.clip(share, -1, 1) + 1) / 2).astype(np.intp)
    return np.where(np.abs(share)[..., None] > shown, gapped(shown)[steps], under)


def as_held(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """In the digits that a page holds (float32), so that it shows every pixel as a figure does."""
    return np.asarray(values, dtype=np.float32).astype(np.float64)


def _coloured(values: NDArray[np.floating], share: NDArray[np.float64], name: str) -> Colours:
    known = np.isfinite(values)
    steps = np.clip(256 * np.where(known, share, 0), 0, 255).astype(np.intp)
    return np.where(known[..., None], table(name)[steps], np.array(UNKNOWN, dtype=np.uint8))
