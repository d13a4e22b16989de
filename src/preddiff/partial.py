"""The map of all windows from some of them, and how far it may be off.

Axis names: t target, w window.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from preddiff.windows import Windows

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_FIRST = 4  # one in so many of the visited windows is held against all of them
_FEWEST = 64  # windows from which on that says something
_NARROW, _WIDE = 0.1, 4.0  # the least and the most that it is believed to say


def relevance(every: Windows, visited: Integers, evidence: Floats) -> Floats:
    """Mean evidence (t, *shape) of the windows that cover a place; NaN where none was visited.

    What was not visited is interpolated between the visited windows around: their plain mean
    would lie off-centre, by up to half the distance between them.

    Parameters
    ----------
    visited : numbers of the windows that were visited, ascending.
    evidence : (t, visited).
    """
    if len(visited) == len(every):
        return every.mean(evidence)
    grid = _Grid(every, visited)
    filled = np.stack([grid.between(row) for row in evidence])
    filled[:, visited] = evidence
    covered = every.subset(visited).coverage > 0
    return np.where(covered, every.mean(filled), np.nan)


def standard_error(
    every: Windows, visited: Integers, evidence: Floats, error: Floats, bias: Floats | float = 0.0
) -> Floats:
    """Standard error (t, *shape) of `relevance`.

    It holds the draws' errors, and, for the share of a place's windows that was not visited, how
    uneven the evidence is: how much further than by the draws' errors a window is from what lies
    between its neighbours (as for systematic samples: Cochran, Sampling Techniques, 1977, 8.12),
    in the measure that the map of the windows visited first turned out to be off.

    Parameters
    ----------
    error : (t, visited), standard error of `evidence` from the draws.
    bias : (t, visited), what was taken off the evidence as its bias. Half of it counts as an error
        that does not average out: where it is large, a second order is not the whole of it.
    """
    windows = every.subset(visited)
    systematic = windows.mean(np.broadcast_to(bias, evidence.shape)) / 2
    if len(visited) == len(every):
        return np.hypot(windows.error_of_mean(error), systematic)
    draws, unseen = _variances(every, visited, evidence, error)
    width = _width(every, visited, evidence, error, draws, unseen)
    width = width.reshape(-1, *(1,) * len(every.shape))
    return np.sqrt(draws + width * unseen + systematic**2)


def _variances(
    every: Windows, visited: Integers, evidence: Floats, error: Floats
) -> tuple[Floats, Floats]:
    """Of the map (t, *shape): from the draws, and from windows that were not visited."""
    windows = every.subset(visited)
    count = np.where(windows.coverage > 0, windows.coverage, np.nan)
    share = windows.coverage / np.maximum(every.coverage, 1)
    grid = _Grid(every, visited)
    draws = windows.total(error**2) / count
    uneven = windows.total(np.stack([grid.unevenness(row) for row in evidence])) / count
    return draws / count, (1 - share) * np.maximum(0.0, uneven - draws) / count


def _width(
    every: Windows,
    visited: Integers,
    evidence: Floats,
    error: Floats,
    draws: Floats,
    unseen: Floats,
) -> Floats:
    """What to multiply the variance from windows that were not visited with, (t,).

    That variance is too large where the evidence is smooth, as windows overlap. By how much is seen
    from the windows that were visited first: their map and that of all differ by the draws, and by
    what the first had not seen.

    Parameters
    ----------
    draws, unseen : (t, *shape), of the map of all that were visited.
    """
    rank = np.empty(len(every), dtype=np.int64)
    rank[every.interlaced] = np.arange(len(every))
    first = np.sort(np.argsort(rank[visited])[: len(visited) // _FIRST])
    if len(first) < _FEWEST:
        return np.ones(len(evidence))
    early = visited[first], evidence[:, first]
    draws_then, unseen_then = _variances(every, *early, error[:, first])
    apart = relevance(every, *early) - relevance(every, visited, evidence)
    found = _mean(apart**2 - (draws_then - draws))
    with np.errstate(divide="ignore", invalid="ignore"):
        width = found / _mean(unseen_then - unseen)
    return np.where(np.isfinite(width), np.clip(width, _NARROW, _WIDE), 1.0)


def _mean(values: Floats) -> Floats:
    """Over the places (t, *shape) that have a value; NaN where none has."""
    known = np.isfinite(values)
    axes = tuple(range(1, values.ndim))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0).sum(axis=axes) / known.sum(axis=axes))


def relative_error(relevance: Floats, error: Floats, covered: NDArray[np.bool_]) -> float:
    """Root mean square of the error over that of the relevance, for the worst target.

    Infinite while a place that windows cover has no value.

    Parameters
    ----------
    relevance, error : (t, *shape).
    covered : (*shape), where windows are.
    """
    variance = (error[:, covered] ** 2).mean(axis=1)
    # The square of what was found holds the variance of its error, too.
    square = np.maximum(0.0, (relevance[:, covered] ** 2).mean(axis=1) - variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.sqrt(variance / square)
    return float(np.max(np.where(np.isnan(ratio), np.inf, ratio)))


class _Grid:
    """Windows at their places relative to each other, whatever their stride."""

    def __init__(self, every: Windows, visited: Integers) -> None:
        ranks = [np.unique(at, return_inverse=True)[1].reshape(-1) for at in every.starts.T]
        self._every = tuple(ranks)
        self._visited = tuple(rank[visited] for rank in ranks)
        self._shape = tuple(int(rank.max()) + 1 for rank in ranks)
        density = len(visited) / len(every)
        self._pitch = int(np.ceil(density ** (-1 / len(ranks))))

    def between(self, values: Floats) -> Floats:
        """Values of all windows, interpolated linearly between those of the visited ones."""
        sums, weights = (
            _spread(self._laid(each), self._pitch)[self._every]
            for each in (values, np.ones_like(values))
        )
        known = weights > 0
        return np.where(known, sums / np.where(known, weights, 1), values.mean())

    def unevenness(self, values: Floats) -> Floats:
        """Squared distance of visited windows from what lies between their neighbours.

        Of windows with nothing but independent errors of their own, it is their variance on
        average; of a window without neighbours, the variance of all.
        """
        reach = 2 * self._pitch
        ones = np.ones_like(values)
        sums, weights, squares = (
            _spread(self._laid(each), reach, power)[self._visited] - each
            for each, power in ((values, 1), (ones, 1), (ones, 2))
        )
        known = weights > 1e-9
        weights = np.where(known, weights, 1)
        far = (values - sums / weights) ** 2 / (1 + squares / weights**2)
        return np.where(known, far, values.var())

    def _laid(self, values: Floats) -> Floats:
        grid = np.zeros(self._shape)
        grid[self._visited] = values
        return grid


def _spread(grid: Floats, reach: int, power: int = 1) -> Floats:
    """Sums around each place, with weights that fall linearly to 0 at `reach`, to a power."""
    weights = (1 - np.abs(np.arange(1 - reach, reach)) / reach) ** power
    for axis in range(grid.ndim):
        grid = ndimage.correlate1d(grid, weights, axis=axis, mode="constant")
    return grid
