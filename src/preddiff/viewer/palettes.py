"""How the pages of pictures and of volumes look alike: palettes, and what is within its error."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preddiff.render import colours

INTERVAL = 1.96
"""Standard errors on either side that hold the true value in 95 of 100 cases."""


@dataclass(frozen=True)
class Palette:
    """A signed scale of colours, and what its sides are called.

    Attributes
    ----------
    scale : its name, as `colours.table` takes it.
    plus, minus : colours of evidence for and against.
    """

    scale: str
    plus: str
    minus: str


PALETTES = {
    "red and blue": Palette(colours.SIGNED, "red", "blue"),
    "orange and purple": Palette(colours.ALTERNATIVE, "orange", "purple"),
}


def are_exact(errors: NDArray[np.floating]) -> bool:
    """Whether standard errors say that relevance is exact: all that are known are 0."""
    known = errors[np.isfinite(errors)]
    return bool(known.size and not known.any())
