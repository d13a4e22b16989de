"""Patch statistics that depend on where in the volume a patch is, cell by cell of a grid.

All is told relative to the whole cohort's normal, N(mean, L·Lᵀ): a patch x is L⁻¹·(x - mean), whose
covariance over the whole cohort is 1, so that to draw a cell's covariance towards a multiple of the
identity is to draw it towards the cohort's. Axis names: p value in the patch.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from preddiff.samplers import fitting
from preddiff.samplers.patches import flattened, places

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_ACROSS = 5  # patches that are taken of a cell in each direction, at least where there are as many
_LEAST = 0.01  # share of the cohort's covariance in a cell's: keeps it invertible in float32
_FLATTEST = 1e-9  # variance relative to the cohort's, where a cell is the same in all


@dataclass(frozen=True)
class Grid:
    """Cells of the places that a patch can begin at.

    Attributes
    ----------
    spatial : shape of the volumes.
    patch : length of a patch.
    cells : in each direction, no more than there are places.
    """

    spatial: tuple[int, ...]
    patch: int
    cells: tuple[int, ...]

    @classmethod
    def over(cls, spatial: tuple[int, ...], patch: int, cells: tuple[int, ...]) -> "Grid":
        return cls(
            spatial,
            patch,
            tuple(min(c, n - patch + 1) for c, n in zip(cells, spatial, strict=True)),
        )

    def numbers(self, corners: Integers) -> Integers:
        """The cell of each patch, from where it begins (n, dimension)."""
        cells, begins = np.array(self.cells), np.array(self.spatial) - self.patch + 1
        return np.asarray(np.ravel_multi_index(tuple((corners * cells // begins).T), self.cells))

    @property
    def step(self) -> tuple[int, ...]:
        """From one patch that statistics are taken of to the next."""
        return tuple(
            math.ceil((n - self.patch + 1) / c / _ACROSS)
            for n, c in zip(self.spatial, self.cells, strict=True)
        )

    def touching(self, mask: NDArray[np.bool_] | None) -> Integers:
        """Cells of patches that hold a true voxel of the mask, ascending; all without one."""
        if mask is None:
            return np.arange(math.prod(self.cells))
        view = np.lib.stride_tricks.sliding_window_view(mask, (self.patch,) * mask.ndim)
        held = view.any(axis=tuple(range(mask.ndim, 2 * mask.ndim)))
        return np.unique(self.numbers(np.argwhere(held)))


def statistics(
    volumes: Iterable[ArrayLike], grid: Grid, wanted: Integers, mean: Floats, unit: Floats
) -> Iterator[tuple[Floats, Floats]]:
    """Mean (p,) of each wanted cell and the `unit` (p, p) of its covariance.

    Both are relative to the cohort's.

    Gone through once; memory holds a covariance per wanted cell.

    Parameters
    ----------
    wanted : numbers of cells, ascending.
    mean, unit : the cohort's mean, and L⁻¹ (p, p).
    """
    size, members = len(mean), 0
    counts = np.zeros(len(wanted))
    sums, squares = np.zeros((len(wanted), size)), np.zeros((len(wanted), size, size))
    corners = places(grid.spatial, grid.patch, None, grid.step)
    cells = grid.numbers(corners)
    by_cell = [corners[cells == number] for number in wanted]
    for volume in volumes:
        values = fitting.checked(volume, grid.patch, members, None)
        shape = (len(values), *(grid.patch,) * len(grid.spatial))
        members += 1
        for n, inside in enumerate(by_cell):
            rows = flattened(values, inside, shape) - mean
            counts[n] += len(rows)
            sums[n] += rows.sum(axis=0)
            squares[n] += rows.T @ rows
    for count, total, square in zip(counts, sums, squares, strict=True):
        own, spread = _shrunk(count, members, unit @ total, unit @ square @ unit.T)
        yield own, unit_of(spread)


def unit_of(covariance: Floats) -> Floats:
    """L⁻¹, where L·Lᵀ is a covariance: what makes it 1."""
    factor = linalg.cholesky(covariance, lower=True)
    return np.asarray(linalg.solve_triangular(factor, np.eye(len(factor)), lower=True))


def _shrunk(count: float, members: int, total: Floats, square: Floats) -> tuple[Floats, Floats]:
    """A cell's mean and covariance, drawn towards the cohort's: the less it has, the more.

    The cohort counts as one more volume for the mean; for the covariance by the share of
    `fitting.shrink`. A cell without patches has the cohort's.
    """
    size = len(total)
    if count < 2:
        return np.zeros(size), np.eye(size)
    mean = total / count
    covariance = (square - count * np.outer(mean, mean)) / (count - 1)
    share = max(_LEAST, fitting.shrinkage(covariance, count))
    level = max(float(np.trace(covariance)) / size, _FLATTEST)
    return (
        mean * members / (members + 1),
        (1 - share) * covariance + share * level * np.eye(size),
    )
