"""Relevance of a signal over time, as a line below the signal itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from preddiff.method.evidence import INTERVAL
from preddiff.render.drawing import Drawing
from preddiff.render.maps import MAPS, Shown

if TYPE_CHECKING:
    from preddiff.results.explanation import Explanation

_FOR, _AGAINST = "#b2182b", "#2166ac"


def lines(
    explanations: Sequence[tuple[str, Explanation]], shown: Shown = MAPS["relevance"]
) -> Figure:
    """Return two panels per target: the signal, and a map of it with its 95 % interval.

    Of the relevance, the area above zero is red, for the target, and that below it blue.

    Parameters
    ----------
    explanations : titles and explanations (target, time).
    """
    rows = [(title, e, row) for title, e in explanations for row in range(len(e.labels))]
    drawing = Drawing(figsize=(8.0, 3.6 * len(rows)), layout="constrained")
    panels = drawing.subplots(2 * len(rows), 1, sharex=True, squeeze=False)[:, 0]
    for number, (title, e, row) in enumerate(rows):
        signal, map_ = panels[2 * number], panels[2 * number + 1]
        signal.plot(e.picture.values.T, linewidth=0.8)
        signal.set_ylabel("signal")
        name = f"{e.labels[row]}, {'p' if e.of_probabilities else 'value'} = {e.values[row]}"
        signal.set_title(f"{title}: {name}" if title else name, fontsize=10, parse_math=False)
        values, error = shown.of(e).values[row], e.data[shown.error].values[row]
        time, margin = np.arange(len(values)), INTERVAL * np.nan_to_num(error)
        map_.fill_between(time, values - margin, values + margin, color="#cccccc", linewidth=0)
        map_.fill_between(time, np.maximum(values, 0), color=_FOR, alpha=0.3, linewidth=0)
        map_.fill_between(time, np.minimum(values, 0), color=_AGAINST, alpha=0.3, linewidth=0)
        map_.plot(time, values, color="black", linewidth=0.8)
        map_.axhline(0, color="black", linewidth=0.4)
        map_.set_ylabel(f"{shown.name} ({e.unit})")
        map_.set_xlabel("time")
    return drawing
