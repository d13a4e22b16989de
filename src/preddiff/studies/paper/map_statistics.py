"""Statistics of relevance maps: where they lie, how alike, how rough and how sparse they are.

A map from draws is r + n: what infinitely many draws would give, and noise. Noise does not average
out of these statistics. It spreads a map over the picture, makes it rough, and lowers correlations,
and it does not do so equally in two maps that are to be compared. Two runs with draws of their own
share r but not n, so for a product of the first run's value with the second's

    E[(r + n₁)(r' + n₂)] = r r' + E[n₁] E[n₂] = r r',

without noise. `agreement` and `roughness` are built from such cross-products only.
"""

from itertools import combinations
from typing import Annotated

import numpy as np

from preddiff.studies.paper.object_boxes import BoundingBox
from preddiff.types import Floats, Relevance

PictureMap = Annotated[Floats, "y x"]
"""A value for every pixel of a picture."""


def share_inside(size: PictureMap, box: BoundingBox) -> float:
    """Return the share of a map's sum that lies inside a box; pixels without a value (NaN) are 0.

    Parameters
    ----------
    size : (y, x), magnitudes.
    """
    left, top, right, bottom = box
    return float(np.nansum(size[top:bottom, left:right]) / np.nansum(size))


def agreement(one: Relevance, other: Relevance) -> float:
    """Return the mean correlation between every two of several maps, corrected for noise.

    Parameters
    ----------
    one, other : (target, y, x), the same maps from two runs with draws of their own.

    Returns
    -------
    float
        NaN if some map does not even agree with itself, so that there is only noise.
    """
    first, second = (maps.reshape(len(maps), -1) for maps in (one, other))
    known = np.isfinite(first).all(axis=0) & np.isfinite(second).all(axis=0)
    first, second = (m[:, known] - m[:, known].mean(axis=1, keepdims=True) for m in (first, second))
    # Entry (a, b) is the covariance of map a in one run with map b in the other, so even the
    # diagonal is free of noise: it is the variance of r, which a map's own square would overstate.
    # Dividing by it corrects the correlation for attenuation (Spearman, 1904). The average with the
    # transpose uses both of the two estimates that there are of each pair.
    covariance = first @ second.T
    covariance = (covariance + covariance.T) / 2
    variance = np.diag(covariance)
    # Where there is little but noise this estimate of a variance may come out below 0.
    spread = np.sqrt(np.where(variance > 0, variance, np.nan))
    correlation = covariance / np.outer(spread, spread)
    return float(np.mean([correlation[a, b] for a, b in combinations(range(len(one)), 2)]))


def roughness(one: PictureMap, other: PictureMap) -> float:
    """Return the root mean square of neighbours' differences over that of the map, without noise.

    It does not depend on the map's scale; 0 is a constant map, 2 a chessboard of ±1.

    Parameters
    ----------
    one, other : (y, x), the same map from two runs with draws of their own.
    """
    steps = (
        np.concatenate([np.diff(values, axis=axis).reshape(-1) for axis in (0, 1)])
        for values in (one, other)
    )
    # A smooth map under much noise may have a product of steps below 0, which stands for 0.
    return float(np.sqrt(max(0.0, _mean_product(*steps) / _mean_product(one, other))))


def _mean_product(one: Floats, other: Floats) -> float:
    return float((one * other).mean())


def half_share(values: Annotated[Floats, "channel"]) -> float:
    """Return the share of the channels, largest first, that together hold half of the sum."""
    cumulated = np.sort(values)[::-1].cumsum()
    return float((np.searchsorted(cumulated, cumulated[-1] / 2) + 1) / len(values))
