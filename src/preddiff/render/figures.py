"""Figures in the manner of the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from preddiff.render import colours
from preddiff.render.overlay import overlay, rgb
from preddiff.render.strips import strips, through_peak

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from preddiff.explanation import Explanation


def figure(explanation: Explanation) -> Figure:
    """One row per target. The figure needs no window: save it with `savefig`.

    Of a picture, it shows the picture, its sensitivity map, the relevance, and the relevance over
    the greyed picture; all targets share one symmetric scale, so that their colours can be
    compared. Where the model has no gradient the sensitivity map is left out.

    Of a volume, it shows the three slices that meet where the target's relevance is largest, as
    figures 9 to 12 of the paper do.
    """
    if explanation.coverage.ndim == 3:
        return strips(through_peak(explanation), title=str(explanation.provenance["input"]))
    picture = explanation.picture.values
    relevance = explanation.relevance.values
    sensitivity = explanation.sensitivity
    end = colours.limit(relevance)
    columns = 3 if sensitivity is None else 4
    rows = len(relevance)
    drawing = Figure(figsize=(2.9 * columns + 1.2, 2.85 * rows + 0.3), layout="constrained")
    axes = drawing.subplots(rows, columns, squeeze=False)
    for row, panels in enumerate(axes):
        shown = [("input", rgb(picture))]
        if sensitivity is not None:
            gradient = sensitivity.values[row]
            shown.append(("sensitivity", colours.unsigned(gradient, colours.limit(gradient))))
        shown.append(("relevance", colours.signed(relevance[row], end)))
        shown.append(("relevance over input", overlay(picture, relevance[row], end)))
        for panel, (title, image) in zip(panels, shown, strict=True):
            _show(panel, image, title if row == 0 else "")
        panels[0].set_ylabel(_caption(explanation, row), fontsize=10, parse_math=False)
    _colour_bar(drawing, axes, end, explanation.unit)
    if (explanation.coverage.values == 0).any():
        drawing.supxlabel("sand-coloured: no window covers these pixels", fontsize=9)
    return drawing


def _show(axes: Axes, image: np.ndarray, title: str) -> None:
    axes.imshow(image, interpolation="nearest")
    axes.set_title(title, fontsize=10)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_linewidth(0.5)


def _caption(explanation: Explanation, row: int) -> str:
    """Name of a target and the model's value for it."""
    symbol = "p" if explanation.of_probabilities else "value"
    return f"{explanation.labels[row]}\n{symbol} = {explanation.values[row]}"


def _colour_bar(drawing: Figure, axes: np.ndarray, end: float, unit: str) -> None:
    scale = ScalarMappable(Normalize(-end, end), colours.SIGNED)
    bar = drawing.colorbar(scale, ax=axes, fraction=0.03, pad=0.01, aspect=25)
    bar.set_label(f"against  ←  relevance ({unit})  →  for", fontsize=10)
    bar.ax.tick_params(labelsize=9)
