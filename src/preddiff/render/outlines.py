"""Outlines of regions over a picture, with their numbers: which is which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from scipy import ndimage

from preddiff.render.drawing import Drawing
from preddiff.render.overlay import rgb
from preddiff.render.panels import show_image
from preddiff.types import Labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

_MOST_NUMBERS = 400  # more would hide the picture
_LETTERS, _LETTERS_OF_MANY, _MANY = 7, 4, 60


def figure_of_regions(picture: NDArray[np.floating], labels: Labels) -> Figure:
    """Return a picture (channel, y, x) with the outlines and numbers of regions (y, x) over it."""
    drawing = Drawing(figsize=(6.0, 6.0 * labels.shape[0] / labels.shape[1]), layout="constrained")
    axes = drawing.subplots(1, 1)
    show_image(axes, rgb(picture), "")
    draw(axes, labels)
    return drawing


def draw(axes: Axes, labels: Labels) -> None:
    """Draw the outlines of regions (y, x) that are numbered from 1, and their numbers."""
    axes.add_collection(
        LineCollection(list(_edges(labels)), colors="black", linewidths=0.8)  # seen on white
    )
    axes.add_collection(LineCollection(list(_edges(labels)), colors="white", linewidths=0.4))
    boxes = ndimage.find_objects(labels)
    numbers = [number for number, box in enumerate(boxes, start=1) if box is not None]
    if len(numbers) > _MOST_NUMBERS:
        return
    size = _LETTERS_OF_MANY if len(numbers) > _MANY else _LETTERS
    for number in numbers:
        y, x = middle(labels[boxes[number - 1]] == number)
        top, left = (side.start for side in boxes[number - 1])
        axes.text(
            left + x, top + y, str(number), fontsize=size, ha="center", va="center",
            path_effects=[withStroke(linewidth=1.5, foreground="white")],
        )  # fmt: skip


def middle(inside: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the point of a region that is farthest from its border."""
    depth = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(y), float(x)


def _edges(labels: Labels) -> NDArray[np.float64]:
    """Return the sides (edge, end, x and y) between pixels of different regions."""
    y, x = np.nonzero(labels[:, 1:] != labels[:, :-1])
    upright = np.stack([[x + 0.5, y - 0.5], [x + 0.5, y + 0.5]])
    y, x = np.nonzero(labels[1:] != labels[:-1])
    level = np.stack([[x - 0.5, y + 0.5], [x + 0.5, y + 0.5]])
    return np.concatenate([upright, level], axis=2).transpose(2, 0, 1)
