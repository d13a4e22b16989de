"""The figure of interactions: regions over the picture, and the matrix of their pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from preddiff.render import colours
from preddiff.render.drawing import Drawing
from preddiff.render.outlines import middle
from preddiff.render.overlay import overlay
from preddiff.render.panels import show_image
from preddiff.render.slices import Plane
from preddiff.results.interactions import FIRM

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from preddiff.results.interactions import Interactions
    from preddiff.types import Labels

_PANEL_INCHES = 3.8
_MOST_LINES = 10  # between the regions that interact most
_MOST_TICKS = 40  # beside the matrix: more cannot be read
_LETTERS = 7  # points


@dataclass(frozen=True, eq=False)
class _Flat:
    """A picture, or a slice of a volume, with the regions in it.

    Attributes
    ----------
    picture : (channel, y, x), from 0 to 1.
    regions : (y, x), labels.
    aspect : height of a pixel over its width.
    caption : where a slice lies; empty of a picture.
    """

    picture: NDArray[np.floating]
    regions: Labels
    aspect: float = 1.0
    caption: str = ""


def matrices(found: Interactions) -> Figure:
    """Return a row per target: regions over the picture, and the matrix of their pairs.

    All share one symmetric scale. A dot marks what is less than two standard errors from 0. Of a
    volume, the picture is the axial slice through the regions that tell most.
    """
    end = colours.limit(found.matrix)
    rows = len(found.labels)
    drawing = Drawing(
        figsize=(2 * _PANEL_INCHES + 1.6, _PANEL_INCHES * rows + 0.5), layout="constrained"
    )
    grid = drawing.subplots(rows, 2, squeeze=False)
    for row, (label, (left, right)) in enumerate(zip(found.labels, grid, strict=True)):
        flat = _flat(found, row)
        _draw_regions(left, flat, found, row, end)
        left.set_ylabel(label, fontsize=10, parse_math=False)
        _draw_matrix(right, found, row, end)
    scale = ScalarMappable(Normalize(-end, end), colours.SIGNED)
    bar = drawing.colorbar(scale, ax=grid, fraction=0.03, pad=0.01, aspect=25)
    bar.set_label(f"{found.unit}: both needed, or against  ←  → either enough, or for", fontsize=9)
    drawing.supxlabel(_note(found), fontsize=8, parse_math=False)
    return drawing


def _note(found: Interactions) -> str:
    text = "diagonal: evidence of each region; off it: interactions"
    if np.isnan(found.error).any():
        return f"{text}; errors unknown (one draw)"
    typical = float(np.median(found.error))
    return f"{text}; dot: less than two standard errors (median {typical:.2g}) from 0"


def _flat(found: Interactions, row: int) -> _Flat:
    """Return what is drawn as the picture of a target."""
    low, high = float(found.picture.min()), float(found.picture.max())
    if found.regions.ndim == 2:
        picture = found.picture if low >= 0 and high <= 1 else _to_unit(found.picture, low, high)
        if picture.shape[1:] != found.regions.shape:  # regions of a hidden node
            picture = np.zeros((1, *found.regions.shape), dtype=np.float32)
        return _Flat(picture, found.regions)
    plane = Plane.of(found.grid, "axial")
    across = plane.axes[2]
    # Of each slice, the strength of the regions in it, as many voxels as they have.
    strength = np.zeros(int(found.numbers.max()) + 1)
    strength[found.numbers] = np.abs(found.matrix[row]).max(axis=1)
    others = tuple(axis for axis in range(3) if axis != across)
    number = int(strength[found.regions].sum(axis=others).argmax())
    picture = np.stack([plane.cut(each, number) for each in found.picture])
    cut = plane.cut(found.regions, number)
    return _Flat(_to_unit(picture, low, high), cut, plane.aspect, plane.caption(number))


def _to_unit(picture: NDArray[np.floating], low: float, high: float) -> NDArray[np.floating]:
    return (picture - low) / (high - low if high > low else 1.0)


def _draw_regions(axes: Axes, flat: _Flat, found: Interactions, row: int, end: float) -> None:
    """Draw regions in the colour of their own evidence, their numbers, and the strongest pairs."""
    own = dict(zip(found.numbers.tolist(), np.diag(found.matrix[row]), strict=True))
    values = np.zeros(flat.regions.shape)
    for number, value in own.items():
        values[flat.regions == number] = value
    show_image(
        axes, overlay(flat.picture, values, end), flat.caption or "regions and their evidence"
    )
    axes.set_aspect(flat.aspect)
    middles = {}
    for number in own:
        inside = flat.regions == number
        if inside.any():
            middles[number] = middle(inside)
            axes.contour(inside, [0.5], colors="black", linewidths=0.4)
    seen = [p for p in found.strongest(row) if p.one in middles and p.other in middles]
    for pair in reversed(seen[:_MOST_LINES]):
        (y0, x0), (y1, x1) = middles[pair.one], middles[pair.other]
        colour, width = _colour(pair.interaction, end), 1 + 3 * abs(pair.interaction) / end
        axes.plot(
            [x0, x1], [y0, y1], color=colour, linewidth=width,
            path_effects=[withStroke(linewidth=width + 1, foreground="black")],
        )  # fmt: skip
    for number, (y, x) in middles.items():
        axes.text(
            x, y, str(number), fontsize=_LETTERS, ha="center", va="center",
            path_effects=[withStroke(linewidth=1.5, foreground="white")],
        )  # fmt: skip


def _colour(value: float, end: float) -> tuple[float, ...]:
    return tuple(float(part) / 255 for part in colours.signed(np.array(value), end))


def _draw_matrix(axes: Axes, found: Interactions, row: int, end: float) -> None:
    matrix, error = found.matrix[row], found.error[row]
    show_image(axes, colours.signed(matrix, end), "interactions of pairs")
    count = len(found.numbers)
    if count <= _MOST_TICKS:
        ticks, names = np.arange(count), [str(number) for number in found.numbers]
        axes.set_xticks(ticks, names, fontsize=_LETTERS)
        axes.set_yticks(ticks, names, fontsize=_LETTERS)
        y, x = np.nonzero(np.abs(matrix) < FIRM * error)
        axes.plot(x, y, ".", color="grey", markersize=2)
