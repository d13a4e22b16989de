"""Palettes are called by the colours that they have."""

import pytest

from preddiff.render import colours
from preddiff.viewer.palettes import PALETTES


def called(colour):
    red, green, blue = (int(part) for part in colour)
    if blue > red:
        return "purple" if red > green + 10 else "blue"
    return "orange" if green > blue + 30 else "red"


@pytest.mark.parametrize("name", PALETTES)
def test_the_words_for_both_sides_are_those_of_the_colours(name):
    palette = PALETTES[name]
    scale = colours.table(palette.scale)
    assert (palette.plus, palette.minus) == (called(scale[230]), called(scale[25]))
    assert name == f"{palette.plus} and {palette.minus}"
