"""What the paper says of maps, counted: where they are, how alike, how rough, how sparse.

Draws make maps noisy, and noise is not alike in all maps that are compared: it spreads them, makes
them rough, and hides how alike they are. So likeness and roughness are taken between two runs with
draws of their own: products of one run's values with the other's have no noise in the mean.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from preddiff.studies.paper.boxes import Box

Floats = NDArray[np.float64]


def share_inside(size: Floats, box: Box) -> float:
    """Share of a map's size (y, x) that lies inside a box; places without a value count nothing."""
    left, top, right, bottom = box
    return float(np.nansum(size[top:bottom, left:right]) / np.nansum(size))


def agreement(one: Floats, other: Floats) -> float:
    """Mean correlation between every two of several maps (target, y, x), as if without noise.

    Parameters
    ----------
    one, other : the same maps from two runs with draws of their own.

    Returns
    -------
    NaN where a map does not even agree with itself: there is only noise.
    """
    first, second = (maps.reshape(len(maps), -1) for maps in (one, other))
    known = np.isfinite(first).all(axis=0) & np.isfinite(second).all(axis=0)
    first, second = (m[:, known] - m[:, known].mean(axis=1, keepdims=True) for m in (first, second))
    covariance = first @ second.T
    covariance = (covariance + covariance.T) / 2
    variance = np.diag(covariance)
    spread = np.sqrt(np.where(variance > 0, variance, np.nan))
    correlation = covariance / np.outer(spread, spread)
    return float(np.mean([correlation[a, b] for a, b in combinations(range(len(one)), 2)]))


def roughness(one: Floats, other: Floats) -> float:
    """Root mean square of the difference between neighbours, over that of the map, without noise.

    Parameters
    ----------
    one, other : the same map (y, x) from two runs with draws of their own.
    """
    steps = (
        np.concatenate([np.diff(values, axis=axis).reshape(-1) for axis in (0, 1)])
        for values in (one, other)
    )
    return float(np.sqrt(max(0.0, _product(*steps) / _product(one, other))))


def _product(one: Floats, other: Floats) -> float:
    return float((one * other).mean())


def half_share(values: Floats) -> float:
    """Share of the channels, largest first, that together have half of the sum."""
    ordered = np.sort(values)[::-1].cumsum()
    return float((np.searchsorted(ordered, ordered[-1] / 2) + 1) / len(values))
