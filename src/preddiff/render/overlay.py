"""Relevance laid over the greyed picture, as the paper shows it."""

import numpy as np
from numpy.typing import NDArray

from preddiff.render import colours

Rgb = NDArray[np.float64]


def rgb(picture: NDArray[np.floating]) -> Rgb:
    """(channel, y, x) in [0, 1] to (y, x, 3); of other than 3 channels, their mean."""
    if len(picture) != 3:
        picture = np.repeat(picture.mean(axis=0, keepdims=True), 3, axis=0)
    return np.asarray(np.clip(np.moveaxis(picture, 0, -1), 0, 1), dtype=np.float64)


def greyed(picture: NDArray[np.floating]) -> Rgb:
    """The picture without its colours, and paler, so that red and blue stand out on it."""
    grey = rgb(picture) @ np.array([0.299, 0.587, 0.114])
    return np.repeat((0.35 + 0.65 * grey)[..., None], 3, axis=-1)


def opacity(relevance: NDArray[np.floating], end: float) -> NDArray[np.float64]:
    """How much of the relevance's colour covers the picture, (y, x) in [0, 1].

    Clear where relevance is 0 or unknown, opaque from half of the scale on, so that strong
    evidence has the colour that the bar says.
    """
    share = np.abs(np.nan_to_num(relevance, nan=0.0)) / end
    return np.asarray(np.clip(2 * share, 0, 1))


def overlay(picture: NDArray[np.floating], relevance: NDArray[np.floating], end: float) -> Rgb:
    """Relevance (y, x) over the greyed picture (channel, y, x), as colours (y, x, 3)."""
    cover = opacity(relevance, end)[..., None]
    return (1 - cover) * greyed(picture) + cover * colours.signed(relevance, end)
