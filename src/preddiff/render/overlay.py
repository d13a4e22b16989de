"""Relevance laid over the greyed picture, as the paper shows it."""

import numpy as np
from numpy.typing import NDArray

from preddiff.render import colours
from preddiff.render.colours import Colours

OPAQUE = 0.5
"""Share of the scale from which on relevance hides the picture."""


def rgb(picture: NDArray[np.floating]) -> Colours:
    """(channel, y, x) in [0, 1] to colours (y, x, 3); of other than 3 channels, their mean."""
    if len(picture) != 3:
        picture = np.repeat(picture.mean(axis=0, keepdims=True), 3, axis=0)
    return _bytes(255 * np.clip(np.moveaxis(picture, 0, -1), 0, 1).astype(np.float64))


def greyed(picture: NDArray[np.floating]) -> Colours:
    """The picture without its colours, and paler, so that red and blue stand out on it."""
    grey = 0.35 * 255 + 0.65 * (rgb(picture) @ np.array([0.299, 0.587, 0.114]))
    return np.repeat(_bytes(grey)[..., None], 3, axis=-1)


def opacity(relevance: NDArray[np.floating], end: float) -> NDArray[np.float64]:
    """How much of the relevance's colour covers the picture, (y, x) in [0, 1].

    Clear where relevance is 0 or unknown, opaque from half of the scale on, so that strong
    evidence has the colour that the bar says.
    """
    share = np.abs(colours.as_held(np.nan_to_num(relevance, nan=0.0))) / end
    return np.asarray(np.clip(share / OPAQUE, 0, 1))


def overlay(picture: NDArray[np.floating], relevance: NDArray[np.floating], end: float) -> Colours:
    """Relevance (y, x) over the greyed picture (channel, y, x), as colours (y, x, 3)."""
    cover = opacity(relevance, end)[..., None]
    return _bytes((1 - cover) * greyed(picture) + cover * colours.signed(relevance, end))


def stretched(values: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.floating]:
    """A hidden node's map (y, x) over the whole of a picture: each place as a rectangle."""
    rows, columns = (
        np.arange(length) * own // length for own, length in zip(values.shape, shape, strict=True)
    )
    return values[np.ix_(rows, columns)]


def _bytes(values: NDArray[np.float64]) -> Colours:
    return np.floor(values + 0.5).astype(np.uint8)
