"""How the pages of pictures and of volumes look alike: palettes, and what is within its error."""

from dataclasses import dataclass

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
