"""Pictures side by side, row by row, each row with its own colour scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from preddiff.render.drawing import Drawing
from preddiff.render.maps import MAPS, Shown
from preddiff.render.sides import FOR_AND_AGAINST

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from preddiff.render.colours import Colours

_PANEL_INCHES = 2.85
_FONT, _FITTING = 10, 42  # points of a colour bar's label, and letters that fit beside it in these


@dataclass(frozen=True, eq=False)
class Panel:
    """An image (y, x, 3) and the title above it."""

    image: Colours
    title: str = ""


@dataclass(frozen=True, eq=False)
class PanelRow:
    """Panels that share a scale.

    Attributes
    ----------
    caption : text to the left.
    end, unit : of the colour bar, from -end to end; without a unit there is no bar.
    """

    panels: Sequence[Panel | None]
    caption: str = ""
    end: float = 1.0
    unit: str = ""


def panels(rows: Sequence[PanelRow], note: str = "") -> Figure:
    """Return a figure of rows with a note below; where a row has None, it has a gap."""
    columns = max(len(row.panels) for row in rows)
    size = (_PANEL_INCHES * columns + 1.2, (_PANEL_INCHES + 0.15) * len(rows) + 0.3)
    drawing = Drawing(figsize=size, layout="constrained")
    grid = drawing.subplots(len(rows), columns, squeeze=False)
    for row, row_axes in zip(rows, grid, strict=True):
        for axes, panel in zip(row_axes, [*row.panels, *[None] * columns], strict=False):
            if panel is None:  # not switched off: the caption of a row may stand beside a gap
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set_visible(False)
            else:
                show_image(axes, panel.image, panel.title)
        # A label is text from outside: a $ in it must not start a formula.
        row_axes[0].set_ylabel(row.caption, fontsize=10, parse_math=False)
        if row.unit:
            colour_bar(drawing, row_axes, row.end, row.unit)
    if note:
        drawing.supxlabel(note, fontsize=9, parse_math=False)
    return drawing


def show_image(axes: Axes, image: Colours, title: str) -> None:
    """Draw an image in a thin frame, without ticks, each pixel as a square."""
    axes.imshow(image, interpolation="nearest")
    axes.set_title(title, fontsize=10, parse_math=False)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_linewidth(0.5)


def colour_bar(
    drawing: Figure,
    axes: NDArray,  # type: ignore[type-arg]
    end: float,
    unit: str,
    shown: Shown = MAPS["relevance"],
    sides: tuple[str, str] = FOR_AND_AGAINST,
) -> None:
    """Add the scale of a map, from -end or from 0 to end, to the right of some panels.

    Parameters
    ----------
    sides : words for its upper and its lower side.
    """
    scale = ScalarMappable(Normalize(-end if shown.signed else 0, end), shown.scale)
    bar = drawing.colorbar(scale, ax=axes, fraction=0.03, pad=0.01, aspect=25)
    label = shown.bar_label(unit, sides)
    # The names of two classes are longer than the bar.
    bar.set_label(label, fontsize=_FONT * min(1, _FITTING / len(label)))
    bar.ax.tick_params(labelsize=9)
