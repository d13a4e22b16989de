"""Pictures side by side, row by row, each row with its own colour scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from preddiff.render import colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from preddiff.render.colours import Colours

_SIDE = 2.85  # inches of a panel


@dataclass(frozen=True, eq=False)
class Panel:
    """An image (y, x, 3) and what stands above it."""

    image: Colours
    title: str = ""


@dataclass(frozen=True, eq=False)
class PanelRow:
    """Panels that share a scale.

    Attributes
    ----------
    caption : stands to the left.
    end, unit : of the colour bar, from -end to end; no bar without a unit.
    """

    panels: Sequence[Panel | None]
    caption: str = ""
    end: float = 1.0
    unit: str = ""


def panels(rows: Sequence[PanelRow], note: str = "") -> Figure:
    """A figure of rows; a place without a panel stays empty; the note stands below."""
    columns = max(len(row.panels) for row in rows)
    size = (_SIDE * columns + 1.2, (_SIDE + 0.15) * len(rows) + 0.3)
    drawing = Figure(figsize=size, layout="constrained")
    grid = drawing.subplots(len(rows), columns, squeeze=False)
    for row, places in zip(rows, grid, strict=True):
        for place, panel in zip(places, [*row.panels, *[None] * columns], strict=False):
            if panel is None:
                place.set(xticks=[], yticks=[])
                place.spines[:].set_visible(False)
            else:
                show(place, panel.image, panel.title)
        places[0].set_ylabel(row.caption, fontsize=10, parse_math=False)
        if row.unit:
            colour_bar(drawing, places, row.end, row.unit)
    if note:
        drawing.supxlabel(note, fontsize=9, parse_math=False)
    return drawing


def show(axes: Axes, image: Colours, title: str) -> None:
    """An image without ticks in a thin frame."""
    axes.imshow(image, interpolation="nearest")
    axes.set_title(title, fontsize=10, parse_math=False)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_linewidth(0.5)


def colour_bar(drawing: Figure, axes: NDArray, end: float, unit: str) -> None:  # type: ignore[type-arg]
    """The signed scale from -end to end, to the right of some panels."""
    scale = ScalarMappable(Normalize(-end, end), colours.SIGNED)
    bar = drawing.colorbar(scale, ax=axes, fraction=0.03, pad=0.01, aspect=25)
    bar.set_label(f"against  ←  relevance ({unit})  →  for", fontsize=10)
    bar.ax.tick_params(labelsize=9)
