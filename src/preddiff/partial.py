"""The map of all windows from some of them, and how far it may be off.

Axis names: t target, w window.
"""

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from preddiff.windows import Windows

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_FIRST = 4  # one in so many of the visited windows is held against all of them
_FEWEST = 64  # windows from which on that says something
_NARROW, _WIDE = 0.1, 4.0  # the least and the most that it is believed to say
_AROUND = 33  # places along each axis that are around a window
_SLACK = 0.1  # places
_EASY, _HARD = 0.25, 4.0  # density of the visited windows, relative to the mean


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


def need(every: Windows, visited: Integers, evidence: Floats, groups: Integers) -> Floats:
    """How many draws windows around each are worth, relative to the mean, (window,).

    In proportion to how far windows are from what lies between their neighbours, by their own draws
    or because the evidence is uneven: so the map's mean variance is the least for the same work
    (Neyman's allocation: Cochran, Sampling Techniques, 1977, 5.5).

    Parameters
    ----------
    groups : (visited,), of draws that each had: those with more are nearer to what they would be.
    """
    grid = _Grid(every, visited)
    uneven = np.stack([grid.unevenness(row) for row in evidence]) * (groups / groups.min())
    level = uneven.mean(axis=1, keepdims=True)
    share = np.divide(uneven, level, out=np.ones_like(uneven), where=level > 0).mean(axis=0)
    count = grid.around(np.ones(len(visited)))
    spread = np.sqrt(np.where(count > 0, grid.around(share) / np.maximum(count, 1), 1.0))
    return np.asarray(np.clip(spread / spread.mean(), _EASY, _HARD))


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
    unseen = (1 - share) * np.maximum(0.0, uneven - draws) / count
    return draws / count, _pooled(unseen, windows.size)


def _pooled(values: Floats, size: tuple[int, ...]) -> Floats:
    """Mean (t, *shape) over what shares a window with a place: there are few windows of its own."""
    known = np.isfinite(values)
    lengths = (1, *(2 * k - 1 for k in size))
    filled, weights = (
        ndimage.uniform_filter(each, lengths, mode="constant")
        for each in (np.where(known, values, 0.0), known.astype(np.float64))
    )
    filled = np.maximum(filled, 0.0)  # running sums leave a rounding error of either sign
    return np.asarray(np.divide(filled, weights, out=np.full_like(values, np.nan), where=known))


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
    turn = every.ranks[visited] / _Grid(every, visited).density[visited]
    first = np.sort(np.argsort(turn)[: len(visited) // _FIRST])
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
    """Windows at their places relative to each other, whatever their stride.

    Attributes
    ----------
    density : (window,), share of the windows around each that was visited.
    """

    def __init__(self, every: Windows, visited: Integers) -> None:
        ranks = [np.unique(at, return_inverse=True)[1].reshape(-1) for at in every.starts.T]
        self._every = tuple(ranks)
        self._visited = tuple(rank[visited] for rank in ranks)
        self._shape = tuple(int(rank.max()) + 1 for rank in ranks)
        known = self.around(np.ones(len(visited)))
        possible = _boxed(self._laid(np.ones(len(every)), self._every))[self._every]
        self.density = np.maximum(known, 1) / possible
        # A little less is not yet the next pitch: it may be the density's own unevenness.
        pitch = np.ceil(self.density ** (-1 / len(ranks)) - _SLACK).astype(np.int64)
        self._pitch = np.maximum(pitch, 2)  # or no window has a neighbour
        self._pitch_there = self._pitch[visited]

    def around(self, values: Floats) -> Floats:
        """Sum (window,) of the values of the visited windows around each."""
        return _boxed(self._laid(values, self._visited))[self._every]

    def between(self, values: Floats) -> Floats:
        """Values of all windows, interpolated linearly between those of the visited ones."""
        filled = np.full(len(self._pitch), np.nan)
        # Where visited ones are further apart than they are around, a later pitch reaches them.
        beyond = (2**n * int(self._pitch.max()) for n in itertools.count(1))
        for pitch in itertools.chain(np.unique(self._pitch), beyond):
            if not np.isnan(filled).any():
                break
            sums, weights = (
                _spread(self._laid(each, self._visited), pitch)[self._every]
                for each in (values, np.ones_like(values))
            )
            found = np.isnan(filled) & (self._pitch <= pitch) & (weights > 0)
            filled[found] = sums[found] / weights[found]
        return filled

    def unevenness(self, values: Floats) -> Floats:
        """Squared distance of visited windows from what lies between their neighbours.

        Of windows with nothing but independent errors of their own, it is their variance on
        average; of a window without neighbours, the variance of all.
        """
        far = np.full(len(values), values.var())
        ones = np.ones_like(values)
        for pitch in np.unique(self._pitch_there):
            sums, weights, squares = (
                _spread(self._laid(each, self._visited), 2 * pitch, power)[self._visited] - each
                for each, power in ((values, 1), (ones, 1), (ones, 2))
            )
            known = (weights > 1e-9) & (self._pitch_there == pitch)
            weights = np.where(known, weights, 1)
            apart = (values - sums / weights) ** 2 / (1 + squares / weights**2)
            far[known] = apart[known]
        return far

    def _laid(self, values: Floats, places: tuple[Integers, ...]) -> Floats:
        grid = np.zeros(self._shape)
        grid[places] = values
        return grid


def _boxed(grid: Floats) -> Floats:
    """Sums of what is around each place."""
    for axis in range(grid.ndim):
        grid = ndimage.correlate1d(grid, np.ones(_AROUND), axis=axis, mode="constant")
    return grid


def _spread(grid: Floats, reach: int, power: int = 1) -> Floats:
    """Sums around each place, with weights that fall linearly to 0 at `reach`, to a power."""
    weights = (1 - np.abs(np.arange(1 - reach, reach)) / reach) ** power
    for axis in range(grid.ndim):
        grid = ndimage.correlate1d(grid, weights, axis=axis, mode="constant")
    return grid
