"""Relevance of a hidden node's channels, or of a row's features, those that matter most first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from preddiff.method.evidence import INTERVAL
from preddiff.render import colours
from preddiff.render.drawing import Drawing
from preddiff.render.maps import MAPS, Shown

if TYPE_CHECKING:
    from preddiff.results.explanation import Explanation

_MAX_BARS = 20


def bars(
    explanations: Sequence[tuple[str, Explanation]], shown: Shown = MAPS["relevance"]
) -> Figure:
    """Return a panel per target: bars of a map with 95 % intervals; red is for, blue against.

    Parameters
    ----------
    explanations : titles and explanations (target, channel).
    """
    rows = [(title, e, row) for title, e in explanations for row in range(len(e.labels))]
    drawing = Drawing(figsize=(7.5, 3.4 * len(rows)), layout="constrained")
    panels = drawing.subplots(len(rows), 1, squeeze=False)[:, 0]
    for panel, (title, e, row) in zip(panels, rows, strict=True):
        values = shown.of(e).values[row]
        strongest = np.argsort(-np.abs(values), kind="stable")[:_MAX_BARS]
        errors = np.nan_to_num(e.data[shown.error].values[row][strongest])  # no bar where unknown
        end = colours.limit(values)
        panel.bar(
            np.arange(len(strongest)), values[strongest],
            color=colours.painted(values[strongest], end, shown.scale) / 255,
            edgecolor="#555555", linewidth=0.5, yerr=INTERVAL * errors,
            error_kw={"elinewidth": 0.8},
        )  # fmt: skip
        panel.axhline(0, color="black", linewidth=0.6)
        names, what = _names(e)
        turned = {"rotation": 30, "ha": "right"} if "features" in e.provenance else {}
        panel.set_xticks(
            np.arange(len(strongest)), [names[n] for n in strongest], fontsize=8, parse_math=False,
            **turned,
        )  # fmt: skip
        panel.set_xlabel(f"{what}, {len(strongest)} of {len(values)}")
        panel.set_ylabel(f"{shown.name} ({e.unit})")
        symbol = "p" if e.of_probabilities else "value"
        name = f"{e.labels[row]}, {symbol} = {e.values[row]}"
        panel.set_title(f"{title}: {name}" if title else name, fontsize=10, parse_math=False)
    return drawing


def _names(e: Explanation) -> tuple[list[str], str]:
    """Return a name for each bar, and what bars are."""
    features = e.provenance.get("features")
    if features is None:
        return [str(n) for n in range(e.relevance.shape[1])], f"channel of {e.provenance['source']}"
    row = e.picture.values[0]
    return [f"{name} = {value:.4g}" for name, value in zip(features, row, strict=True)], "feature"
