"""Relevance laid over the greyed picture, as the paper shows it."""

import numpy as np
from numpy.typing import NDArray

from preddiff.render import colours
from preddiff.render.colours import Colours
from preddiff.types import Floats

OPAQUE = 0.5
"""Share of the scale above which relevance hides the picture."""


def rgb(picture: NDArray[np.floating]) -> Colours:
    """Return a picture (channel, y, x) in [0, 1] as colours (y, x, 3).

    Unless there are three channels, it is the mean of all in grey.
    """
    if len(picture) != 3:
        picture = np.repeat(picture.mean(axis=0, keepdims=True), 3, axis=0)
    return _bytes(255 * np.clip(np.moveaxis(picture, 0, -1), 0, 1).astype(np.float64))


def greyed(picture: NDArray[np.floating]) -> Colours:
    """Return the picture in pale grey (y, x, 3), so that red and blue stand out on it."""
    # The weights of red, green and blue in perceived brightness (ITU-R BT.601), then raised by a
    # third, so that black becomes a grey on which dark colours are seen.
    grey = 0.35 * 255 + 0.65 * (rgb(picture) @ np.array([0.299, 0.587, 0.114]))
    return np.repeat(_bytes(grey)[..., None], 3, axis=-1)


def opacity(relevance: NDArray[np.floating], end: float) -> Floats:
    """Return the opacity of relevance over the picture, (y, x) in [0, 1].

    0 where relevance is 0 or unknown, and 1 from half of the scale on, so that strong evidence has
    the very colour of the colour bar.
    """
    share = np.abs(colours.as_float32(np.nan_to_num(relevance, nan=0.0))) / end
    return np.asarray(np.clip(share / OPAQUE, 0, 1))


def overlay(
    picture: NDArray[np.floating],
    values: NDArray[np.floating],
    end: float,
    scale: str = colours.SIGNED,
) -> Colours:
    """Return a map (y, x) over the greyed picture (channel, y, x), as colours (y, x, 3)."""
    cover = opacity(values, end)[..., None]
    return _bytes((1 - cover) * greyed(picture) + cover * colours.painted(values, end, scale))


def stretched(values: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.floating]:
    """Return a hidden node's map (y, x) over a whole picture, each of its values as a rectangle.

    Nothing is interpolated: a node's value is one number, and has no finer detail to show.
    """
    rows, columns = (
        np.arange(length) * own // length for own, length in zip(values.shape, shape, strict=True)
    )
    return values[np.ix_(rows, columns)]


def _bytes(values: Floats) -> Colours:
    """Return bytes, rounded half up as JavaScript's Math.round does (np.rint rounds to even)."""
    return np.floor(values + 0.5).astype(np.uint8)
