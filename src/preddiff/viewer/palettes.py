"""The palettes that a reader of a page can choose from."""

from dataclasses import dataclass

from preddiff.render import colours


@dataclass(frozen=True)
class Palette:
    """A signed colour scale, and the words for the colours at its ends.

    Attributes
    ----------
    scale : its name, as `colours.table` takes it.
    plus, minus : colours of evidence for and against; the page says "red pixels".
    """

    scale: str
    plus: str
    minus: str


PALETTES = {
    "red and blue": Palette(colours.SIGNED, "red", "blue"),
    "orange and purple": Palette(colours.ALTERNATIVE, "orange", "purple"),
}
