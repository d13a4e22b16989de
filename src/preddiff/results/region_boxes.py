"""Where regions lie, so that a reader finds them in the picture or the scan that was given."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Annotated

import numpy as np

from preddiff.types import Floats

if TYPE_CHECKING:
    from preddiff.media.grid import Grid
    from preddiff.method.regions import Regions
    from preddiff.results.explanation import Explanation


def boxes_around(
    explanation: Explanation, parts: Regions
) -> Annotated[Floats, "region coordinate"]:
    """Return the box around each region: from and to along x, along y and along z.

    Of a scan in mm, as its file has them; of a picture in pixels of the original, turned upright;
    of an array in its own elements. z is NaN of what has two axes.
    """
    low, high = parts.starts[:, ::-1].astype(np.float64), parts.ends[:, ::-1].astype(np.float64)
    if explanation.grid is not None:
        low, high = _in_mm(explanation.grid, low, high)
    elif explanation.crop is not None:
        left, top, width, height = explanation.crop
        scale = np.array([width, height]) / parts.shape[::-1]
        low, high = (left, top) + low * scale, (left, top) + high * scale
    both = np.full((len(parts), 3, 2), np.nan)
    both[:, : low.shape[1], 0], both[:, : low.shape[1], 1] = low, high
    return both.reshape(len(parts), 6)


def _in_mm(grid: Grid, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Return the least and the largest coordinates of boxes, whose axes may be oblique."""
    # A voxel reaches half a voxel beyond its centre, which is what a grid's affine maps.
    corners = [
        grid.world(np.where(at, high, low)[:, ::-1] - 0.5)
        for at in itertools.product([False, True], repeat=3)
    ]
    return np.min(corners, axis=0), np.max(corners, axis=0)
