"""Windows at their places relative to each other: what lies between those that were visited."""

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from preddiff.method.windows import Windows

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_AROUND = 33  # places along each axis that are around a window
_SLACK = 0.1  # places


class Interpolation:
    """Some of the windows among all of them, whatever their stride, more densely in places.

    Parameters
    ----------
    visited : numbers of those.

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
