"""Interpolation of evidence between the windows that were visited.

All windows form a regular grid, with gaps where a mask leaves windows out. Positions here are rows
and columns of that grid, whatever the windows' stride in pixels; distances are counted in windows.
"""

import itertools
from typing import Annotated

import numpy as np
from scipy import ndimage

from preddiff.method.windows import Windows
from preddiff.types import Floats, Integers, PerWindow

Visited = Annotated[Integers, "visited"]
"""Indices of the windows that were visited, ascending."""
PerVisited = Annotated[Floats, "visited"]
"""One number for each visited window."""
OnGrid = Annotated[Floats, "*rows"]
"""One number for each position of the grid of windows, 0 where there is no window."""

# Side of the box around a window in which visited windows are counted. The interlaced order starts
# with every 32nd window along each axis: a box of 33 always holds some of them.
_NEIGHBOURHOOD = 33
# By how much a grid's pitch, estimated from the density, may exceed an integer before the next
# larger pitch is taken: the density itself is uneven by a few per cent.
_PITCH_TOLERANCE = 0.1


class Interpolation:
    """Linear interpolation between some of the windows, which may be denser in some parts.

    A visited window with value v spreads it with the weights of a tent, ∏ max(0, 1 - |Δ| / r) over
    the axes, Δ being the distance and r the reach. Elsewhere, the interpolated value is the sum of
    weights × values over the sum of weights (normalised convolution: Knutsson & Westin 1993).

    On a regular grid of pitch r the weights add up to 1, and this is multilinear interpolation
    exactly: constant and linear evidence is met without error. The interlaced order visits such
    grids (or two of them interleaved), so the reach is set to the pitch that a grid of the visited
    windows' density would have. Where they are irregular, the division by the sum of weights keeps
    a constant right, and a linear function nearly so.

    Parameters
    ----------
    every : all windows.
    visited : (visited,), indices of those that have values.

    Attributes
    ----------
    density : (window,), share of the windows around each that was visited.
    """

    density: PerWindow

    def __init__(self, every: Windows, visited: Visited) -> None:
        rows = [np.unique(at, return_inverse=True)[1].reshape(-1) for at in every.starts.T]
        self._every = tuple(rows)
        self._visited = tuple(row[visited] for row in rows)
        self._shape = tuple(int(row.max()) + 1 for row in rows)
        known = self.sum_around(np.ones(len(visited)))
        possible = _box_sums(self._on_grid(np.ones(len(every)), self._every))[self._every]
        self.density = np.maximum(known, 1) / possible
        # In d dimensions, a grid of pitch r holds one window in r^d: r = density^(-1/d).
        pitch = np.ceil(self.density ** (-1 / len(rows)) - _PITCH_TOLERANCE).astype(np.int64)
        # With a reach of 1 no window would have a neighbour within it.
        self._pitch = np.maximum(pitch, 2)
        self._visited_pitch = self._pitch[visited]

    def sum_around(self, values: PerVisited) -> PerWindow:
        """Return, for every window, the sum of the values of the visited windows around it."""
        return _box_sums(self._on_grid(values, self._visited))[self._every]

    def interpolate(self, values: PerVisited) -> PerWindow:
        """Return values of all windows, interpolated linearly between those of the visited ones.

        Visited windows, too, get a value between theirs and their neighbours' where windows are
        denser than the pitch around them: who wants their own value puts it back.
        """
        filled = np.full(len(self._pitch), np.nan)
        # A convolution has one reach for all windows, so there is one for each pitch that occurs,
        # from the smallest: each window takes the first that is no less than its own pitch and
        # reaches a visited window. Where gaps are wider than the density says, reaches go on
        # doubling until everything is filled.
        wider = (2**n * int(self._pitch.max()) for n in itertools.count(1))
        for pitch in itertools.chain(np.unique(self._pitch), wider):
            if not np.isnan(filled).any():
                break
            sums, weights = (
                _tent_sums(self._on_grid(each, self._visited), pitch)[self._every]
                for each in (values, np.ones_like(values))
            )
            found = np.isnan(filled) & (self._pitch <= pitch) & (weights > 0)
            filled[found] = sums[found] / weights[found]
        return filled

    def squared_deviations(self, values: PerVisited) -> PerVisited:
        """Return how uneven the values are: squared deviations from the visited neighbours.

        Where the values' only unevenness is an independent error of each, this is its variance on
        average. For a window without neighbours it is the variance of all values.
        """
        # The variance of a systematic sample's mean cannot be estimated from the spread of all its
        # values, which holds every trend; differences between neighbours leave trends out
        # (Cochran, Sampling Techniques, 1977, chapter 8: estimation of the variance from a single
        # systematic sample), in one dimension for example second differences y1 - 2 y2 + y3.
        #
        # Here each value v is compared with the weighted mean of its neighbours, Σ w_j v_j / Σ w_j,
        # by the same tent, of twice the reach: on a grid of pitch r, the nearest neighbours along
        # an axis are half-way and have the weight 1/2, and the mean of the two meets a slope
        # exactly. With independent errors of variance σ²,
        #
        #     Var(v - Σ w_j v_j / Σ w_j) = σ² (1 + Σ w_j² / (Σ w_j)²),
        #
        # by which the square is divided. The window itself has the weight 1 in each of the three
        # sums, and is subtracted. (Two neighbours of weight 1/2: σ² · 3/2, which for second
        # differences, twice as large, is their known 6 σ².)
        deviations = np.full(len(values), values.var())
        ones = np.ones_like(values)
        for pitch in np.unique(self._visited_pitch):
            sums, weights, squares = (
                _tent_sums(self._on_grid(each, self._visited), 2 * pitch, power)[self._visited]
                - each
                for each, power in ((values, 1), (ones, 1), (ones, 2))
            )
            known = (weights > 1e-9) & (self._visited_pitch == pitch)
            weights = np.where(known, weights, 1)
            squared = (values - sums / weights) ** 2 / (1 + squares / weights**2)
            deviations[known] = squared[known]
        return deviations

    def _on_grid(self, values: Floats, positions: tuple[Integers, ...]) -> OnGrid:
        grid = np.zeros(self._shape)
        grid[positions] = values
        return grid


def _box_sums(grid: OnGrid) -> OnGrid:
    """Return the sum over the neighbourhood of each position."""
    for axis in range(grid.ndim):
        grid = ndimage.correlate1d(grid, np.ones(_NEIGHBOURHOOD), axis=axis, mode="constant")
    return grid


def _tent_sums(grid: OnGrid, reach: int, power: int = 1) -> OnGrid:
    """Return sums around each position, with weights (tent ** power) that are 0 at `reach`."""
    # The tent is a product over the axes, so it is one convolution along each after the other.
    weights = (1 - np.abs(np.arange(1 - reach, reach)) / reach) ** power
    for axis in range(grid.ndim):
        grid = ndimage.correlate1d(grid, weights, axis=axis, mode="constant")
    return grid
